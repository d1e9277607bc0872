package fetch

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/linnet-ml/linnet/internal/ratio"
	"github.com/linnet-ml/linnet/internal/shared"
	"github.com/linnet-ml/linnet/pretrained"
)

const name = "nnlm-en-dim50"

// caches points all folders in which modules are looked for to new ones, and returns that of the module's parent.
func caches(t *testing.T) (parent string) {
	t.Helper()
	root := t.TempDir()
	for _, name := range []string{"HOME", "USERPROFILE", "home", "XDG_CACHE_HOME", "LocalAppData"} {
		t.Setenv(name, filepath.Join(root, "home"))
	}
	t.Setenv("LINNET_DATA", filepath.Join(root, "data"))
	t.Setenv("TFHUB_CACHE_DIR", filepath.Join(root, "hub"))
	t.Setenv("KAGGLEHUB_CACHE", filepath.Join(root, "kaggle"))
	return filepath.Join(root, "data", "tfhub", "google", name)
}

// smallModule returns the entries of a module that package pretrained reads.
func smallModule(t testing.TB) []entry {
	t.Helper()
	r, err := zip.OpenReader("../testdata/hub/modules.zip")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	all := []entry{{name: "./", kind: tar.TypeDir}}
	for _, f := range r.File {
		if name, ok := strings.CutPrefix(f.Name, "divided/"); ok {
			from, err := f.Open()
			if err != nil {
				t.Fatal(err)
			}
			b, err := io.ReadAll(from)
			if err := errors.Join(err, from.Close()); err != nil {
				t.Fatal(err)
			}
			all = append(all, entry{name: "./" + name, content: string(b)})
		}
	}
	return all
}

// contents is what a module with these entries unpacks to, without its folders.
func contents(entries []entry) map[string]string {
	all := map[string]string{}
	for _, e := range entries {
		if e.kind != tar.TypeDir {
			all[strings.TrimPrefix(e.name, "./")] = e.content
		}
	}
	return all
}

// server is TensorFlow Hub: it redirects to a signed address elsewhere, and misbehaves as told. Its transport answers
// for any host.
type server struct {
	mu     sync.Mutex
	data   []byte
	tag    string
	cut    []int // how many bytes each answer gives before the connection breaks
	status int
	asked  []string // host and path of each request, and its range
}

func (s *server) RoundTrip(r *http.Request) (*http.Response, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, strings.TrimSpace(r.URL.String()+" "+r.Header.Get("Range")))
	w := httptest.NewRecorder()
	switch {
	case s.status != 0:
		http.Error(w, "no", s.status)
	case r.URL.Host == "tfhub.dev" && r.URL.RawQuery == "tf-hub-format=compressed":
		http.Redirect(w, r, "https://storage.example.com/kaggle"+r.URL.Path+"?signature=1", http.StatusFound)
	default:
		w.Header().Set("ETag", s.tag)
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(s.data))
	}
	answer := w.Result()
	if len(s.cut) > 0 && answer.StatusCode < 300 {
		body, _ := io.ReadAll(answer.Body)
		answer.Body = io.NopCloser(io.MultiReader(bytes.NewReader(body[:s.cut[0]]), broken{}))
		s.cut = s.cut[1:]
	}
	return answer, nil
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func (s *server) options() Options { return Options{Client: &http.Client{Transport: s}} }

// wantNames holds that nothing else lies in the folder.
func wantNames(t *testing.T, folder string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	if !slices.Equal(got, want) {
		t.Errorf("the folder has %q, want %q", got, want)
	}
}

func wantModule(t *testing.T, folder string, entries []entry) {
	t.Helper()
	got := files(t, folder)
	maps.DeleteFunc(got, func(_, content string) bool { return content == "/" })
	if !maps.Equal(got, contents(entries)) {
		t.Errorf("%s has %q", folder, slices.Sorted(maps.Keys(got)))
	}
	e, err := pretrained.OpenModule(context.Background(), name, pretrained.HubOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.ReadTable(context.Background(), make([]float32, e.Rows()*e.Dim())); err != nil || e.Name() != name {
		t.Error(e.Name(), err)
	}
}

func wantError(t *testing.T, err error, want ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want %q", want)
	}
	for _, w := range want {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("error %v\nwant  %s", err, w)
		}
	}
}

// The official place, by way of its redirect; after that nothing is asked for, by the name or the URL.
func TestModule(t *testing.T) {
	parent := caches(t)
	entries := smallModule(t)
	s := &server{data: tarGz(t, entries...), tag: `"1"`}
	o := s.options()
	var done, total int64
	o.Progress = func(n string, d, all int64) {
		if n != name || d < done {
			t.Errorf("progress of %s: %d after %d", n, d, done)
		}
		done, total = d, all
	}
	folder, err := Module(t.Context(), name, o)
	if err != nil || folder != filepath.Join(parent, "2") {
		t.Fatal(folder, err)
	}
	wantModule(t, folder, entries)
	wantNames(t, parent, "2")
	if want := []string{"https://tfhub.dev/google/nnlm-en-dim50/2?tf-hub-format=compressed", "https://storage.example.com/kaggle/google/nnlm-en-dim50/2?signature=1"}; !slices.Equal(s.asked, want) {
		t.Errorf("asked for %q", s.asked)
	}
	if done != int64(len(s.data)) || total != done {
		t.Errorf("progress ends with %d of %d", done, total)
	}
	for _, n := range []string{name, "https://tfhub.dev/google/nnlm-en-dim50/2"} {
		if again, err := Module(t.Context(), n, o); err != nil || again != folder || len(s.asked) != 2 {
			t.Error(again, err, s.asked)
		}
	}
	// A folder of one's own has its own modules.
	o.Folder, o.Progress = t.TempDir(), nil
	for range 2 {
		if own, err := Module(t.Context(), name, o); err != nil || own != filepath.Join(o.Folder, "tfhub", "google", name, "2") || len(s.asked) != 4 {
			t.Error(own, err, s.asked)
		}
	}
}

// The recorded module comes through as it is.
func TestRecorded(t *testing.T) {
	from := shared.Path(t, "golden-formats/hub/nnlm")
	caches(t)
	var entries []entry
	for path, content := range files(t, from) {
		if content != "/" {
			entries = append(entries, entry{name: path, content: content})
		}
	}
	s := &server{data: tarGz(t, entries...)}
	folder, err := Module(t.Context(), name, s.options())
	if err != nil {
		t.Fatal(err)
	}
	wantModule(t, folder, entries)
}

// tensorflow_hub has the module: no request.
func TestHubCache(t *testing.T) {
	caches(t)
	dir := filepath.Join(os.Getenv("TFHUB_CACHE_DIR"), "74a841d6eb84e8d93d913d716fb5440d020cc291")
	writeModule(t, dir)
	s := &server{status: http.StatusNotFound}
	if folder, err := Module(t.Context(), name, s.options()); err != nil || folder != dir || len(s.asked) > 0 {
		t.Error(folder, err)
	}
}

// writeModule writes a module's files to a folder.
func writeModule(t *testing.T, dir string) {
	t.Helper()
	for path, content := range contents(smallModule(t)) {
		path = filepath.Join(dir, filepath.FromSlash(path))
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o777), os.WriteFile(path, []byte(content), 0o666)); err != nil {
			t.Fatal(err)
		}
	}
}

// A model that only Kaggle has is found where kagglehub puts it, and not asked for elsewhere.
func TestKaggle(t *testing.T) {
	caches(t)
	const handle = "me/words/tensorFlow2/small/3"
	s := &server{status: http.StatusNotFound}
	_, err := Module(t.Context(), handle, s.options())
	wantError(t, err, "fetch: the module https://www.kaggle.com/models/"+handle+" is in none of ", `; kagglehub.model_download("`+handle+`") in Python downloads it`)
	kept := os.Getenv("KAGGLEHUB_CACHE")
	t.Setenv("KAGGLEHUB_CACHE", kept+"\x1b[2J")
	_, err = Module(t.Context(), handle, s.options())
	wantError(t, err, kept+`\x1b[2J`)
	t.Setenv("KAGGLEHUB_CACHE", kept)
	dir := filepath.Join(kept, "models", "me", "words", "tensorFlow2", "small", "3")
	writeModule(t, dir)
	o := s.options()
	o.Folder = t.TempDir() // it is for what is downloaded
	if folder, err := Module(t.Context(), handle, o); err != nil || folder != dir || len(s.asked) > 0 {
		t.Error(folder, err, s.asked)
	}
}

// A part of a module in the module's place is named, and not taken for the module.
func TestPartThere(t *testing.T) {
	parent := caches(t)
	place := filepath.Join(parent, "2")
	writeModule(t, place)
	index := filepath.Join("variables", "variables.index")
	if err := os.Remove(filepath.Join(place, index)); err != nil {
		t.Fatal(err)
	}
	s := &server{data: tarGz(t, smallModule(t)...)}
	_, err := Module(t.Context(), name, s.options())
	wantError(t, err, "fetch: "+place+" has only a part of the module: it lacks "+index+"; remove the folder to download the module again")
	if len(s.asked) > 0 {
		t.Errorf("asked for %q", s.asked)
	}
}

// A server of one's own has archives in folders.
func TestMirror(t *testing.T) {
	parent := caches(t)
	entries := smallModule(t)
	root := t.TempDir()
	file := filepath.Join(root, "google", name, "2.tar.gz")
	if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o777), os.WriteFile(file, tarGz(t, entries...), 0o666)); err != nil {
		t.Fatal(err)
	}
	mirror := httptest.NewServer(http.StripPrefix("/hub", http.FileServer(http.Dir(root))))
	defer mirror.Close()
	for _, slash := range []string{"", "/"} {
		if err := os.RemoveAll(parent); err != nil {
			t.Fatal(err)
		}
		folder, err := Module(t.Context(), name, Options{Mirror: mirror.URL + "/hub" + slash})
		if err != nil {
			t.Fatal(err)
		}
		wantModule(t, folder, entries)
	}
	_, err := Module(t.Context(), "nnlm-en-dim128", Options{Mirror: mirror.URL})
	wantError(t, err, "fetch: download: "+mirror.URL+"/google/nnlm-en-dim128/2.tar.gz: the server answers 404 Not Found")
}

// What was cut off is gone on with, by way of the redirect, as the address that it leads to is valid for a while only.
func TestCut(t *testing.T) {
	parent := caches(t)
	entries := smallModule(t)
	s := &server{data: tarGz(t, entries...), tag: `"1"`, cut: []int{1000}}
	folder, err := Module(t.Context(), name, s.options())
	if err != nil {
		t.Fatal(err)
	}
	wantModule(t, folder, entries)
	wantNames(t, parent, "2")
	if len(s.asked) != 4 || !strings.HasPrefix(s.asked[2], "https://tfhub.dev/") || !strings.HasSuffix(s.asked[3], " bytes=1000-") {
		t.Errorf("asked for %q", s.asked)
	}
}

// Between two calls the archive at the server has changed.
func TestChanged(t *testing.T) {
	parent := caches(t)
	entries := smallModule(t)
	s := &server{data: tarGz(t, append(slices.Clone(entries), entry{name: "README", content: strings.Repeat("old", 100)})...), tag: `"1"`, cut: []int{2000}}
	ctx, cancel := context.WithCancel(t.Context())
	o := s.options()
	o.Progress = func(_ string, done, _ int64) {
		if done == 2000 {
			cancel()
		}
	}
	folder, err := Module(ctx, name, o)
	if !errors.Is(err, context.Canceled) || folder != "" {
		t.Fatal(folder, err)
	}
	wantNames(t, parent, "2.tar.gz.part", "2.tar.gz.part.json")
	if _, err := pretrained.FindModule(name); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v", err)
	}
	s.data, s.tag = tarGz(t, entries...), `"2"`
	if folder, err = Module(t.Context(), name, s.options()); err != nil {
		t.Fatal(err)
	}
	wantModule(t, folder, entries)
	wantNames(t, parent, "2")
}

// What is no module is never under the module's name, and is not kept.
func TestGarbage(t *testing.T) {
	good := smallModule(t)
	change := func(name string, with func(content []byte) []byte) []byte {
		entries := slices.Clone(good)
		for i, e := range entries {
			if e.name == name {
				entries[i].content = string(with([]byte(e.content)))
				return tarGz(t, entries...)
			}
		}
		t.Fatal("no", name)
		return nil
	}
	flip := func(at int) func([]byte) []byte {
		return func(b []byte) []byte {
			b[at] ^= 1
			return b
		}
	}
	const data = "./variables/variables.data-00000-of-00001"
	for what, c := range map[string]struct {
		data []byte
		want string
	}{
		"a page":     {[]byte("<!doctype html>"), `it is not compressed by gzip: it begins with "<!doctype html>"`},
		"traversal":  {tarGz(t, append(slices.Clone(good), entry{name: "../../x", content: "x"})...), `"../../x": the name leads out of the archive`},
		"link":       {tarGz(t, append(slices.Clone(good), entry{name: "x", kind: tar.TypeSymlink, link: "/"})...), "it is neither a file nor a folder"},
		"short":      {tarGz(t, good...)[:3000], "unexpected EOF"},
		"no model":   {tarGz(t, good[0]), "there is no file saved_model.pb"},
		"bad model":  {change("./saved_model.pb", func([]byte) []byte { return []byte("model") }), "savedmodel: saved_model.pb: "},
		"bad index":  {change("./variables/variables.index", flip(0)), "bundle: " + filepath.Join("variables", "variables.index") + ": "},
		"bad table":  {change(data, flip(3)), "CRC32C is "},
		"short data": {change(data, func(b []byte) []byte { return b[:len(b)-1] }), "bundle: "},
		"no index":   {tarGz(t, slices.DeleteFunc(slices.Clone(good), func(e entry) bool { return e.name == "./variables/variables.index" })...), filepath.Join("variables", "variables.index")},
		"no data":    {tarGz(t, slices.DeleteFunc(slices.Clone(good), func(e entry) bool { return e.name == data })...), "bundle: "},
	} {
		parent := caches(t)
		s := &server{data: c.data}
		_, err := Module(t.Context(), name, s.options())
		wantError(t, err, "fetch: https://tfhub.dev/google/nnlm-en-dim50/2?tf-hub-format=compressed: what came is no archive of a module: ", c.want, "; it was removed")
		wantNames(t, parent)
		if t.Failed() {
			t.Fatal(what)
		}
	}
}

// An archive that lies there already is taken, and left alone if it is a bad one.
func TestArchiveThere(t *testing.T) {
	parent := caches(t)
	entries := smallModule(t)
	archive := filepath.Join(parent, "2.tar.gz")
	if err := errors.Join(os.MkdirAll(parent, 0o777), os.WriteFile(archive, []byte("hello"), 0o666)); err != nil {
		t.Fatal(err)
	}
	s := &server{status: http.StatusForbidden}
	_, err := Module(t.Context(), name, s.options())
	wantError(t, err, "fetch: "+archive+", which lay there already, is no archive of a module: it is not compressed by gzip", "; remove it to download it again")
	wantNames(t, parent, "2.tar.gz")
	if err := os.WriteFile(archive, tarGz(t, entries...), 0o666); err != nil {
		t.Fatal(err)
	}
	// As do an empty folder in the module's place, and what a process left that died.
	if err := errors.Join(os.Mkdir(filepath.Join(parent, "2"), 0o777), os.MkdirAll(filepath.Join(parent, "2.123.tmp", "module"), 0o777)); err != nil {
		t.Fatal(err)
	}
	folder, err := Module(t.Context(), name, s.options())
	if err != nil || len(s.asked) > 0 {
		t.Fatal(err, s.asked)
	}
	wantModule(t, folder, entries)
	wantNames(t, parent, "2")
}

// Something else in the module's place is the user's, and is found before the download.
func TestPlaceTaken(t *testing.T) {
	parent := caches(t)
	place := filepath.Join(parent, "2")
	s := &server{data: tarGz(t, smallModule(t)...)}
	if err := os.MkdirAll(filepath.Join(place, "mine"), 0o777); err != nil {
		t.Fatal(err)
	}
	_, err := Module(t.Context(), name, s.options())
	wantError(t, err, "fetch: "+place+" is the module's place, but no module lies there; remove it")
	wantNames(t, place, "mine")
	if len(s.asked) > 0 {
		t.Errorf("asked for %q", s.asked)
	}
}

// Many calls at once download once.
func TestAtOnce(t *testing.T) {
	parent := caches(t)
	entries := smallModule(t)
	s := &server{data: tarGz(t, entries...)}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if folder, err := Module(t.Context(), name, s.options()); err != nil || folder != filepath.Join(parent, "2") {
				t.Error(folder, err)
			}
		})
	}
	wg.Wait()
	wantModule(t, filepath.Join(parent, "2"), entries)
	wantNames(t, parent, "2")
	if len(s.asked) != 2 {
		t.Errorf("asked for %q", s.asked)
	}
}

// Where no process can keep others out they do no harm: the first that is done wins, the others keep its module.
func TestInstallTwice(t *testing.T) {
	parent := caches(t)
	entries := smallModule(t)
	archive := filepath.Join(t.TempDir(), "a.tar.gz")
	if err := errors.Join(os.MkdirAll(parent, 0o777), os.WriteFile(archive, tarGz(t, entries...), 0o666)); err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(parent, "2")
	if err := install(t.Context(), archive, folder, false, ratio.Limit{}); err != nil {
		t.Fatal(err)
	}
	if err := install(t.Context(), archive, folder, false, ratio.Limit{}); err == nil {
		t.Error("a module was replaced")
	}
	wantModule(t, folder, entries)
	wantNames(t, parent, "2")
}

// The end of ctx while the archive is unpacked leaves the archive for the next call.
func TestCancelUnpacking(t *testing.T) {
	parent := caches(t)
	entries := smallModule(t)
	s := &server{data: tarGz(t, entries...)}
	ctx, cancel := context.WithCancel(t.Context())
	o := s.options()
	o.Progress = func(_ string, done, total int64) {
		if done == total {
			cancel()
		}
	}
	_, err := Module(ctx, name, o)
	if !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	wantNames(t, parent, "2.tar.gz")
	if _, err := Module(t.Context(), name, s.options()); err != nil || len(s.asked) != 2 {
		t.Error(err, s.asked)
	}
	wantNames(t, parent, "2")
}

func TestNotKnown(t *testing.T) {
	caches(t)
	s := &server{}
	for in, want := range map[string]string{
		"nnlm":                                  `fetch: no module is known by the name "nnlm": known are nnlm-en-dim50, `,
		"https://example.com/google/a/1":        "fetch: \"https://example.com/google/a/1\" is not the URL of a module",
		"https://tfhub.dev/google/../../../x/1": "is not the URL of a module",
	} {
		_, err := Module(t.Context(), in, s.options())
		wantError(t, err, want)
	}
	s.status = http.StatusNotFound
	_, err := Module(t.Context(), "https://tfhub.dev/google/none/1", s.options())
	wantError(t, err, "fetch: download: https://tfhub.dev/google/none/1?tf-hub-format=compressed: the server answers 404 Not Found")
	if len(s.asked) != 1 {
		t.Errorf("asked for %q", s.asked)
	}
}

// Programs that only read modules carry no HTTP client.
func TestPretrainedHasNoNetwork(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "github.com/linnet-ml/linnet/pretrained").Output()
	if err != nil {
		t.Skip(err)
	}
	if deps := strings.Fields(string(out)); len(deps) == 0 || slices.Contains(deps, "net/http") || slices.Contains(deps, "net") {
		t.Errorf("linked: %q", deps)
	}
}
