package main

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/linnet-ml/linnet/datasets/imdb/fetch"
	"github.com/linnet-ml/linnet/examples/internal/example"
	"github.com/linnet-ml/linnet/examples/internal/exampletest"
	"github.com/linnet-ml/linnet/internal/shared"
)

// downloading runs the program with -data download and a server in place of the official ones.
func downloading(t *testing.T, o fetch.Options, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	parsed, err := parseOptions(append(args, "-data", "download"), &out)
	if err == nil {
		parsed.fetch = o
		err = newTutorial(parsed, &out, &errs).run(t.Context())
	}
	return example.Exit("imdb", err, &errs), out.String(), errs.String()
}

// What cannot be downloaded ends the program; it does not take other reviews.
func TestDownloadFails(t *testing.T) {
	cache := t.TempDir()
	t.Setenv("LINNET_DATA", cache)
	mirror := httptest.NewServer(http.FileServer(http.Dir("../../datasets/imdb/testdata")))
	defer mirror.Close()
	code, _, stderr := downloading(t, fetch.Options{Mirror: mirror.URL + "/none"}, "-quiet")
	if want := "imdb: -data download: fetch: download: " + mirror.URL + "/none/imdb.npz: the server answers 404 Not Found; -data builtin needs no network\n"; code != 1 || stderr != want {
		t.Errorf("exit code %d, %swant %s", code, stderr, want)
	}
	// Not the official reviews: package imdb finds out, even if the sums do not count.
	code, _, stderr = downloading(t, fetch.Options{Mirror: mirror.URL, AllowUnverified: true}, "-quiet")
	if want := "imdb: " + filepath.Join(cache, "imdb.npz") + " does not hold the official reviews"; code != 1 || !strings.HasPrefix(stderr, want) {
		t.Errorf("exit code %d, %swant %s", code, stderr, want)
	}
}

// The real reviews come from a server once; the second run needs none.
func TestDownload(t *testing.T) {
	if testing.Short() || exampletest.Race {
		t.Skip("it takes long")
	}
	mirror := httptest.NewServer(http.FileServer(http.Dir(shared.Path(t, "data/imdb"))))
	defer mirror.Close()
	cache := filepath.Join(t.TempDir(), "linnet")
	t.Setenv("LINNET_DATA", cache)
	o := fetch.Options{Mirror: mirror.URL, AllowUnverified: true}
	code, stdout, stderr := downloading(t, o, "-epochs", "1", "-words", "1000")
	want := "imdb.npz: downloading 17.5 MB\nimdb.npz: 17.5 MB received\nimdb_word_index.json: downloading 1.6 MB\nimdb_word_index.json: 1.6 MB received\n"
	if code != 0 || !strings.HasPrefix(stderr, want) || !strings.Contains(stdout, "From: "+filepath.Join(cache, "imdb.npz")) {
		t.Errorf("exit code %d\n%s%s", code, stdout, stderr)
	}
	if entries, err := os.ReadDir(cache); err != nil || len(entries) != 2 {
		t.Errorf("in the cache: %v, %v", entries, err)
	}
	mirror.Close()
	if code, _, stderr := downloading(t, o, "-epochs", "1", "-words", "1000", "-quiet"); code != 0 || stderr != "" {
		t.Errorf("exit code %d\n%s", code, stderr)
	}
}
