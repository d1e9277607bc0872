package filekind

import (
	"strings"
	"testing"
)

func TestDescribed(t *testing.T) {
	for head, want := range map[string]string{
		"":                            "an empty file",
		"\x89PNG\r\n\x1a\n\x00":       "a PNG picture",
		"\xff\xfet\x00h\x00":          "a text in UTF-16",
		"\xba\x16\x4f\x2f\x0c":        "a model of fastText (.bin)",
		"text,label\r\na film,good\n": `a text, which begins with "text,label"`,
		"\xef\xbb\xbf\n  a, b\n":      `a text, which begins with "a, b"`,
		strings.Repeat("ä", 30):       `a text, which begins with "` + strings.Repeat("ä", 20) + `"`,
		"caf\xc3":                     `a text, which begins with "caf\xc3"`,
		"un caf\xe9 noir":             `a text, which begins with "un caf\xe9 noir"`,
		"\xe9\xe8\xe7\xe9\xe8\xe7":    "",
		"\x00\x01\x02\x03":            "",
		"a\x00b":                      "",
		" \n":                         "",
	} {
		if got := Described([]byte(head)); got != want {
			t.Errorf("%q is %s, want %s", head, got, want)
		}
		for n := range head { // no part of a head makes it fail
			Described([]byte(head[:n]))
		}
	}
}
