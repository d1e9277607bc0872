package text_test

import (
	"bytes"
	"context"
	"errors"
	"math"
	"reflect"
	"runtime/debug"
	"testing"

	"github.com/linnet-ml/linnet/tensor"
	"github.com/linnet-ml/linnet/text"
)

// fails says what f did other than returning an error.
func fails(f func() error) (what string) {
	defer func() {
		if p := recover(); p != nil {
			what = "panics: " + reflect.ValueOf(p).String()
		}
	}()
	if f() == nil {
		return "is no error"
	}
	return ""
}

// Arguments that are nil, nil pointers or zero values are errors where nothing can be done with them, and never panics.
func TestNilArguments(t *testing.T) {
	bg := context.Background()
	var noContext context.Context
	vocabulary, err := text.NewVocabulary(bg, []string{"a"})
	if err != nil {
		t.Fatal(err)
	}
	hub, err := text.NewHubTokenizer(vocabulary, text.HubTokenizerOptions{})
	if err != nil {
		t.Fatal(err)
	}
	v, err := text.Vectorizer{}.WithVocabulary(bg, []string{"a"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	counts, err := text.Vectorizer{OutputMode: text.OutputCount}.WithVocabulary(bg, []string{"a"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	ids, err := tensor.Of([]int32{1, 2}, 1, 2)
	if err != nil {
		t.Fatal(err)
	}
	texts := []string{"a"}
	rows := []int32{0}
	errOf := func(_ any, err error) error { return err }
	for name, f := range map[string]func() error{
		"CheckIDs of nil":                  func() error { return text.CheckIDs(nil, 1) },
		"MultiHot of no columns":           func() error { return errOf(text.MultiHot([][]int32{{0}}, 0)) },
		"PadSequences of nothing":          func() error { return errOf(text.PadSequences(nil, text.PadOptions{})) },
		"CountSequences of no vocabulary":  func() error { return errOf(text.CountSequences([][]int32{{0}}, text.BagOptions{})) },
		"CountTexts, no context":           func() error { return errOf(text.CountTexts(noContext, texts, hub)) },
		"CountTexts, no tokenizer":         func() error { return errOf(text.CountTexts(bg, texts, nil)) },
		"CountTexts, nil HubTokenizer":     func() error { return errOf(text.CountTexts(bg, texts, (*text.HubTokenizer)(nil))) },
		"CountTexts, nil Vectorization":    func() error { return errOf(text.CountTexts(bg, texts, (*text.Vectorization)(nil))) },
		"CountTexts, zero HubTokenizer":    func() error { return errOf(text.CountTexts(bg, texts, &text.HubTokenizer{})) },
		"CountTexts, zero Vectorization":   func() error { return errOf(text.CountTexts(bg, texts, &text.Vectorization{})) },
		"MakeBags of nil":                  func() error { return errOf(text.MakeBags(nil, text.BagOptions{Vocabulary: 1})) },
		"MakeBags of a zero array":         func() error { return errOf(text.MakeBags(&tensor.Int32{}, text.BagOptions{Vocabulary: 1})) },
		"MakeBags of no vocabulary":        func() error { return errOf(text.MakeBags(ids, text.BagOptions{})) },
		"MakeBags of less than none":       func() error { return errOf(text.MakeBags(ids, text.BagOptions{Vocabulary: -1})) },
		"NewBags of nothing":               func() error { return errOf(text.NewBags(0, nil, nil, nil, nil)) },
		"Bags.Make, no context":            func() error { return new(text.Bags).Make(noContext, ids, text.BagOptions{Vocabulary: 9}) },
		"Bags.Make of nil":                 func() error { return new(text.Bags).Make(context.Background(), nil, text.BagOptions{}) },
		"Bags.MakeRows of nil":             func() error { return new(text.Bags).MakeRows(nil, rows, text.BagOptions{}) },
		"Bags.MakeRows of no row":          func() error { return new(text.Bags).MakeRows(ids, []int32{1}, text.BagOptions{Vocabulary: 9}) },
		"Bags.MakeRows of row -1":          func() error { return new(text.Bags).MakeRows(ids, []int32{-1}, text.BagOptions{Vocabulary: 9}) },
		"Bags.MakeTexts, no context":       func() error { return new(text.Bags).MakeTexts(noContext, texts, rows, hub) },
		"Bags.MakeTexts, no tokenizer":     func() error { return new(text.Bags).MakeTexts(bg, texts, rows, nil) },
		"Bags.MakeTexts, nil HubTokenizer": func() error { return new(text.Bags).MakeTexts(bg, texts, rows, (*text.HubTokenizer)(nil)) },
		"Bags.MakeTexts of no text":        func() error { return new(text.Bags).MakeTexts(bg, nil, rows, hub) },
		"zero Bags.Limit":                  func() error { return errOf(new(text.Bags).Limit(0, 0)) },
		"zero Bags.Take":                   func() error { return errOf(new(text.Bags).Take([]int{0})) },
		"nil Bags.Take":                    func() error { return errOf((*text.Bags)(nil).Take(nil)) },
		"ParseCombiner of nothing":         func() error { return errOf(text.ParseCombiner("")) },
		"NewHubTokenizer of nil":           func() error { return errOf(text.NewHubTokenizer(nil, text.HubTokenizerOptions{})) },
		"HubTokenizer.AppendIDs":           func() error { return errOf(hub.AppendIDs(noContext, nil, "a")) },
		"HubTokenizer.AppendTokens":        func() error { return errOf(hub.AppendTokens(noContext, nil, "a")) },
		"zero HubTokenizer.AppendIDs":      func() error { return errOf(new(text.HubTokenizer).AppendIDs(bg, nil, "a")) },
		"zero HubTokenizer.AppendTokens":   func() error { return errOf(new(text.HubTokenizer).AppendTokens(bg, nil, "a")) },
		"NewVocabulary, no context":        func() error { return errOf(text.NewVocabulary(noContext, texts)) },
		"ReadVocabulary, no context":       func() error { return errOf(text.ReadVocabulary(noContext, &bytes.Buffer{})) },
		"ReadVocabulary of nil":            func() error { return errOf(text.ReadVocabulary(bg, nil)) },
		"ReadVocabulary of a nil Buffer":   func() error { return errOf(text.ReadVocabulary(bg, (*bytes.Buffer)(nil))) },
		"ReadHubVocabulary of nil":         func() error { return errOf(text.ReadHubVocabulary(bg, nil)) },
		"ReadHubVocabulary, no context":    func() error { return errOf(text.ReadHubVocabulary(noContext, &bytes.Buffer{})) },
		"VocabularyBuilder, no context":    func() error { return errOf(new(text.VocabularyBuilder).Vocabulary(noContext)) },
		"Vectorizer.Adapt, no context":     func() error { return errOf(text.Vectorizer{}.Adapt(noContext, texts)) },
		"Vectorizer.Adapt to nothing":      func() error { return errOf(text.Vectorizer{}.Adapt(bg, nil)) },
		"WithVocabulary, no context":       func() error { return errOf(text.Vectorizer{}.WithVocabulary(noContext, texts, nil)) },
		"WithVocabulary of nothing":        func() error { return errOf(text.Vectorizer{}.WithVocabulary(bg, nil, nil)) },
		"Vectorization.AppendIDs":          func() error { return errOf(v.AppendIDs(noContext, nil, "a")) },
		"Vectorization.Sequences":          func() error { return errOf(v.Sequences(noContext, texts)) },
		"Vectorization.Padded":             func() error { return errOf(v.Padded(noContext, texts)) },
		"Vectorization.Sparse":             func() error { return errOf(counts.Sparse(noContext, texts)) },
		"zero Vectorization.AppendIDs":     func() error { return errOf(new(text.Vectorization).AppendIDs(bg, nil, "a")) },
		"zero Vectorization.Sequences":     func() error { return errOf(new(text.Vectorization).Sequences(bg, texts)) },
		"zero Vectorization.Padded":        func() error { return errOf(new(text.Vectorization).Padded(bg, texts)) },
		"zero Vectorization.Sparse":        func() error { return errOf(new(text.Vectorization).Sparse(bg, texts)) },
	} {
		if what := fails(f); what != "" {
			t.Errorf("%s: %s", name, what)
		}
	}

	// Nothing makes nothing.
	if d := text.NewDecoder(nil, 0); d.Decode(nil) != "" || d.Decode([]int32{1}) != "?" {
		t.Error("a decoder of no words")
	}
	for name, f := range map[string]func() (int, error){
		"NewVocabulary":     func() (int, error) { v, err := text.NewVocabulary(bg, nil); return v.Len(), err },
		"a nil Vocabulary":  func() (int, error) { return (*text.Vocabulary)(nil).Len(), nil },
		"VocabularyBuilder": func() (int, error) { v, err := new(text.VocabularyBuilder).Vocabulary(bg); return v.Len(), err },
		"CountTexts":        func() (int, error) { b, err := text.CountTexts(bg, nil, hub); return b.Len(), err },
		"CountSequences":    func() (int, error) { b, err := text.CountSequences(nil, text.BagOptions{}); return b.Len(), err },
		"MakeTexts":         func() (int, error) { var b text.Bags; err := b.MakeTexts(bg, nil, nil, hub); return b.Len(), err },
		"MultiHot":          func() (int, error) { x, err := text.MultiHot(nil, 0); return x.Len(), err },
		"Bags.MultiHot":     func() (int, error) { x, err := new(text.Bags).MultiHot(); return x.Len(), err },
		"Bags.WithoutZero":  func() (int, error) { x, err := new(text.Bags).WithoutZero(); return x.Len(), err },
		"PadSequences": func() (int, error) {
			x, err := text.PadSequences(nil, text.PadOptions{Length: 3})
			return x.Len(), err
		},
		"Sequences": func() (int, error) { x, err := v.Sequences(bg, nil); return len(x), err },
		"Padded":    func() (int, error) { x, err := v.Padded(bg, nil); return x.Len(), err },
		"Sparse":    func() (int, error) { x, err := counts.Sparse(bg, nil); return x.Len(), err },
		"AppendIDs": func() (int, error) { x, err := v.AppendIDs(bg, nil, ""); return len(x), err },
	} {
		if n, err := f(); n != 0 || err != nil {
			t.Errorf("%s of nothing: %d, %v", name, n, err)
		}
	}
}

// Sizes that fit an int and no memory are errors. Nothing is allocated for them.
func TestTooLarge(t *testing.T) {
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(1 << 28))
	bg := context.Background()
	short := [][]int32{{1}, {2}}
	for _, size := range []int{math.MaxInt32, math.MaxInt / 16, math.MaxInt / 4, math.MaxInt} {
		if what := fails(func() error {
			_, err := text.PadSequences(short, text.PadOptions{Length: size})
			if !errors.Is(err, tensor.ErrTooLarge) {
				t.Errorf("padding to %d: error %v", size, err)
			}
			return err
		}); what != "" {
			t.Errorf("padding to %d %s", size, what)
		}
		v, err := text.Vectorizer{OutputSequenceLength: size}.WithVocabulary(bg, []string{"a"}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := v.Padded(bg, []string{"a", "b"}); !errors.Is(err, tensor.ErrTooLarge) {
			t.Errorf("OutputSequenceLength %d: error %v", size, err)
		}
		if got, err := v.Sequences(bg, []string{"a"}); err != nil || len(got[0]) != 1 {
			t.Errorf("OutputSequenceLength %d: %v, %v", size, got, err)
		}
		if _, err := text.NewHubTokenizer(&text.Vocabulary{}, text.HubTokenizerOptions{OOVBuckets: size}); err == nil && int64(size) > math.MaxInt32 {
			t.Errorf("%d buckets", size)
		}
		if int64(size) <= 1<<31 { // so many columns cost nothing
			continue
		}
		if _, err := text.MultiHot(short, size); !errors.Is(err, tensor.ErrTooLarge) {
			t.Errorf("%d columns: error %v", size, err)
		}
		if _, err := text.CountSequences(short, text.BagOptions{Vocabulary: size}); !errors.Is(err, tensor.ErrTooLarge) {
			t.Errorf("%d ids: error %v", size, err)
		}
		if _, err := text.NewBags(size, []int{0}, nil, nil, nil); !errors.Is(err, tensor.ErrTooLarge) {
			t.Errorf("%d ids: error %v", size, err)
		}
		if err := (text.Vectorizer{MaxTokens: size, OutputMode: text.OutputCount, PadToMaxTokens: true}).Check(); err == nil {
			t.Errorf("%d tokens", size)
		}
	}
	x, err := text.MultiHot(short, math.MaxInt32)
	if err != nil || x.Shape()[1] != math.MaxInt32 {
		t.Error(x, err)
	}
}

// sized is a tokenizer of one id that says how many it has.
type sized int

func (s sized) Size() int { return int(s) }

func (s sized) AppendIDs(_ context.Context, dst []int32, _ string) ([]int32, error) {
	return append(dst, 0), nil
}

// A tokenizer with a number of ids that is out of range is refused by all that take one.
func TestSizeOfTokenizer(t *testing.T) {
	bg, texts := context.Background(), []string{"a"}
	for _, size := range []int{-1, math.MinInt} {
		_, count := text.CountTexts(bg, texts, sized(size))
		_, sequences := text.Sequences(bg, texts, sized(size), 0)
		for name, err := range map[string]error{"CountTexts": count, "Sequences": sequences, "MakeTexts": new(text.Bags).MakeTexts(bg, texts, []int32{0}, sized(size))} {
			if err == nil {
				t.Errorf("%s takes a tokenizer of size %d", name, size)
			}
		}
	}
	if _, err := text.CountTexts(bg, texts, sized(1)); err != nil {
		t.Error(err)
	}
}
