package imdb

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// config are arguments of load_data by their Python names; null means None.
type config map[string]*int

func (c config) options() Options {
	var o Options
	number := func(name string, to *int) {
		if c[name] != nil {
			*to = *c[name]
		}
	}
	number("num_words", &o.NumWords)
	number("skip_top", &o.SkipTop)
	number("maxlen", &o.MaxLen)
	o.Seed, o.StartChar, o.OOVChar, o.IndexFrom = c["seed"], c["start_char"], c["oov_char"], c["index_from"]
	start, given := c["start_char"]
	o.NoStartChar = given && start == nil
	oov, given := c["oov_char"]
	o.NoOOVChar = given && oov == nil
	return o
}

// TestLoad compares with what the steps of Keras's load_data make of the invented reviews in testdata (make.py there).
func TestLoad(t *testing.T) {
	data, err := os.ReadFile("testdata/expected.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Name        string
		Config      config
		Train, Test [][]int32
		TrainLabels []int32 `json:"train_labels"`
		TestLabels  []int32 `json:"test_labels"`
	}
	if err := json.Unmarshal(data, &cases); err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			o := c.Config.options()
			o.Path, o.AllowUnverified = "testdata", true
			train, test, err := Load(context.Background(), o)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(&Split{c.Train, c.TrainLabels}, train); d != "" {
				t.Errorf("train: %s", d)
			}
			if d := cmp.Diff(&Split{c.Test, c.TestLabels}, test); d != "" {
				t.Errorf("test: %s", d)
			}
		})
	}
}

// TestReviewsShareOneArray protects appending to one review from writing into the next.
func TestReviewsShareOneArray(t *testing.T) {
	train, _, err := Load(context.Background(), Options{Path: "testdata", AllowUnverified: true})
	if err != nil {
		t.Fatal(err)
	}
	second := train.Reviews[1][0]
	_ = append(train.Reviews[0], -1)
	if train.Reviews[1][0] != second {
		t.Error("appending to review 0 changed review 1")
	}
}

func TestLoadErrors(t *testing.T) {
	file := filepath.Join("testdata", "imdb.npz")
	for _, c := range []struct {
		o    Options
		want string
	}{
		{Options{NumWords: -1}, "imdb: NumWords is -1; it must not be negative"},
		{Options{SkipTop: -2}, "imdb: SkipTop is -2; it must not be negative"},
		{Options{MaxLen: -3}, "imdb: MaxLen is -3; it must not be negative"},
		{Options{Seed: new(-1)}, "imdb: Seed is -1; it must be from 0 to 4294967295"},
		{Options{StartChar: new(1), NoStartChar: true}, "imdb: StartChar is 1, but NoStartChar is set"},
		{Options{OOVChar: new(2), NoOOVChar: true}, "imdb: OOVChar is 2, but NoOOVChar is set"},
		{Options{IndexFrom: new(2000000000)}, "imdb: IndexFrom is 2000000000; it must be from -1073741824 to 1073741824"},
		{Options{MaxLen: 2}, "imdb: " + file + ": after filtering for sequences shorter than MaxLen=2, no sequence was kept; increase MaxLen"},
	} {
		c.o.Path, c.o.AllowUnverified = "testdata", true
		if _, _, err := Load(context.Background(), c.o); err == nil || err.Error() != c.want {
			t.Errorf("%+v: error %v\nwant  %s", c.o, err, c.want)
		}
	}
}

func TestLoadCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, _, err := Load(ctx, Options{Path: "testdata", AllowUnverified: true})
	if want := "imdb: reading " + filepath.Join("testdata", "imdb.npz") + ": context canceled"; err == nil || err.Error() != want {
		t.Errorf("error %v\nwant  %s", err, want)
	}
	if _, err = WordIndex(ctx, Options{Path: "testdata", AllowUnverified: true}); err == nil {
		t.Error("WordIndex ignores its context")
	}
}
