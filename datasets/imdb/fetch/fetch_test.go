package fetch

import (
	"errors"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/linnet-ml/linnet/datasets/imdb"
	"github.com/linnet-ml/linnet/internal/shared"
)

// emptyCaches points the cache folders to new ones and returns the folder that downloads go to.
func emptyCaches(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	data := filepath.Join(root, "data")
	t.Setenv("LINNET_DATA", data)
	for _, name := range []string{"HOME", "USERPROFILE", "home", "XDG_CACHE_HOME", "LocalAppData"} {
		t.Setenv(name, filepath.Join(root, "home"))
	}
	return data
}

// official is a transport that answers for the official hosts, from a folder.
type official struct {
	folder string
	asked  []string
}

func (o *official) RoundTrip(r *http.Request) (*http.Response, error) {
	o.asked = append(o.asked, r.URL.String())
	w := httptest.NewRecorder()
	http.ServeFile(w, r, filepath.Join(o.folder, filepath.Base(r.URL.Path)))
	return w.Result(), nil
}

// The official URLs; a folder above it stands in for them.
func TestOfficial(t *testing.T) {
	folder := emptyCaches(t)
	server := &official{folder: t.TempDir()}
	o := Options{Client: &http.Client{Transport: server}}
	if _, err := Texts(t.Context(), o); err == nil || err.Error() != "fetch: download: https://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz: the server answers 404 Not Found" {
		t.Errorf("error %v", err)
	}
	if _, err := Reviews(t.Context(), o); err == nil || err.Error() != "fetch: download: https://storage.googleapis.com/tensorflow/tf-keras-datasets/imdb.npz: the server answers 404 Not Found" {
		t.Errorf("error %v", err)
	}
	// A file of the right size and another content.
	if err := os.WriteFile(filepath.Join(server.folder, "imdb.npz"), make([]byte, 17464789), 0o666); err != nil {
		t.Fatal(err)
	}
	_, err := Reviews(t.Context(), o)
	if err == nil || !strings.Contains(err.Error(), "the file at the server is another one: its sha256 is ") ||
		!strings.Contains(err.Error(), "not 69664113be75683a8fe16e3ed0ab59fda8886cb3cd7ada244f7d9544e4676b9f") {
		t.Errorf("error %v", err)
	}
	if entries, err := os.ReadDir(folder); err != nil || len(entries) > 0 {
		t.Errorf("left in the folder: %v, %v", entries, err)
	}
}

// The real word index has the official size and sum.
func TestRealWordIndex(t *testing.T) {
	from := shared.Path(t, "data/imdb/imdb_word_index.json")
	folder := emptyCaches(t)
	server := &official{folder: filepath.Dir(from)}
	file, err := Options{Client: &http.Client{Transport: server}}.fetch(t.Context(), wordIndexFile())
	if err != nil || file != filepath.Join(folder, "imdb_word_index.json") {
		t.Fatal(file, err)
	}
	if want := []string{"https://storage.googleapis.com/tensorflow/tf-keras-datasets/imdb_word_index.json"}; !slices.Equal(server.asked, want) {
		t.Errorf("asked for %q", server.asked)
	}
	if index, err := imdb.WordIndex(t.Context(), imdb.Options{}); err != nil || len(index) != 88584 {
		t.Error(len(index), err)
	}
}

// A mirror with files of one's own; what is there is not asked for again, in whichever folder it is.
func TestMirror(t *testing.T) {
	mirror := httptest.NewServer(http.StripPrefix("/data", http.FileServer(http.Dir("../testdata"))))
	defer mirror.Close()
	folder := emptyCaches(t)
	var reported []string
	o := Options{Mirror: mirror.URL + "/data/", AllowUnverified: true, Progress: func(name string, done, total int64) {
		if done == total {
			reported = append(reported, name)
		}
	}}
	files, err := Reviews(t.Context(), o)
	want := imdb.Files{Reviews: filepath.Join(folder, "imdb.npz"), WordIndex: filepath.Join(folder, "imdb_word_index.json")}
	if err != nil || files != want {
		t.Fatal(files, err)
	}
	if train, _, err := imdb.Load(t.Context(), imdb.Options{AllowUnverified: true}); err != nil || len(train.Reviews) != 6 {
		t.Error(err)
	}
	if want := []string{"imdb.npz", "imdb_word_index.json"}; !slices.Equal(reported, want) {
		t.Errorf("reported %q", reported)
	}
	other := t.TempDir()
	o.Folder = other
	if files, err := Reviews(t.Context(), o); err != nil || files.Reviews != filepath.Join(other, "imdb.npz") {
		t.Error(files, err)
	}
	mirror.Close()
	o.Folder = ""
	if files, err := Reviews(t.Context(), o); err != nil || files != want {
		t.Error(files, err)
	}
	t.Setenv("LINNET_DATA", filepath.Join(folder, "none"))
	keras := filepath.Join(os.Getenv("HOME"), ".keras", "datasets")
	if err := os.MkdirAll(filepath.Join(keras, "aclImdb", "train", "pos"), 0o777); err != nil {
		t.Fatal(err)
	}
	if found, err := Texts(t.Context(), o); err != nil || found != filepath.Join(keras, "aclImdb") {
		t.Error(found, err)
	}
}

func TestNoFolder(t *testing.T) {
	emptyCaches(t)
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	t.Setenv("LINNET_DATA", filepath.Join(file, "sub"))
	if _, err := Texts(t.Context(), Options{}); err == nil || errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), file) {
		t.Errorf("error %v", err)
	}
}

// Programs that only read reviews carry no HTTP client.
func TestImdbHasNoNetwork(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "github.com/linnet-ml/linnet/datasets/imdb/builtin").Output()
	if err != nil {
		t.Skip(err)
	}
	if deps := strings.Fields(string(out)); len(deps) == 0 || slices.Contains(deps, "net/http") || slices.Contains(deps, "net") {
		t.Errorf("linked: %q", deps)
	}
}
