package bundle

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"
)

// Whatever the bytes of an index are, it is read or refused without a panic, and what it lists is consistent and in
// proportion to the file.
func FuzzIndex(f *testing.F) {
	dir := unpack(f)
	for _, name := range []string{"types.index", "shards.index"} {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b, []byte{1, 2, 3, 4, 5, 6, 7, 8})
	}
	header := message(1, 1)
	for _, index := range [][]byte{
		makeIndex(nil, header, []byte("w"), message(1, 1, 2, shape(1, 2), 5, 8)),
		makeIndex(nil, header, []byte("s"), message(1, 7, 2, shape(2), 5, 8)),
		makeIndex(nil, header, []byte("p"), message(1, 1, 2, shape(2, 1), 7, message(1, message(2, 1), 1, nil))),
	} {
		f.Add(index, []byte{1, 1, 0, 0, 0, 0, 1, 2})
	}
	f.Fuzz(func(t *testing.T, index, data []byte) {
		// A fuzzer finds no checksums: give it those of the blocks that a small file has.
		prefix := filepath.Join(t.TempDir(), "v")
		for _, contents := range [][]byte{index, reseal(index)} {
			b, err := parseIndex(bytes.NewReader(contents), int64(len(contents)))
			if err != nil {
				continue
			}
			b.prefix = prefix
			if err := os.WriteFile(b.shardPath(0), data, 0o644); err != nil {
				t.Fatal(err)
			}
			if b.checkData() != nil {
				continue
			}
			for i := range b.tensors {
				e := &b.tensors[i]
				if e.elements < 0 || len(e.slices) == 0 && e.size > int64(len(data)) && e.shard == 0 {
					t.Fatalf("tensor %q of shape %v with %d bytes", e.Key, e.Shape, e.size)
				}
				if e.DType == Float32 && e.elements < 1000 {
					_ = b.ReadFloat32(context.Background(), e, make([]float32, e.elements))
				}
				_, _ = b.ReadStrings(e)
				_, _ = b.ReadBytes(e)
			}
		}
	})
}

// reseal makes the checksums of an index right that has one data block from its first byte on.
func reseal(index []byte) []byte {
	out := bytes.Clone(index)
	fix := func(h handle) []byte {
		if h.end() > int64(len(out)) || h.offset > int64(len(out)) {
			return nil
		}
		copy(out[h.offset:h.end()], sealAs(out[h.offset:h.offset+h.size+1]))
		return out[h.offset : h.offset+h.size]
	}
	if len(out) < footerBytes {
		return out
	}
	footer := out[len(out)-footerBytes:]
	_, n, err := decodeHandle(footer)
	if err != nil {
		return out
	}
	h, _, err := decodeHandle(footer[n:])
	if err != nil {
		return out
	}
	block := fix(h)
	_ = (&table{size: int64(len(out))}).entries(h, block, func(_, value []byte) error {
		if h, _, err := decodeHandle(value); err == nil {
			fix(h)
		}
		return nil
	})
	fix(h) // in case the data block lies over it
	return out
}
