package wire

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
)

func TestWalk(t *testing.T) {
	var b []byte
	b = protowire.AppendVarint(protowire.AppendTag(b, 1, protowire.VarintType), ^uint64(0)) // -1
	b = protowire.AppendString(protowire.AppendTag(b, 2, protowire.BytesType), "text")
	b = protowire.AppendFixed32(protowire.AppendTag(b, 3, protowire.Fixed32Type), 7)
	b = protowire.AppendFixed64(protowire.AppendTag(b, 4, protowire.Fixed64Type), 8)
	b = protowire.AppendTag(protowire.AppendTag(b, 5, protowire.StartGroupType), 5, protowire.EndGroupType)
	b = protowire.AppendBytes(protowire.AppendTag(b, 6, protowire.BytesType), []byte{1, 0x80, 1})
	b = protowire.AppendVarint(protowire.AppendTag(b, 6, protowire.VarintType), 9)
	var numbers []int
	var list []int64
	err := Walk(b, func(f Field) error {
		numbers = append(numbers, f.Number)
		var err error
		switch f.Number {
		case 1:
			if v, err := f.Int64(); v != -1 || err != nil {
				t.Errorf("int64 %d, error %v", v, err)
			}
			if _, err := f.Int(); err == nil {
				t.Error("-1 is taken for a number of things")
			}
			if _, err := f.Bytes(); err == nil {
				t.Error("a varint is taken for bytes")
			}
		case 2:
			if v, err := f.Bytes(); string(v) != "text" || err != nil {
				t.Errorf("bytes %q, error %v", v, err)
			}
			if _, err := f.Int64(); err == nil {
				t.Error("bytes are taken for a varint")
			}
		case 3:
			if v, err := f.Fixed32(); v != 7 || err != nil {
				t.Errorf("fixed32 %d, error %v", v, err)
			}
		case 4:
			if _, err := f.Fixed32(); err == nil {
				t.Error("eight bytes are taken for four")
			}
		case 6:
			list, err = f.Int64s(list)
		}
		return err
	})
	if err != nil || !slices.Equal(numbers, []int{1, 2, 3, 4, 6, 6}) || !slices.Equal(list, []int64{1, 128, 9}) {
		t.Errorf("fields %v, list %v, error %v", numbers, list, err)
	}
}

func TestWalkErrors(t *testing.T) {
	for _, c := range []struct {
		what, message, want string
	}{
		{"half a tag", "\x08\x01\x80", "byte 2: not a protocol buffer"},
		{"no value", "\x08", "byte 0: field 1: not a protocol buffer"},
		{"a length past the end", "\x08\x01\x12\x05abc", "byte 2: field 2: not a protocol buffer"},
		{"a group without an end", "\x0b", "byte 0: field 1: not a protocol buffer"},
		{"an end without a group", "\x0c", "byte 0: field 1: not a protocol buffer"},
		{"half a packed number", "\x32\x02\x01\x80", "byte 0: field 6: packed byte 1"},
	} {
		err := Walk([]byte(c.message), func(f Field) error {
			if f.Number == 6 {
				_, err := f.Int64s(nil)
				return err
			}
			return nil
		})
		if err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%s: error %v does not begin with %q", c.what, err, c.want)
		}
	}
	stop := errors.New("stop")
	if err := Walk([]byte("\x08\x01\x10\x02"), func(f Field) error {
		if f.Number == 2 {
			return stop
		}
		return nil
	}); !errors.Is(err, stop) || err.Error() != "byte 2: field 2: stop" {
		t.Errorf("the caller's error came back as %v", err)
	}
}
