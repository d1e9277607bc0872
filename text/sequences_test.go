package text_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/linnet-ml/linnet/text"
)

// byteTokenizer makes an id of each byte; "!" is an error and "?" a panic.
type byteTokenizer struct{}

func (byteTokenizer) Size() int { return 256 }

func (byteTokenizer) AppendIDs(_ context.Context, dst []int32, s string) ([]int32, error) {
	for _, c := range []byte(s) {
		switch c {
		case '!':
			return dst, errors.New("a bad text")
		case '?':
			panic("broken tokenizer")
		}
		dst = append(dst, int32(c))
	}
	return dst, nil
}

// manyTexts are so many that all cores work on them.
func manyTexts() []string {
	texts := make([]string, 20_000)
	for i := range texts {
		texts[i] = strings.Repeat("b", i%7) + strings.Repeat("a", i%40)
	}
	return texts
}

func TestSequences(t *testing.T) {
	texts := manyTexts()
	for _, procs := range []int{1, 3} {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
		for _, most := range []int{0, 1, 5} {
			rows, err := text.Sequences(t.Context(), texts, byteTokenizer{}, most)
			if err != nil || len(rows) != len(texts) {
				t.Fatalf("%d rows, error %v", len(rows), err)
			}
			for i, s := range texts {
				if most > 0 {
					s = s[:min(most, len(s))]
				}
				if want, _ := (byteTokenizer{}).AppendIDs(t.Context(), nil, s); !slices.Equal(rows[i], want) {
					t.Fatalf("at most %d ids: row %d is %v, not %v", most, i, rows[i], want)
				}
			}
		}
	}
}

// An error names the first text that has one; a panic of the tokenizer is one of the caller's goroutine.
func TestSequencesOfBrokenTokenizers(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(3))
	texts := manyTexts()
	texts[17_000], texts[9_000] = "!", "!"
	if _, err := text.Sequences(t.Context(), texts, byteTokenizer{}, 0); err == nil || err.Error() != "text: text 9000: a bad text" {
		t.Errorf("error %v", err)
	}
	texts[9_000], texts[17_000] = "?", "?"
	for name, call := range map[string]func(){
		"Sequences":  func() { text.Sequences(t.Context(), texts, byteTokenizer{}, 0) },
		"CountTexts": func() { text.CountTexts(t.Context(), texts, byteTokenizer{}) },
	} {
		func() {
			defer func() {
				if v := recover(); v != "broken tokenizer" {
					t.Errorf("%s: %v", name, v)
				}
			}()
			call()
		}()
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if _, err := text.Sequences(ended, texts, byteTokenizer{}, 0); !errors.Is(err, context.Canceled) {
		t.Errorf("a context that is done: %v", err)
	}
	if _, err := text.Sequences(t.Context(), texts, byteTokenizer{}, -1); err == nil {
		t.Error("at most -1 ids are no error")
	}
	if _, err := text.Sequences(t.Context(), texts, nil, 0); err == nil {
		t.Error("no tokenizer is no error")
	}
}

func ExampleSequences() {
	words, err := text.Vectorizer{}.WithVocabulary(context.Background(), []string{"film", "great"}, nil)
	if err != nil {
		panic(err)
	}
	rows, err := text.Sequences(context.Background(), []string{"A great, great film!", "", "film"}, words, 3)
	if err != nil {
		panic(err)
	}
	fmt.Println(rows)
	// Output: [[1 3 3] [] [2]]
}
