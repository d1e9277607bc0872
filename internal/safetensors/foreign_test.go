package safetensors

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
)

// What a file is that is none of safetensors is said, by its first bytes.
func TestForeign(t *testing.T) {
	for _, v := range []struct{ file, want string }{
		{"", "it is an empty file, not a safetensors file"},
		{"text", `it is a text, which begins with "text", not a safetensors file`},
		{"text,label\n" + strings.Repeat("a film,good\n", 100), `it is a text, which begins with "text,label", not a safetensors file`},
		{"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "it is a PNG picture, not a safetensors file"},
		{"\x01\x02", "file of 2 bytes is too short for the header's length"},
		{"\x01\x02\x03\x04\x05\x06\x07\x08\x09", "header of 578437695752307201 bytes in a file of 9 (limit 100000000)"},
		{"\x09\x00\x00\x00\x00\x00\x00\x00\x09", "header of 9 bytes in a file of 9 (limit 100000000)"},
		{strings.Repeat("\x00", 600), "byte 8: header does not begin with {"},
	} {
		for i, err := range []error{
			second(OpenBytes(t.Context(), []byte(v.file))),
			second(Open(t.Context(), bytes.NewReader([]byte(v.file)), int64(len(v.file)))),
		} {
			if foreign := (*ForeignError)(nil); !errors.As(err, &foreign) && len(v.file) < 600 || err.Error() != "safetensors: "+v.want {
				t.Errorf("%d: %.20q: %v, want %s", i, v.file, err, v.want)
			}
		}
	}
	// One that is cut short is no other.
	whole := string(file(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}`, make([]byte, 8)...))
	for n := 8; n < len(whole); n++ {
		if _, err := OpenBytes(context.Background(), []byte(whole[:n])); err == nil || errors.As(err, new(*ForeignError)) || !strings.Contains(err.Error(), "cut short") {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
}

func second(_ *File, err error) error { return err }
