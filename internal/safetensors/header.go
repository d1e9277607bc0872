package safetensors

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"math/bits"
	"slices"
	"strconv"
	"unicode/utf8"
)

const (
	lengthBytes = 8           // the header's length in front of it
	maxHeader   = 100_000_000 // as in the reference implementation
	maxDims     = 64          // as in NumPy: longer shapes serve nobody
	metadataKey = "__metadata__"
)

// headerParser walks over the tokens of a header. It expects a certain token at each place and thus never recurses.
type headerParser struct {
	dec      *json.Decoder
	tensors  []Tensor
	metadata map[string]string
}

// parseHeader reads the header's JSON; the tensors come back in the order of their data, which fill dataBytes exactly.
func parseHeader(header []byte, dataBytes int64) ([]Tensor, map[string]string, error) {
	if len(header) == 0 || header[0] != '{' {
		return nil, nil, fmt.Errorf("safetensors: byte %d: header does not begin with {", lengthBytes)
	}
	if i := invalidUTF8(header); i >= 0 {
		return nil, nil, fmt.Errorf("safetensors: byte %d: header is not UTF-8", lengthBytes+i)
	}
	p := headerParser{dec: json.NewDecoder(bytes.NewReader(header))}
	p.dec.UseNumber()
	if err := p.header(); err != nil {
		return nil, nil, err
	}
	slices.SortStableFunc(p.tensors, func(a, b Tensor) int {
		return cmp.Or(cmp.Compare(a.offset, b.offset), cmp.Compare(a.size, b.size))
	})
	if err := checkLayout(p.tensors, dataBytes); err != nil {
		return nil, nil, err
	}
	return p.tensors, p.metadata, nil
}

// checkLayout demands that the tensors, sorted by offset, follow each other without gap or overlap up to the end.
func checkLayout(tensors []Tensor, dataBytes int64) error {
	var end int64
	for i := range tensors {
		t := &tensors[i]
		switch {
		case t.offset+t.size > dataBytes:
			return fmt.Errorf("safetensors: tensor %.80q: data_offsets [%d,%d], but the file has %d bytes of data",
				t.Name, t.offset, t.offset+t.size, dataBytes)
		case t.offset < end:
			return fmt.Errorf("safetensors: tensor %.80q begins at data byte %d, inside tensor %.80q, which ends at %d",
				t.Name, t.offset, tensors[i-1].Name, end)
		case t.offset > end:
			return fmt.Errorf("safetensors: data bytes %d to %d belong to no tensor", end, t.offset)
		}
		end += t.size
	}
	if end != dataBytes {
		return fmt.Errorf("safetensors: data bytes %d to %d belong to no tensor", end, dataBytes)
	}
	return nil
}

func (p *headerParser) header() error {
	if err := p.delim('{'); err != nil {
		return err
	}
	seen := map[string]bool{}
	for p.dec.More() {
		name, err := p.key(seen, "name")
		if err != nil {
			return err
		}
		if name == metadataKey {
			err = p.readMetadata()
		} else {
			err = p.readTensor(name)
		}
		if err != nil {
			return err
		}
	}
	if err := p.delim('}'); err != nil {
		return err
	}
	if _, err := p.dec.Token(); err != io.EOF {
		return p.errorf("something follows the header's closing brace")
	}
	return nil
}

func (p *headerParser) readMetadata() error {
	if err := p.delim('{'); err != nil {
		return err
	}
	p.metadata = map[string]string{}
	seen := map[string]bool{}
	for p.dec.More() {
		key, err := p.key(seen, "metadata key")
		if err != nil {
			return err
		}
		if p.metadata[key], err = p.text("metadata " + strconv.Quote(shorten(key))); err != nil {
			return err
		}
	}
	return p.delim('}')
}

func (p *headerParser) readTensor(name string) error {
	t := Tensor{Name: name}
	var offsets []int64
	if err := p.delim('{'); err != nil {
		return err
	}
	seen := map[string]bool{}
	for p.dec.More() {
		field, err := p.key(seen, "field")
		if err != nil {
			return err
		}
		switch field {
		case "dtype":
			var s string
			if s, err = p.text("dtype"); err == nil {
				t.DType = DType(s)
				if t.DType.Size() == 0 {
					err = p.errorf("tensor %.80q: unknown dtype %.80q", name, s)
				}
			}
		case "shape":
			var dims []int64
			if dims, err = p.integers("shape", maxDims); err == nil {
				t.Shape = make([]int, len(dims))
				for i, d := range dims {
					if d > math.MaxInt {
						return p.errorf("tensor %.80q: size %d is too large for this platform", name, d)
					}
					t.Shape[i] = int(d)
				}
			}
		case "data_offsets":
			if offsets, err = p.integers("data_offsets", 2); err == nil && len(offsets) != 2 {
				err = p.errorf("tensor %.80q: data_offsets has %d values, want 2", name, len(offsets))
			}
		default:
			err = p.errorf("tensor %.80q: unknown field %.80q", name, field)
		}
		if err != nil {
			return err
		}
	}
	if err := p.delim('}'); err != nil {
		return err
	}
	for _, field := range []string{"dtype", "shape", "data_offsets"} {
		if !seen[field] {
			return p.errorf("tensor %.80q has no %s", name, field)
		}
	}
	need, ok := byteSize(t.DType, t.Shape)
	if !ok {
		return p.errorf("tensor %.80q: the size of shape %v overflows", name, t.Shape)
	}
	if offsets[0] > offsets[1] || offsets[1]-offsets[0] != need {
		return p.errorf("tensor %.80q: %s of shape %v needs %d bytes, data_offsets are [%d,%d]",
			name, t.DType, t.Shape, need, offsets[0], offsets[1])
	}
	t.offset, t.size = offsets[0], need
	p.tensors = append(p.tensors, t)
	return nil
}

// byteSize is the number of bytes of a tensor; false when that, or the product of the sizes on the way to it,
// does not fit into an int.
func byteSize(d DType, shape []int) (int64, bool) {
	n := uint64(d.Size())
	for _, s := range shape {
		if s < 0 {
			return 0, false
		}
		hi, lo := bits.Mul64(n, uint64(s))
		if hi != 0 || lo > math.MaxInt {
			return 0, false
		}
		n = lo
	}
	return int64(n), true
}

func (p *headerParser) token() (json.Token, error) {
	t, err := p.dec.Token()
	if err == nil {
		return t, nil
	}
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	offset := p.dec.InputOffset()
	if s := (*json.SyntaxError)(nil); errors.As(err, &s) {
		offset = s.Offset
	}
	return nil, fmt.Errorf("safetensors: byte %d: header is not JSON: %w", lengthBytes+offset, err)
}

func (p *headerParser) delim(want json.Delim) error {
	t, err := p.token()
	if err != nil {
		return err
	}
	if t != want {
		return p.errorf("header has %s where %v is expected", describe(t), want)
	}
	return nil
}

// key reads an object's key and refuses one that the object already had.
func (p *headerParser) key(seen map[string]bool, what string) (string, error) {
	key, err := p.text(what)
	if err != nil {
		return "", err
	}
	if seen[key] {
		return "", p.errorf("%s %.80q occurs twice", what, key)
	}
	seen[key] = true
	return key, nil
}

func (p *headerParser) text(what string) (string, error) {
	t, err := p.token()
	if err != nil {
		return "", err
	}
	s, ok := t.(string)
	if !ok {
		return "", p.errorf("%s is %s, want a string", what, describe(t))
	}
	return s, nil
}

// integers reads an array of at most limit integers from 0 up.
func (p *headerParser) integers(what string, limit int) ([]int64, error) {
	if err := p.delim('['); err != nil {
		return nil, err
	}
	var list []int64
	for p.dec.More() {
		t, err := p.token()
		if err != nil {
			return nil, err
		}
		number, ok := t.(json.Number)
		if !ok {
			return nil, p.errorf("%s holds %s, want integers", what, describe(t))
		}
		n, err := strconv.ParseInt(number.String(), 10, 64)
		if err != nil || n < 0 {
			return nil, p.errorf("%s holds %.80s, want integers from 0 up", what, number)
		}
		if len(list) == limit {
			return nil, p.errorf("%s has more than %d values", what, limit)
		}
		list = append(list, n)
	}
	return list, p.delim(']')
}

// errorf adds the place: the byte of the file behind the last token.
func (p *headerParser) errorf(format string, args ...any) error {
	return fmt.Errorf("safetensors: byte %d: "+format, append([]any{lengthBytes + p.dec.InputOffset()}, args...)...)
}

func describe(t json.Token) string {
	switch t := t.(type) {
	case json.Delim:
		return t.String()
	case string:
		return strconv.Quote(shorten(t))
	case json.Number:
		return "the number " + shorten(t.String())
	}
	return fmt.Sprint(t)
}

// shorten keeps an error readable when the header holds a text of megabytes.
func shorten(s string) string { return fmt.Sprintf("%.80s", s) }

func invalidUTF8(b []byte) int {
	for i := 0; i < len(b); {
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
	return -1
}
