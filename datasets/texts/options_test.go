package texts

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// An error says which of the Options it is about, whether that is impossible or does not fit the data. A fault of the data is none of them.
func TestOptionError(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.csv")
	if err := os.WriteFile(path, []byte("text,label\na,b\nc,d\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, v := range []struct {
		o          Options
		want       string
		impossible bool
	}{
		{Options{Format: "foo"}, "Format", true},
		{Options{Delimiter: '"'}, "Delimiter", true},
		{Options{Header: 3}, "Header", true},
		{Options{Encoding: "foo"}, "Encoding", true},
		{Options{MaxRatio: -1}, "MaxRatio", true},
		{Options{MaxText: -1}, "MaxText", true},
		{Options{Formats: []Format{{}}}, "Formats", true},
		{Options{Format: Folders}, "Format", false},
		{Options{Text: "foo"}, "Text", false},
		{Options{Label: "foo"}, "Label", false},
		{Options{Text: "1", Label: "text"}, "Label", false},
	} {
		var option *OptionError
		if err := v.o.Check(); errors.As(err, &option) != v.impossible || v.impossible && option.Option != v.want {
			t.Errorf("Check of %+v: %v", v.o, err)
		}
		if _, err := Open(t.Context(), path, v.o); !errors.As(err, &option) || option.Option != v.want {
			t.Errorf("%+v: %v, want one about %s", v.o, err, v.want)
		}
	}
	if err := os.WriteFile(path, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), path, Options{}); !errors.Is(err, ErrEmpty) || errors.As(err, new(*OptionError)) {
		t.Errorf("an empty file: %v", err)
	}
}
