package texts

import (
	"bytes"
	"encoding/binary"
	"io"
	"math/bits"
	"strings"
	"sync/atomic"
	"unicode/utf16"
	"unicode/utf8"
)

// The encodings.
const (
	utf8Name    = "UTF-8"
	utf16leName = "UTF-16LE"
	utf16beName = "UTF-16BE"
	ansiName    = "Windows-1252"
)

// encodingNames are all of them.
var encodingNames = []string{utf8Name, utf16leName, utf16beName, ansiName}

// encodingOf returns the encoding that an option names.
func encodingOf(name string) (string, error) {
	switch strings.ToLower(name) {
	case "":
		return "", nil
	case "utf-8", "utf8":
		return utf8Name, nil
	case "utf-16le", "utf16le":
		return utf16leName, nil
	case "utf-16be", "utf16be":
		return utf16beName, nil
	case "windows-1252", "cp1252", "iso-8859-1", "latin-1", "latin1":
		return ansiName, nil
	}
	return "", badOption("Encoding", "the encoding %s is unknown; there are utf-8, utf-16le, utf-16be and windows-1252", quoted(name))
}

// marks are the byte order marks.
var marks = []struct{ mark, name string }{
	{"\xEF\xBB\xBF", utf8Name},
	{"\xFF\xFE\x00\x00", "UTF-32LE"},
	{"\x00\x00\xFE\xFF", "UTF-32BE"},
	{"\xFF\xFE", utf16leName},
	{"\xFE\xFF", utf16beName},
}

// scan counts what tells UTF-8 from Windows-1252.
type scan struct {
	characters int64 // valid ones beyond ASCII
	invalid    int64 // bytes that belong to no character
	undefined  int64 // of these, those without a meaning in Windows-1252
}

// add looks at more bytes of a file and returns how many of them it took: a character that is cut at the end is left for the
// next time, unless the bytes are the last.
func (s *scan) add(b []byte, last bool) int {
	n := len(b)
	if !last {
		for k := 1; k < utf8.UTFMax && k <= len(b); k++ {
			if utf8.RuneStart(b[len(b)-k]) {
				if !utf8.FullRune(b[len(b)-k:]) {
					n = len(b) - k
				}
				break
			}
		}
	}
	b = b[:n]
	if utf8.Valid(b) {
		s.characters += leads(b)
		return n
	}
	for i := 0; i < len(b); {
		if b[i] < utf8.RuneSelf {
			i++
			continue
		}
		r, size := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && size == 1 {
			s.invalid++
			if ansi[b[i]-0x80] == rune(b[i]) && b[i] < 0xA0 {
				s.undefined++
			}
		} else {
			s.characters++
		}
		i += size
	}
	return n
}

// leads counts the bytes of valid UTF-8 that begin characters beyond ASCII: those whose two highest bits are set.
func leads(b []byte) (n int64) {
	for ; len(b) >= 8; b = b[8:] {
		x := binary.LittleEndian.Uint64(b)
		n += int64(bits.OnesCount64(x & (x << 1) & 0x8080808080808080))
	}
	for _, c := range b {
		if c >= 0xC0 {
			n++
		}
	}
	return n
}

// encoding is the encoding of a file that was looked at to its end.
func (s *scan) encoding() string {
	if s.invalid > s.characters && s.undefined == 0 {
		return ansiName
	}
	return utf8Name
}

// ansi is the upper half of Windows-1252. Its five bytes without a meaning are control characters, as in the Encoding
// Standard of the WHATWG.
var ansi = func() (table [128]rune) {
	for i := range table {
		table[i] = rune(0x80 + i)
	}
	for i, r := range []rune("€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ") {
		table[i] = r
	}
	return table
}()

// ansiReader turns Windows-1252 into UTF-8.
type ansiReader struct {
	r   io.Reader
	buf []byte
}

func (d *ansiReader) Read(p []byte) (int, error) {
	if len(p) < utf8.UTFMax {
		return 0, io.ErrShortBuffer
	}
	if d.buf == nil {
		d.buf = make([]byte, piece)
	}
	n, err := d.r.Read(d.buf[:min(len(d.buf), len(p)/3)])
	return appendANSI(p[:0], d.buf[:n]), err
}

// appendANSI returns how many bytes it wrote over to.
func appendANSI(to, b []byte) int {
	for _, c := range b {
		if c < utf8.RuneSelf {
			to = append(to, c)
		} else {
			to = utf8.AppendRune(to, ansi[c-0x80])
		}
	}
	return len(to)
}

// utf16Reader turns UTF-16 into UTF-8. A row with broken UTF-16 must become an error, so what is broken becomes invalid
// UTF-8: half of a surrogate pair is encoded in three bytes like any other code point, which UTF-8 forbids for surrogates,
// and a single byte at the end of the file becomes 0xFF.
type utf16Reader struct {
	r     io.Reader
	order binary.ByteOrder
	buf   []byte
	n     int // bytes in buf
	err   error
}

func (d *utf16Reader) Read(p []byte) (int, error) {
	if len(p) < utf8.UTFMax {
		return 0, io.ErrShortBuffer
	}
	if d.buf == nil {
		d.buf = make([]byte, piece)
	}
	for {
		to, used := p[:0], 0
		for used+2 <= d.n && len(to)+utf8.UTFMax <= len(p) {
			r := rune(d.order.Uint16(d.buf[used:]))
			if !utf16.IsSurrogate(r) {
				to, used = utf8.AppendRune(to, r), used+2
				continue
			}
			if r < 0xDC00 && used+4 > d.n && d.err == nil {
				break // the other half has not come yet
			}
			if used+4 <= d.n {
				if pair := utf16.DecodeRune(r, rune(d.order.Uint16(d.buf[used+2:]))); pair != utf8.RuneError {
					to, used = utf8.AppendRune(to, pair), used+4
					continue
				}
			}
			to, used = append(to, 0xE0|byte(r>>12), 0x80|byte(r>>6)&0xBF, 0x80|byte(r)&0xBF), used+2
		}
		if d.err == io.EOF && d.n-used == 1 && len(to) < len(p) {
			to, used = append(to, 0xFF), used+1
		}
		d.n = copy(d.buf, d.buf[used:d.n])
		if len(to) > 0 {
			return len(to), nil
		}
		if d.err != nil {
			return 0, d.err
		}
		var n int
		n, d.err = d.r.Read(d.buf[d.n:])
		d.n += n
		if n == 0 && d.err == nil {
			return 0, nil
		}
	}
}

// What a stream is, as far as it has been read.
const (
	onlyASCII int32 = iota
	isUTF8
	isANSI
)

// undecidedReader reads a stream that is UTF-8 or Windows-1252, as its first character beyond ASCII tells.
type undecidedReader struct {
	r    io.Reader
	buf  []byte
	n    int // bytes in buf that have not been decided: the beginning of a character
	err  error
	kind *atomic.Int32
}

func (d *undecidedReader) Read(p []byte) (int, error) {
	if len(p) < 4*utf8.UTFMax {
		return 0, io.ErrShortBuffer
	}
	if d.buf == nil {
		d.buf = make([]byte, piece)
	}
	for d.kind.Load() == onlyASCII {
		n, err := d.r.Read(d.buf[d.n:min(len(d.buf), d.n+len(p)/3-utf8.UTFMax)])
		d.n += n
		d.err = err
		b := d.buf[:d.n]
		i := 0
		for i < len(b) && b[i] < utf8.RuneSelf {
			i++
		}
		if i < len(b) && (err != nil || utf8.FullRune(b[i:])) {
			if r, size := utf8.DecodeRune(b[i:]); r == utf8.RuneError && size == 1 {
				d.kind.Store(isANSI)
			} else {
				d.kind.Store(isUTF8)
			}
			break
		}
		if i > 0 {
			copy(p, b[:i])
			d.n = copy(d.buf, b[i:])
			return i, nil
		}
		if err != nil {
			return 0, err
		}
		if n == 0 {
			return 0, nil
		}
	}
	if d.n > 0 { // read before it was decided
		n := d.n
		if d.kind.Load() == isANSI {
			n = appendANSI(p[:0], d.buf[:d.n])
		} else {
			copy(p, d.buf[:n])
		}
		d.n = 0
		return n, nil
	}
	if d.err != nil {
		return 0, d.err
	}
	if d.kind.Load() == isANSI {
		return (&ansiReader{d.r, d.buf}).Read(p)
	}
	return d.r.Read(p)
}

// textFault finds the first NUL byte or invalid UTF-8 in b, which begins at the byte from of its record.
func textFault(b []byte, from int, encoding string) *fault {
	nul := bytes.IndexByte(b, 0)
	if nul < 0 && utf8.Valid(b) {
		return nil
	}
	for i := 0; i < len(b) && i != nul; {
		r, size := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && size == 1 {
			if encoding == utf16leName || encoding == utf16beName {
				return faultAt(from+i, "half of a UTF-16 character")
			}
			return faultAt(from+i, "the byte 0x%02X is not valid UTF-8", b[i])
		}
		i += size
	}
	return faultAt(from+nul, "a NUL byte")
}
