package shown

import (
	"encoding/json"
	"errors"
	"io/fs"
	"strconv"
	"strings"
	"testing"
	"unicode"
)

// hostile has what a terminal or a log should not get.
const hostile = "a\x1b[2Jb\x00c\u202ed\ne\rf\u009bg\u2028h\xffi\u200bj\ufeff"

func wantPrintable(t *testing.T, what, text string) {
	t.Helper()
	if strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) || strings.ContainsRune(text, unicode.ReplacementChar) {
		t.Errorf("%s: %q", what, text)
	}
}

func TestText(t *testing.T) {
	for text, want := range map[string]string{
		"":            "",
		"größer 10 €": "größer 10 €",
		`a\x1b`:       `a\x1b`, // escaped already
		hostile:       `a\x1b[2Jb\x00c\u202ed\ne\rf\u009bg\u2028h\xffi\u200bj\ufeff`,
	} {
		if got := Text(text); got != want || Text(got) != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
	if got := Lines("a\n\x1b"); got != "a\n\\x1b" {
		t.Errorf("%q", got)
	}
}

func TestNames(t *testing.T) {
	long := strings.Repeat("ä", 100)
	for text, want := range map[string]string{
		"reviews.csv": "reviews.csv",
		"my reviews":  "my reviews",
		"":            `""`,
		" a":          `" a"`,
		"a\n":         `"a\n"`,
		"a\xff":       `"a\xff"`,
		long:          strings.Repeat("ä", 40) + "…",
		"\x1b" + long: `"\x1b` + strings.Repeat("ä", 39) + `"…`,
	} {
		if got := Name(text); got != want {
			t.Errorf("%q: got %s, want %s", text, got, want)
		}
	}
	if got := Quote([]byte("\x1b" + long)); got != `"\x1b`+strings.Repeat("ä", 39)+`"…` {
		t.Error(got)
	}
	if got := Names(append([]string{"a", "\n"}, make([]string, 20)...)); !strings.HasPrefix(got, `a, "\n", "", `) || !strings.HasSuffix(got, `"" and 2 more`) {
		t.Error(got)
	}
	for n := range 10 { // within a character, and of no characters at all
		wantPrintable(t, "a short name", NameOf("aäää\xff\xff\xff\xff\xff\xff", n))
	}
}

func TestErrors(t *testing.T) {
	err := Errorf("reading %s: %w", hostile, &fs.PathError{Op: "open", Path: hostile, Err: fs.ErrNotExist})
	wantPrintable(t, "an error", err.Error())
	if path := (*fs.PathError)(nil); !errors.Is(err, fs.ErrNotExist) || !errors.As(err, &path) {
		t.Error("the cause is lost")
	}
	if err := Errorf("plain: %w", fs.ErrExist); err.Error() != "plain: file already exists" {
		t.Error(err)
	}
	joined := Error(errors.Join(errors.New("a\x1b"), errors.New("b\nc")))
	if joined.Error() != "a\\x1b\nb\\nc" {
		t.Errorf("%q", joined)
	}
	if Error(nil) != nil {
		t.Error("an error of nothing")
	}
}

// JSON means what it meant.
func TestJSON(t *testing.T) {
	for _, want := range []string{hostile[:len(hostile)-8], "\U000e0001\U0001f600 größer", ""} {
		want = strings.ToValidUTF8(want, "")
		text, err := json.Marshal([]string{want})
		if err != nil {
			t.Fatal(err)
		}
		text = JSON(text)
		wantPrintable(t, "JSON", string(text))
		var got []string
		if err := json.Unmarshal(text, &got); err != nil || got[0] != want {
			t.Errorf("%q: %q, %v", want, got, err)
		}
	}
}

// No byte that is not UTF-8 passes: alone, some terminals take 0x9b for the start of an escape sequence.
func TestNotUTF8(t *testing.T) {
	const bad = "a\x9b2J"
	for what, got := range map[string]string{
		"Text": Text(bad), "Lines": Lines(bad), "Quote": Quote(bad), "Name": Name(bad), "NameOf": NameOf(bad, 2), "Path": Path(bad), "Names": Names([]string{bad}),
		"Errorf": Errorf("%s", bad).Error(), "Instead": Instead(errors.New("x "+bad), "x", "y").Error(),
	} {
		if !strings.Contains(got, `a\x9b`) {
			t.Errorf("%s: %q", what, got)
		}
	}
	if got := string(JSON([]byte(`["` + bad + `"]`))); got != `["a\ufffd2J"]` {
		t.Errorf("JSON: %q", got)
	}
	if long := "/" + strings.Repeat("x/", 200) + "\x1b"; Path(long) != strconv.Quote(long) {
		t.Errorf("Path: %q", Path(long))
	}
}

// The name of a temporary file is not to be seen; the cause is.
func TestInstead(t *testing.T) {
	err := Instead(&fs.PathError{Op: "write", Path: "/x/a.part", Err: fs.ErrPermission}, "/x/a.part", "/x/a")
	if err.Error() != "write /x/a: permission denied" || !errors.Is(err, fs.ErrPermission) {
		t.Error(err)
	}
	if other := errors.New("other"); Instead(other, "part", "x") != other || Instead(nil, "part", "x") != nil {
		t.Error("another error has changed")
	}
}
