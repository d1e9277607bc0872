package parquetguard

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/metrics"
	"slices"
	"strings"
	"testing"

	"github.com/linnet-ml/linnet/internal/ratio"
	"github.com/parquet-go/parquet-go"
)

// values reads all columns of a file, one after the other, up to so many values in all. A panic of the module is an error.
func values(b []byte, limit ratio.Limit, most int) (list []string, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic of the module: %v", r)
		}
	}()
	f, err := Open(bytes.NewReader(b), int64(len(b)), limit)
	if err != nil {
		return nil, err
	}
	for _, column := range leaves(f.Root()) {
		for group := range f.Metadata().RowGroups {
			pages, err := NewPages(f, column, group, limit)
			if err != nil {
				return list, err
			}
			list, err = appendValues(list, pages, most)
			if err = errors.Join(err, pages.Close()); err != nil || len(list) >= most {
				return list, err
			}
		}
	}
	return list, nil
}

func leaves(c *parquet.Column) (list []*parquet.Column) {
	if c.Leaf() {
		return []*parquet.Column{c}
	}
	for _, c := range c.Columns() {
		list = append(list, leaves(c)...)
	}
	return list
}

func appendValues(list []string, pages *Pages, most int) ([]string, error) {
	buffer := make([]parquet.Value, 10)
	for {
		page, err := pages.Next()
		if err == io.EOF {
			return list, nil
		} else if err != nil {
			return list, err
		}
		for r := page.Values(); ; {
			n, err := r.ReadValues(buffer)
			for _, v := range buffer[:n] {
				list = append(list, fmt.Sprintf("%.60v", v))
			}
			if len(list) >= most {
				return list, nil
			}
			if err == io.EOF || n == 0 {
				break
			} else if err != nil {
				return list, err
			}
		}
	}
}

// allocated is how many bytes the process has allocated so far.
func allocated() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

// arrowFiles are files that Arrow has written; testdata/make.py says of what.
func arrowFiles(t testing.TB) map[string][]byte {
	t.Helper()
	names, err := filepath.Glob("testdata/*.parquet")
	if err != nil || len(names) < 12 {
		t.Fatalf("%d files, %v", len(names), err)
	}
	files := map[string][]byte{}
	for _, name := range names {
		if files[filepath.Base(name)], err = os.ReadFile(name); err != nil {
			t.Fatal(err)
		}
	}
	return files
}

// Nothing of what Arrow writes is refused: each compression, both kinds of pages, all encodings of texts.
func TestArrowFiles(t *testing.T) {
	const rows = 40
	var want []string
	for i := range rows {
		want = append(want, fmt.Sprintf("text %d, %s", i, strings.Repeat("word ", i%5)))
	}
	for i := range rows {
		for k := range i % 4 {
			want = append(want, fmt.Sprint("topic", k))
		}
		if i%4 == 0 {
			want = append(want, "<null>")
		}
	}
	for i := range rows {
		want = append(want, fmt.Sprint(i%5 == 0))
	}
	for name, b := range arrowFiles(t) {
		if got, err := values(b, ratio.Limit{}, 1000); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %q, error %v", name, got, err)
		}
	}
}

// However a file is cut or one of its bytes changed, it costs little memory, and ends.
func TestBrokenFiles(t *testing.T) {
	for name, b := range arrowFiles(t) {
		for n := 0; n < len(b); n += 37 {
			if _, err := values(b[:n], ratio.Limit{}, 1000); err == nil {
				t.Errorf("%s: cut to %d of %d bytes it is no error", name, n, len(b))
			}
		}
		for i := 0; i < len(b); i += 5 {
			for _, flip := range []byte{1, 0x80, 0xff} {
				changed := bytes.Clone(b)
				changed[i] ^= flip
				before := allocated()
				_, err := values(changed, ratio.Limit{}, 1000)
				if n := allocated() - before; n > 100<<20 {
					t.Errorf("%s: with byte %d changed by %#x it takes %d bytes; error %v", name, i, flip, n, err)
				}
			}
		}
	}
}
