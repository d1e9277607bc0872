package tfhub

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// caches points all cache folders into a new one.
func caches(t *testing.T) (root string) {
	t.Helper()
	root = t.TempDir()
	for _, name := range []string{"HOME", "USERPROFILE", "home", "XDG_CACHE_HOME", "LocalAppData"} {
		t.Setenv(name, filepath.Join(root, "home"))
	}
	t.Setenv("LINNET_DATA", filepath.Join(root, "data"))
	t.Setenv("TFHUB_CACHE_DIR", filepath.Join(root, "hub"))
	t.Setenv("KAGGLEHUB_CACHE", filepath.Join(root, "kaggle"))
	return root
}

func TestParse(t *testing.T) {
	for _, c := range []struct{ in, url, name string }{
		{"nnlm-en-dim50", "https://tfhub.dev/google/nnlm-en-dim50/2", "nnlm-en-dim50"},
		{"nnlm-en-dim50-with-normalization", "https://tfhub.dev/google/nnlm-en-dim50-with-normalization/2", "nnlm-en-dim50-with-normalization"},
		{"nnlm-en-dim128", "https://tfhub.dev/google/nnlm-en-dim128/2", "nnlm-en-dim128"},
		{"nnlm-en-dim128-with-normalization", "https://tfhub.dev/google/nnlm-en-dim128-with-normalization/2", "nnlm-en-dim128-with-normalization"},
		{"https://tfhub.dev/google/nnlm-en-dim50/2", "https://tfhub.dev/google/nnlm-en-dim50/2", "nnlm-en-dim50"},
		{"https://tfhub.dev/google/nnlm-en-dim50/1", "https://tfhub.dev/google/nnlm-en-dim50/1", "nnlm-en-dim50"},
		{"https://tfhub.dev/google/tf2-preview/gnews-swivel-20dim/1", "https://tfhub.dev/google/tf2-preview/gnews-swivel-20dim/1", "gnews-swivel-20dim"},
		{"https://tfhub.dev/A-b/c_1.5/10", "https://tfhub.dev/A-b/c_1.5/10", "c_1.5"},
		{"google/nnlm-en-dim50/2", "https://tfhub.dev/google/nnlm-en-dim50/2", "nnlm-en-dim50"},
		{"google/tf2-preview/gnews-swivel-20dim/1", "https://tfhub.dev/google/tf2-preview/gnews-swivel-20dim/1", "gnews-swivel-20dim"},
		{"google/nnlm/tensorFlow2/en-dim50/1", "https://tfhub.dev/google/nnlm-en-dim50/2", "nnlm-en-dim50"},
		{"google/nnlm/TensorFlow2/en-dim128-with-normalization/1", "https://tfhub.dev/google/nnlm-en-dim128-with-normalization/2", "nnlm-en-dim128-with-normalization"},
		{"https://www.kaggle.com/models/google/nnlm/tensorFlow2/en-dim50/1?tfhub-redirect=true", "https://tfhub.dev/google/nnlm-en-dim50/2", "nnlm-en-dim50"},
		{"https://kaggle.com/models/google/nnlm/frameworks/TensorFlow2/variations/en-dim50/versions/1", "https://tfhub.dev/google/nnlm-en-dim50/2", "nnlm-en-dim50"},
		{"google/nnlm/tensorFlow1/en-dim50/1", "https://www.kaggle.com/models/google/nnlm/tensorFlow1/en-dim50/1", "en-dim50"},
		{"me/words/TensorFlow2/small/3", "https://www.kaggle.com/models/me/words/tensorFlow2/small/3", "small"},
		{"me/words/tensorflow2/7", "https://tfhub.dev/me/words/tensorflow2/7", "tensorflow2"}, // a name with a slash, not one of Kaggle's
	} {
		m, err := Parse(c.in)
		if err != nil || m.URL() != c.url || m.Name() != c.name {
			t.Errorf("%s: %s, %s, %v", c.in, m.URL(), m.Name(), err)
		}
	}
	for in, want := range map[string]string{
		"": `no module is known by the name ""`,
		"nnlm": `no module is known by the name "nnlm": known are nnlm-en-dim50, nnlm-en-dim50-with-normalization, ` +
			`nnlm-en-dim128, nnlm-en-dim128-with-normalization; any other goes by its URL, https://tfhub.dev/PUBLISHER/NAME/VERSION`,
		"google/nnlm-en-dim50":                                 "no module is known by the name",
		"../../nnlm/2":                                         "no module is known by the name",
		"/google/nnlm/2":                                       "no module is known by the name",
		"google/nnlm/tensorFlow2/en-dim50":                     `the version "en-dim50" is not a number`,
		"google/../tensorFlow2/en-dim50/1":                     `the part ".." is not`,
		"https://www.kaggle.com/models/a/b/tensorFlow2/7":      "it has too few parts",
		"https://www.kaggle.com/models/a/b/tensorFlow2/c":      `the version "c" is not a number`,
		"https://www.kaggle.com/models/a/b":                    "is not the URL of a model, https://www.kaggle.com/models/OWNER/MODEL/FRAMEWORK/VARIATION/VERSION",
		"https://www.kaggle.com/datasets/a":                    "is not the URL of a module",
		"http://tfhub.dev/google/nnlm-en-dim50/2":              "it does not begin with https://tfhub.dev/",
		"https://example.com/google/nnlm-en-dim50/2":           "it does not begin with https://tfhub.dev/",
		"https://tfhub.dev.example.com/google/nnlm-en-dim50/2": "it does not begin with https://tfhub.dev/",
		"https://tfhub.dev/":                                   "it has too few parts",
		"https://tfhub.dev/google/2":                           "it has too few parts",
		"https://tfhub.dev/google/nnlm-en-dim50":               "it has too few parts",
		"https://tfhub.dev/google/tf2-preview/nnlm":            `the version "nnlm" is not a number`,
		"https://tfhub.dev/google/nnlm/":                       `the version "" is not a number`,
		"https://tfhub.dev/google/nnlm/-1":                     `the version "-1" is not a number`,
		"https://tfhub.dev/google/nnlm/02":                     `the version "02" is not a number from 1`,
		"https://tfhub.dev/google/nnlm/0":                      `the version "0" is not a number from 1`,
		"https://tfhub.dev/google/nnlm/1234567890":             "is not a number from 1 to 999999999",
		"https://tfhub.dev/google/nnlm/1/2":                    `"1" stands before the version`,
		"https://tfhub.dev/google/nnlm/2?tf-hub-format=x":      "is not a number",
		"https://tfhub.dev//nnlm/2":                            `the part "" is not`,
		"https://tfhub.dev/google//2":                          `the part "" is not`,
		"https://tfhub.dev/../nnlm/2":                          `the part ".." is not`,
		"https://tfhub.dev/google/../../nnlm/2":                `the part ".." is not`,
		"https://tfhub.dev/google/./2":                         `the part "." is not`,
		"https://tfhub.dev/google/.ssh/2":                      `the part ".ssh" is not`,
		"https://tfhub.dev/google/a./2":                        `the part "a." is not`,
		`https://tfhub.dev/google/..\a/2`:                      "is not made of letters",
		"https://tfhub.dev/google/%2e%2e/2":                    "is not made of letters",
		"https://tfhub.dev/google/a b/2":                       "is not made of letters",
		"https://tfhub.dev/google/é/2":                         "is not made of letters",
		"https://tfhub.dev/google/a:b/2":                       "is not made of letters",
		"https://tfhub.dev/google/a\x00/2":                     "is not made of letters",
		"https://tfhub.dev/google/" + strings.Repeat("a", 200): "it has more than 200 bytes",
	} {
		if m, err := Parse(in); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %+v, error %v\nwant %s", in, m, err, want)
		}
	}
}

// The folder's name is the one that tensorflow_hub makes of this URL: it stands in many programs that were written
// around its cache.
func TestHubFolder(t *testing.T) {
	caches(t)
	m, err := Parse("https://tfhub.dev/google/universal-sentence-encoder/4")
	if err != nil {
		t.Fatal(err)
	}
	folders := m.Folders()
	if want := filepath.Join(os.Getenv("TFHUB_CACHE_DIR"), "063d866c06683311b44b4992fd46003be952409c"); folders[len(folders)-1] != want { // Kaggle's name is not known
		t.Errorf("%q, want %s", folders, want)
	}
	t.Setenv("TFHUB_CACHE_DIR", "")
	for _, name := range []string{"TMP", "TEMP", "TMPDIR"} {
		t.Setenv(name, "")
	}
	if got, want := hubCache(), filepath.Join(os.TempDir(), "tfhub_modules"); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	for _, name := range []string{"TMP", "TEMP", "TMPDIR"} { // each counts more than the one before
		dir := t.TempDir()
		t.Setenv(name, dir)
		if got, want := hubCache(), filepath.Join(dir, "tfhub_modules"); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

// Each folder is looked into, the first with a model wins, and a folder without one counts for nothing.
func TestFind(t *testing.T) {
	caches(t)
	m, err := Parse("nnlm-en-dim50")
	if err != nil {
		t.Fatal(err)
	}
	folders := m.Folders()
	if want := filepath.Join(os.Getenv("LINNET_DATA"), "tfhub", "google", "nnlm-en-dim50", "2"); len(folders) != 5 || folders[0] != want {
		t.Fatalf("%q", folders)
	}
	if want := filepath.Join(os.Getenv("KAGGLEHUB_CACHE"), "models", "google", "nnlm", "tensorFlow2", "en-dim50", "1"); folders[3] != want {
		t.Errorf("kagglehub's folder is %s, want %s", folders[3], want)
	}
	if _, err := m.Find(); !errors.Is(err, fs.ErrNotExist) || !errors.Is(err, ErrNotFound) ||
		!strings.Contains(err.Error(), "the module https://tfhub.dev/google/nnlm-en-dim50/2 is in none of "+strings.Join(folders, ", ")) {
		t.Errorf("error %v", err)
	}
	for _, dir := range folders {
		if err := os.MkdirAll(dir, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := m.Find(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v", err)
	}
	for _, dir := range slices.Backward(folders) {
		for _, name := range moduleFiles {
			// What lacks a file is not the module, and the error says what it lacks.
			got, err := m.Find()
			if got == dir {
				t.Errorf("%s is taken for a module without %s", dir, name)
			}
			if name != model && err != nil && (!errors.Is(err, errPart) || !errors.Is(err, ErrNotFound) || errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "; in "+dir+" it lacks "+filepath.FromSlash(strings.TrimSuffix(name, "-of-00002")))) {
				t.Errorf("without %s: error %v", name, err)
			}
			path := filepath.Join(dir, filepath.FromSlash(name))
			if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o777), os.WriteFile(path, []byte(name), 0o666)); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := m.Find(); err != nil || got != dir {
			t.Error(got, err)
		}
	}
	// An empty file is none.
	if err := os.Truncate(filepath.Join(folders[0], model), 0); err != nil {
		t.Fatal(err)
	}
	if got, err := m.Find(); err != nil || got != folders[1] {
		t.Error(got, err)
	}
}

// Only the framework of Kaggle's names is written in two ways, whatever a model is called.
func TestKaggleFolders(t *testing.T) {
	root := caches(t)
	m, err := Parse("me/tensorFlow-words/tensorflow2/small/3")
	if err != nil {
		t.Fatal(err)
	}
	models := filepath.Join(root, "kaggle", "models", "me", "tensorFlow-words")
	if want := []string{filepath.Join(models, "tensorFlow2", "small", "3"), filepath.Join(models, "TensorFlow2", "small", "3")}; !slices.Equal(m.Folders(), want) {
		t.Errorf("%q, want %q", m.Folders(), want)
	}
}

// moduleFiles are the files without which no module is whole, in the order of the search.
var moduleFiles = []string{model, "variables/variables.index", "variables/variables.data-00000-of-00002", "variables/variables.data-00001-of-00002"}

// A cache that cannot be looked into may have the module.
func TestFindNotReadable(t *testing.T) {
	root := caches(t)
	if err := os.WriteFile(filepath.Join(root, "file"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	t.Setenv("LINNET_DATA", filepath.Join(root, "file"))
	m, err := Parse("nnlm-en-dim50")
	if err != nil {
		t.Fatal(err)
	}
	// Systems differ in whether a file in a folder's place means that nothing is there.
	_, statErr := os.Stat(filepath.Join(root, "file", "x"))
	if _, err := m.Find(); err == nil || errors.Is(err, fs.ErrNotExist) != errors.Is(statErr, fs.ErrNotExist) {
		t.Errorf("error %v", err)
	}
}
