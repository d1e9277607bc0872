package serve

import (
	"context"
	"math"
	"net/http"
	"strconv"
	"unicode/utf8"

	"github.com/linnet-ml/linnet/internal/strictjson"
)

// Values of headers that every answer shares. Nobody changes them.
var (
	jsonType = []string{"application/json"}
	octets   = []string{"application/octet-stream"}
	noStore  = []string{"no-store"}
	noSniff  = []string{"nosniff"}
)

// setJSON sets the headers of JSON. No cache stores answers to POST; it must not store others.
func setJSON(h http.Header, method string) {
	h["Content-Type"] = jsonType
	if method != http.MethodPost {
		h["Cache-Control"] = noStore
	}
	h["X-Content-Type-Options"] = noSniff
}

const hexDigits = "0123456789abcdef"

// appendString appends a JSON string. Bytes that are not UTF-8 become U+FFFD.
func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	from := 0
	for i := 0; i < len(s); {
		c := s[i]
		if ' ' <= c && c < utf8.RuneSelf && c != '"' && c != '\\' {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && n == 1 {
				b = append(append(b, s[from:i]...), "\ufffd"...)
				from = i + 1
			}
			i += n
			continue
		}
		b = append(b, s[from:i]...)
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\n':
			b = append(b, '\\', 'n')
		case '\r':
			b = append(b, '\\', 'r')
		case '\t':
			b = append(b, '\\', 't')
		default:
			b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
		i++
		from = i
	}
	return append(append(b, s[from:]...), '"')
}

// appendFloat appends the shortest number that is v. JSON has none for what is not finite: null.
func appendFloat(b []byte, v float32) []byte {
	if f := float64(v); !math.IsNaN(f) && !math.IsInf(f, 0) {
		return strconv.AppendFloat(b, f, 'g', -1, 32)
	}
	return append(b, "null"...)
}

// scan returns a Scanner of a body. Objects have few members.
func scan(body []byte) *strictjson.Scanner {
	return strictjson.New(context.Background(), body, strictjson.Options{What: "body", MaxMembers: 64})
}

// boolean reads true or false.
func boolean(s *strictjson.Scanner, name string) (bool, error) {
	value, err := s.Value()
	switch {
	case err != nil:
		return false, err
	case string(value) == "true":
		return true, nil
	case string(value) == "false":
		return false, nil
	}
	return false, s.Errorf("%s is neither true nor false", name)
}

// integer reads a whole number from 0 to most.
func integer(s *strictjson.Scanner, name string, most int) (int, error) {
	word, err := s.Number(name)
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseUint(string(word[:min(len(word), 32)]), 10, 64)
	if err != nil || n > uint64(most) || len(word) > 32 {
		return 0, s.Errorf("%s is %.32s, want a whole number from 0 to %d", name, word, most)
	}
	return int(n), nil
}

// malformed is the problem of a body that err is about.
func malformed(err error, hint string) *problem {
	if p, ok := err.(*problem); ok {
		return p
	}
	return badRequest("malformed", hint, "%v", err)
}
