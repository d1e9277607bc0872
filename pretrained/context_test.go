package pretrained

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"github.com/linnet-ml/linnet/tensor"
	"github.com/linnet-ml/linnet/text"
)

// bigVectors is a file of n words with 50 values each.
func bigVectors(t *testing.T, n int) string {
	t.Helper()
	var b bytes.Buffer
	values := strings.Repeat(" 0.125", 50)
	for i := range n {
		fmt.Fprintf(&b, "w%d%s\n", i, values)
	}
	path := filepath.Join(t.TempDir(), "big.txt")
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// Opening a file and reading its table end when the context does, and say so.
func TestContextEndsReading(t *testing.T) {
	path := bigVectors(t, 200_000) // 60 MB
	packed := filepath.Join(t.TempDir(), "big.txt.gz")
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var z bytes.Buffer
	w, err := gzip.NewWriterLevel(&z, gzip.BestSpeed)
	if err == nil {
		_, err = w.Write(whole)
	}
	if err = errors.Join(err, w.Close(), os.WriteFile(packed, z.Bytes(), 0o644)); err != nil {
		t.Fatal(err)
	}
	bg := context.Background()
	e, err := OpenVectors(bg, path, VectorOptions{Scale: 0.5, OOV: OOVMean})
	if err != nil {
		t.Fatal(err)
	}
	table := make([]float32, e.Rows()*e.Dim())
	hub := filepath.Join("testdata", "hub", "movie")
	module, err := OpenHub(bg, hub, HubOptions{})
	if err != nil {
		t.Fatal(err)
	}
	moduleTable := make([]float32, module.Rows()*module.Dim())
	for name, f := range map[string]func(ctx context.Context) error{
		"OpenVectors":         func(ctx context.Context) error { _, err := OpenVectors(ctx, path, VectorOptions{}); return err },
		"OpenVectors, packed": func(ctx context.Context) error { _, err := OpenVectors(ctx, packed, VectorOptions{}); return err },
		"OpenVectors, KeepFirst": func(ctx context.Context) error {
			_, err := OpenVectors(ctx, path, VectorOptions{KeepFirst: true})
			return err
		},
		"ReadTable":               func(ctx context.Context) error { return e.ReadTable(ctx, table) },
		"OpenHub":                 func(ctx context.Context) error { _, err := OpenHub(ctx, hub, HubOptions{}); return err },
		"ReadTable of the module": func(ctx context.Context) error { return module.ReadTable(ctx, moduleTable) },
	} {
		ctx, cancel := context.WithCancel(bg)
		cancel()
		if err := f(ctx); !errors.Is(err, context.Canceled) || !strings.HasPrefix(err.Error(), "pretrained: ") {
			t.Errorf("%s: error %v", name, err)
		}
		if err := f(nil); err == nil { //nolint:staticcheck // that is what is tested
			t.Errorf("%s without a context is no error", name)
		}
		// In the middle of it.
		ctx, cancel = context.WithCancel(bg)
		var ended time.Time
		timer := time.AfterFunc(20*time.Millisecond, func() { ended = time.Now(); cancel() })
		err := f(ctx)
		if timer.Stop() { // it was done before
			cancel()
			if err != nil {
				t.Errorf("%s: error %v", name, err)
			}
			continue
		}
		<-ctx.Done()
		late := time.Since(ended)
		if late > time.Second || err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("%s: error %v, %v after the end of its context", name, err, late)
		}
		t.Logf("%s: %v, error %v", name, late.Round(time.Millisecond), err)
	}
}

// A table that no memory can hold is an error when it is opened.
func TestTableTooLarge(t *testing.T) {
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(1 << 30))
	path := bigVectors(t, 3)
	_, err := OpenVectors(context.Background(), path, VectorOptions{OOVBuckets: 1<<31 - 4})
	if !errors.Is(err, tensor.ErrTooLarge) || !strings.Contains(err.Error(), path) {
		t.Errorf("error %v", err)
	}
}

// A tokenizer or vocabulary that is a nil pointer is missing.
func TestNewEmbeddingOfNil(t *testing.T) {
	v := vocabularyOfWords(t, "a")
	tokenizer, err := text.NewHubTokenizer(v, text.HubTokenizerOptions{})
	if err != nil {
		t.Fatal(err)
	}
	read := func(context.Context, []float32) error { return io.EOF }
	for name, table := range map[string]Table{
		"zero":           {},
		"nil tokenizer":  {Name: "a", Tokenizer: (*text.HubTokenizer)(nil), Vocabulary: v, Rows: 2, Dim: 1, Read: read},
		"zero tokenizer": {Name: "a", Tokenizer: &text.HubTokenizer{}, Vocabulary: v, Rows: 2, Dim: 1, Read: read},
		"no vocabulary":  {Name: "a", Tokenizer: tokenizer, Rows: 2, Dim: 1, Read: read},
		"no Read":        {Name: "a", Tokenizer: tokenizer, Vocabulary: v, Rows: 2, Dim: 1},
	} {
		if _, err := NewEmbedding(table); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
