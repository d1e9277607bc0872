package bundle

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Each byte of the data files counts.
func TestVerify(t *testing.T) {
	dir := unpack(t)
	for _, name := range []string{"types", "shards"} {
		prefix := filepath.Join(dir, name)
		b, err := Open(context.Background(), prefix)
		if err != nil {
			t.Fatal(err)
		}
		if err := b.Verify(t.Context()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		if err := b.Verify(ended); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: error %v", name, err)
		}
		// The bytes that some tensor holds.
		for _, tensors := range [][]Tensor{b.tensors, b.parts} {
			for _, tensor := range tensors {
				if len(tensor.slices) > 0 || tensor.size == 0 || tensor.DType != String && tensor.DType.Size() == 0 {
					continue
				}
				path := b.shardPath(tensor.shard)
				data, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				for _, at := range []int64{tensor.offset, tensor.offset + tensor.size - 1} {
					data[at] ^= 1
					if err := os.WriteFile(path, data, 0o666); err != nil {
						t.Fatal(err)
					}
					if err := b.Verify(t.Context()); err == nil || !strings.Contains(err.Error(), "CRC32C of the lengths") && !strings.Contains(err.Error(), fmt.Sprintf("tensor %.80q", tensor.Key)) {
						t.Errorf("%s: byte %d of %q: error %v", name, at, tensor.Key, err)
					}
					data[at] ^= 1
				}
				if err := os.WriteFile(path, data, 0o666); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}

// An index of a few kilobytes that lists the same gigabyte a thousand times does not keep anyone busy.
func TestVerifyOverlap(t *testing.T) {
	entry := message(1, 1, 2, shape(2), 5, 8)
	index := makeIndex(nil, message(1, 1), []byte("a"), entry, []byte("b"), entry)
	prefix := filepath.Join(t.TempDir(), "v")
	if err := errors.Join(os.WriteFile(prefix+".index", index, 0o666),
		os.WriteFile(prefix+".data-00000-of-00001", make([]byte, 8), 0o666)); err != nil {
		t.Fatal(err)
	}
	b, err := Open(context.Background(), prefix)
	if err != nil {
		t.Fatal(err)
	}
	b.tensors[0].crc = mask(0x8c28b28a) // CRC32C of eight zero bytes
	if err := b.Verify(t.Context()); err == nil || !strings.Contains(err.Error(), `tensor "b": with it the tensors have more bytes than the data files`) {
		t.Errorf("error %v", err)
	}
}
