package bundle

import (
	"bytes"
	"context"
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/linnet-ml/linnet/internal/boundary"
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
	good := makeIndex(nil, header, []byte("w"), message(1, 1, 2, shape(1, 2), 5, 8))
	for _, a := range boundary.Numbers() {
		for _, b := range []uint64{1, a, -a, 1 << 62, math.MaxInt64} {
			// The footer has no checksum: its places are the first that anybody can change.
			footer := binary.AppendUvarint(binary.AppendUvarint(appendHandle(nil, 0, 1), a), b)
			footer = append(footer, make([]byte, max(0, footerBytes-8-len(footer)))...)
			f.Add(slices.Concat(good[:len(good)-footerBytes], footer[:footerBytes-8], good[len(good)-8:]), []byte{1})
		}
	}
	for _, entry := range [][]byte{
		message(1, 1, 2, shape(1, 2), 4, 1, 5, 8), message(1, 7, 2, shape(1), 4, 1, 5, 8),
		message(1, 1, 2, shape(2, 1), 7, message(1, message(1, 1, 2, 1), 1, nil)),
	} {
		for changed := range boundary.Protobuf(entry, 3) {
			f.Add(makeIndex(nil, header, []byte("w"), changed), []byte{1, 2, 3, 4, 5, 6, 7, 8})
		}
	}
	prefix := filepath.Join(f.TempDir(), "v")
	f.Fuzz(func(t *testing.T, index, data []byte) {
		// A fuzzer finds no checksums: give it those of the blocks that a small file has.
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
				_, _ = b.ReadStrings(context.Background(), e)
				_, _ = b.ReadBytes(context.Background(), e)
			}
		}
	})
}

// reseal makes the checksums of an index right that has one data block from its first byte on.
func reseal(index []byte) []byte {
	out := bytes.Clone(index)
	fix := func(h handle) []byte {
		if !h.in(int64(len(out)) + footerBytes) {
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
