package textline

import "testing"

func TestIsUTF16(t *testing.T) {
	for head, want := range map[string]bool{"\xff\xfea\x00": true, "\xfe\xff\x00a": true, "": false, "\xff": false, Mark + "a": false, "a\xff\xfe": false} {
		if got := IsUTF16([]byte(head)); got != want {
			t.Errorf("%q: %t", head, got)
		}
	}
}

func TestTrim(t *testing.T) {
	for _, c := range []struct {
		n          int
		line, want string
	}{
		{1, "", ""},
		{1, "word", "word"},
		{1, Mark + "word\r", "word"},
		{1, Mark, ""},
		{1, Mark + Mark + "word", Mark + "word"},
		{1, "\xef\xbbword", "\xef\xbbword"},
		{2, Mark + "word\r", Mark + "word"},
		{2, "word\r\r", "word\r"},
		{2, "wo\rd ", "wo\rd "},
		{2, "\r", ""},
	} {
		if got := Trim(c.n, []byte(c.line)); string(got) != c.want {
			t.Errorf("line %d %q: %q, want %q", c.n, c.line, got, c.want)
		}
	}
}
