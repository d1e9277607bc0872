package strictjson_test

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/linnet-ml/linnet/internal/strictjson"
)

// Strings are read 8 bytes at a time. Whichever byte stands at whichever place among plain ones, the result is that of package json.
func TestStringBytes(t *testing.T) {
	read := func(text string, shared bool) (string, error) {
		s := strictjson.New(t.Context(), []byte(text), strictjson.Options{})
		value, err := s.String, error(nil)
		if shared {
			value = s.Text
		}
		v, err := value("it")
		if err == nil {
			err = s.End()
		}
		return strings.Clone(v), err
	}
	check := func(text string) {
		t.Helper()
		for _, shared := range []bool{false, true} {
			got, err := read(text, shared)
			var want string
			if e := json.Unmarshal([]byte(text), &want); e != nil || !utf8.ValidString(text) {
				if err == nil {
					t.Errorf("%q is taken for %q: %v", text, got, e)
				}
			} else if err != nil || got != want {
				t.Errorf("%q (shared %v) is %q, %v, want %q", text, shared, got, err, want)
			}
		}
	}
	for length := range 20 {
		for at := range length + 1 {
			for c := range 256 {
				check(`"` + strings.Repeat("~", at) + string([]byte{byte(c)}) + strings.Repeat("~", length-at) + `"`)
			}
			for _, part := range []string{`\n`, `\u00e9`, `\\`, `\"`, "é", "☃", "\xe2\x98", "𝄞", `\ud834\udd1e`, `"`, "\x7f\x80", "!\"", "#\x1f", "[\\", "]\\"} {
				check(`"` + strings.Repeat("x", at) + part + strings.Repeat("\x7f", length-at) + `"`)
			}
		}
	}
	// A string that comes after one with escapes or without ASCII is judged by itself.
	s := strictjson.New(t.Context(), []byte("[\"\\n\",\"a\",\"é\",\"\xff\"]"), strictjson.Options{})
	var all []string
	err := s.Array(func() error {
		v, err := s.Text("it")
		all = append(all, v)
		return err
	})
	if err == nil || strings.Join(all, "|") != "\n|a|é|" {
		t.Errorf("%q, %v", all, err)
	}
}

// Text copies nothing.
func TestTextShares(t *testing.T) {
	text := []byte(`["plain","with\u0020escape"]`)
	s := strictjson.New(t.Context(), text, strictjson.Options{})
	var all []string
	if err := s.Array(func() error {
		v, err := s.Text("it")
		all = append(all, v)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	text[2] = 'P'
	if all[0] != "Plain" || all[1] != "with escape" {
		t.Errorf("%q", all)
	}
}

func BenchmarkString(b *testing.B) {
	text := []byte(`"` + strings.Repeat("the film was lovely but its great plot is dull and ", 27) + `"`)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		s := strictjson.New(b.Context(), text, strictjson.Options{})
		if _, err := s.Text("it"); err != nil {
			b.Fatal(err)
		}
	}
}
