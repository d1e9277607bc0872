package main

import (
	"archive/tar"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/linnet-ml/linnet/datasets/imdb"
	"github.com/linnet-ml/linnet/internal/shared"
)

func TestWords(t *testing.T) {
	for text, want := range map[string][]string{
		"":                               {},
		" \t\n":                          {},
		"It's GREAT, isn't it?":          {"it's", "great", "isn't", "it"},
		"one<br /><br />two--three":      {"one", "br", "br", "two", "three"},
		"Ünïcode É stays; ASCII doesn't": {"Ünïcode", "É", "stays", "ascii", "doesn't"},
	} {
		if got := words(text); !slices.Equal(got, want) {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func TestEncode(t *testing.T) {
	rank := map[string]int{"the": 1, "film": 2, "rare": 900}
	ids, known := encode("The rare film nobody knows", rank, 100)
	if want := []int32{idStart, 4, idOOV, 5, idOOV, idOOV}; !slices.Equal(ids, want) || known != 2 {
		t.Errorf("got %v, %d known", ids, known)
	}
}

// Texts of the data set become the very rows that it has for them.
func TestEncodeAsTheDataSet(t *testing.T) {
	texts, err := os.Open(shared.Path(t, "data/imdb/aclImdb_labeled.tar.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer texts.Close()
	from := imdb.Options{Path: shared.Path(t, "data/imdb"), NumWords: 5000}
	train, test, err := imdb.Load(t.Context(), from)
	if err != nil {
		t.Fatal(err)
	}
	rank, err := imdb.WordIndex(t.Context(), from)
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]bool{}
	for _, row := range slices.Concat(train.Reviews, test.Reviews) {
		rows[fmt.Sprint(row)] = true
	}
	unzipped, err := gzip.NewReader(texts)
	if err != nil {
		t.Fatal(err)
	}
	compared := 0
	for archive := tar.NewReader(unzipped); compared < 200; {
		header, err := archive.Next()
		if err == io.EOF {
			t.Fatalf("only %d reviews in the archive", compared)
		} else if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(header.Name, "/train/pos/") || !strings.HasSuffix(header.Name, ".txt") {
			continue
		}
		text, err := io.ReadAll(archive)
		if err != nil {
			t.Fatal(err)
		}
		ids, _ := encode(string(text), rank, from.NumWords)
		if !rows[fmt.Sprint(ids)] {
			t.Errorf("the data set has no row for %s", header.Name)
		}
		compared++
	}
}
