package npz

import (
	"encoding/binary"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// maxHeader is the length of the longest header that NumPy itself reads unasked.
const maxHeader = 10000

// header is what the beginning of a .npy file says about its array.
type header struct {
	descr string // as written: "<i8", "|O"
	order byte   // byte order: '<', '>', or '|' where there is none
	kind  byte   // NumPy's letter: i, u, f, b, c, or O for objects
	width int    // bytes an element, 0 for objects
	shape []int64
	count int64 // product of shape
}

// readHeader reads the magic number, version and header of a .npy file (NumPy's format versions 1.0, 2.0 and 3.0).
func readHeader(s *source) (header, error) {
	var h header
	b, err := s.take(8)
	if err != nil {
		return h, err
	}
	if string(b[:6]) != "\x93NUMPY" {
		return h, fmt.Errorf("byte 0: %q is not the beginning of a .npy file", b[:6])
	}
	var length int64
	switch major, minor := b[6], b[7]; {
	case major == 1 && minor == 0:
		if b, err = s.take(2); err == nil {
			length = int64(binary.LittleEndian.Uint16(b))
		}
	case (major == 2 || major == 3) && minor == 0:
		if b, err = s.take(4); err == nil {
			length = int64(binary.LittleEndian.Uint32(b))
		}
	default:
		return h, fmt.Errorf("byte 6: version %d.%d of the .npy format is unknown", major, minor)
	}
	if err != nil {
		return h, err
	}
	if length > maxHeader {
		return h, fmt.Errorf("byte 8: a header of %d bytes is longer than %d", length, maxHeader)
	}
	at := s.offset()
	if b, err = s.take(int(length)); err != nil {
		return h, err
	}
	p := literal{text: string(b), base: at}
	if err := p.header(&h); err != nil {
		return h, err
	}
	h.count = 1
	for _, d := range h.shape {
		if d != 0 && h.count > math.MaxInt64/16/d {
			return h, fmt.Errorf("byte %d: an array of shape %s is too large", at, h.shapeString())
		}
		h.count *= d
	}
	return h, h.element(at)
}

// element takes descr apart.
func (h *header) element(at int64) error {
	if h.descr == "|O" || h.descr == "O" {
		h.order, h.kind = '|', 'O'
		return nil
	}
	if len(h.descr) >= 3 && strings.IndexByte("<>|", h.descr[0]) >= 0 && strings.IndexByte("iufbc", h.descr[1]) >= 0 {
		if w, err := strconv.Atoi(h.descr[2:]); err == nil && (w == 1 || w == 2 || w == 4 || w == 8 || w == 16) {
			h.order, h.kind, h.width = h.descr[0], h.descr[1], w
			return nil
		}
	}
	return fmt.Errorf("byte %d: %q is no type of element that is known here", at, h.descr)
}

func (h *header) shapeString() string {
	parts := make([]string, len(h.shape))
	for i, d := range h.shape {
		parts[i] = strconv.FormatInt(d, 10)
	}
	if len(parts) == 1 {
		return "(" + parts[0] + ",)"
	}
	return "(" + strings.Join(parts, ", ") + ")"
}

// literal reads the one form of Python literal that a header has: a dictionary of strings, booleans and a flat tuple
// of whole numbers.
type literal struct {
	text string
	pos  int
	base int64 // offset of text in the file
}

func (p *literal) header(h *header) error {
	if err := p.expect("{"); err != nil {
		return err
	}
	seen := map[string]bool{}
	for !p.accept("}") {
		key, err := p.str()
		if err != nil {
			return err
		}
		if seen[key] {
			return p.fail("the key %q comes twice", key)
		}
		seen[key] = true
		if err := p.expect(":"); err != nil {
			return err
		}
		switch key {
		case "descr":
			h.descr, err = p.str()
		case "fortran_order":
			// Only arrays of one dimension are read, for which both orders are the same.
			if !p.accept("True") {
				err = p.expect("False")
			}
		case "shape":
			h.shape, err = p.tuple()
		default:
			err = p.fail("the key %q does not belong into a header", key)
		}
		if err != nil {
			return err
		}
		if !p.accept(",") {
			if err := p.expect("}"); err != nil {
				return err
			}
			break
		}
	}
	for _, key := range []string{"descr", "fortran_order", "shape"} {
		if !seen[key] {
			return p.fail("the header has no %q", key)
		}
	}
	if p.skip(); p.pos != len(p.text) {
		return p.fail("text after the header's dictionary")
	}
	return nil
}

func (p *literal) skip() {
	for p.pos < len(p.text) && strings.IndexByte(" \t\r\n", p.text[p.pos]) >= 0 {
		p.pos++
	}
}

func (p *literal) accept(token string) bool {
	p.skip()
	if strings.HasPrefix(p.text[p.pos:], token) {
		p.pos += len(token)
		return true
	}
	return false
}

func (p *literal) expect(token string) error {
	if !p.accept(token) {
		return p.fail("the header should have %q here", token)
	}
	return nil
}

func (p *literal) str() (string, error) {
	p.skip()
	if p.pos < len(p.text) && (p.text[p.pos] == '\'' || p.text[p.pos] == '"') {
		quote := p.text[p.pos]
		if n := strings.IndexByte(p.text[p.pos+1:], quote); n >= 0 {
			v := p.text[p.pos+1 : p.pos+1+n]
			if strings.IndexByte(v, '\\') < 0 {
				p.pos += n + 2
				return v, nil
			}
		}
	}
	return "", p.fail("the header should have a string here")
}

func (p *literal) tuple() ([]int64, error) {
	if err := p.expect("("); err != nil {
		return nil, err
	}
	var dims []int64
	for !p.accept(")") {
		p.skip()
		start := p.pos
		for p.pos < len(p.text) && p.text[p.pos] >= '0' && p.text[p.pos] <= '9' {
			p.pos++
		}
		d, err := strconv.ParseInt(p.text[start:p.pos], 10, 64)
		if err != nil {
			p.pos = start
			return nil, p.fail("the shape should have a whole number from 0 here")
		}
		dims = append(dims, d)
		p.accept("L") // Python 2 writes long integers so
		if !p.accept(",") {
			if err := p.expect(")"); err != nil {
				return nil, err
			}
			break
		}
	}
	return dims, nil
}

func (p *literal) fail(format string, args ...any) error {
	return fmt.Errorf("byte %d: %s", p.base+int64(p.pos), fmt.Sprintf(format, args...))
}
