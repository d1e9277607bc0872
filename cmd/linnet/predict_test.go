package main

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/linnet-ml/linnet/datasets/texts"
)

// Rows are read ahead of their labels by bytes, not by number alone: texts of any length need memory for 16 MiB of them, or for a
// longer one.
func TestReadAhead(t *testing.T) {
	for _, v := range []struct{ bytes, ahead int }{{0, 256}, {20, 256}, {placeBytes, 128}, {1 << 20, 15}, {10 << 20, 1}, {64 << 20, 1}} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			text := strings.Repeat("x", v.bytes)
			read, received := 0, 0
			wrong := errors.New("the last row")
			const all = 1000
			a := newReadAhead()
			go a.read(ctx, func(yield func(texts.Row, error) bool) {
				for read < all {
					if read++; !yield(texts.Row{Text: text}, nil) {
						return
					}
				}
				yield(texts.Row{}, wrong)
			})
			for range 300 {
				synctest.Wait() // until the reader waits for room
				if ahead := read - received; ahead != v.ahead+1 {
					t.Fatalf("%d rows of %d bytes are read and not received, want %d and one that waits", ahead, v.bytes, v.ahead)
				}
				r, ok := <-a.rows
				if a.taken(r); !ok || r.err != nil || len(r.row.Text) != v.bytes {
					t.Fatalf("row %d: %v, %v", received, ok, r.err)
				}
				received++
			}
			for r := range a.rows {
				a.taken(r)
				if received++; received == all+1 && r.err != wrong {
					t.Errorf("the error is %v", r.err)
				}
			}
			if received != all+1 {
				t.Errorf("%d rows", received)
			}
			// A reader that nobody receives from ends with its context, or synctest complains.
			read = 0
			go newReadAhead().read(ctx, func(yield func(texts.Row, error) bool) {
				for yield(texts.Row{Text: text}, nil) {
				}
			})
			synctest.Wait()
			cancel()
		})
	}
}

// Data without texts has no labels, whatever format it has and whenever that is seen.
func TestPredictNothing(t *testing.T) {
	t.Chdir(t.TempDir())
	saved(t, "c.linnet", false)
	for _, dir := range []string{"none", "classes/a"} {
		if err := os.MkdirAll(dir, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	for name, content := range map[string]string{
		"empty.csv": "", "blank.csv": "\n \n", "header.csv": "text,label\n", "named.csv": "text,label\n\n", "no.json": "[]", "no.jsonl": "\n\n", "mark.csv": "\xEF\xBB\xBF", "h.csv": "review,sentiment\n",
	} {
		if err := os.WriteFile(name, []byte(content), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for _, v := range []struct{ args, stdin string }{
		{"empty.csv", ""}, {"blank.csv", ""}, {"header.csv", ""}, {"header.csv --header", ""}, {"header.csv --text text", ""}, {"h.csv", ""}, {"named.csv", ""},
		{"no.json", ""}, {"no.jsonl", ""}, {"mark.csv", ""}, {"none", ""}, {"classes", ""},
		{"", ""}, {"-", ""}, {"- --format csv", "text,label\n"}, {"- --format csv --header", "a,b\n"},
	} {
		for _, more := range []string{"", " --json", " -o labels", " --shard 1/2"} {
			var stdout, stderr strings.Builder
			code := run(t.Context(), strings.Fields("predict c.linnet "+v.args+more), strings.NewReader(v.stdin), &stdout, &stderr)
			if code != 0 || stdout.Len() > 0 || strings.Contains(stderr.String(), "linnet: ") {
				t.Errorf("%s%s: exit code %d, %q, %q", v.args, more, code, stdout.String(), stderr.String())
			}
			if strings.Contains(more, "-o") {
				if b, err := os.ReadFile("labels"); err != nil || len(b) > 0 {
					t.Errorf("%s: the file of the labels: %q, %v", v.args, b, err)
				}
				os.Remove("labels")
			}
		}
	}
}
