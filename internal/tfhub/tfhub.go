// Package tfhub knows the names of TensorFlow Hub's modules and the places where they lie once they were downloaded, by
// linnet or by tensorflow_hub. It touches no network.
package tfhub

import (
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/linnet-ml/linnet/internal/cache"
)

// Site is where modules come from; a module's URL is Site/PUBLISHER/NAME/VERSION.
const Site = "https://tfhub.dev"

// KaggleSite is where TensorFlow Hub's modules have moved to; a model's URL is
// KaggleSite/OWNER/MODEL/FRAMEWORK/VARIATION/VERSION.
const KaggleSite = "https://www.kaggle.com/models"

// Module is a module that exists by its name; whether the site has it is another matter.
type Module struct {
	// Path is what follows Site and a slash in the URL: google/nnlm-en-dim50/2. It is empty for a model of Kaggle's whose
	// name on TensorFlow Hub is not known.
	Path string
	// Kaggle is what follows KaggleSite and a slash: google/nnlm/tensorFlow2/en-dim50/1. It is empty where it is not known.
	Kaggle string
}

// byPath is the module of a path on TensorFlow Hub.
func byPath(path string) Module {
	for _, name := range Names() {
		if path == "google/"+name+"/2" {
			return Module{Path: path, Kaggle: "google/nnlm/tensorFlow2/" + strings.TrimPrefix(name, "nnlm-") + "/1"}
		}
	}
	return Module{Path: path}
}

// Names are the modules that go by a name alone.
func Names() []string {
	return []string{
		"nnlm-en-dim50",
		"nnlm-en-dim50-with-normalization",
		"nnlm-en-dim128",
		"nnlm-en-dim128-with-normalization",
	}
}

// Parse reads one of the Names, a path PUBLISHER/NAME/VERSION or its URL, or Kaggle's name of a model,
// OWNER/MODEL/FRAMEWORK/VARIATION/VERSION, or its URL.
func Parse(nameOrURL string) (Module, error) {
	for _, name := range Names() {
		if nameOrURL == name {
			return byPath("google/" + name + "/2"), nil
		}
	}
	if !strings.Contains(nameOrURL, "://") {
		// A name of four parts that ends in a version is a path, whatever its third part is: PUBLISHER/NAME/NAME/VERSION.
		handle, ok := kaggleHandle(nameOrURL)
		if strings.Contains(nameOrURL, "/") && checkPath(nameOrURL) == nil && !(ok && strings.Count(handle, "/") == kaggleParts-1) {
			return byPath(nameOrURL), nil
		}
		if ok {
			return byKaggle(handle)
		}
		return Module{}, fmt.Errorf("no module is known by the name %.80q: known are %s; any other goes by its URL, %s/PUBLISHER/NAME/VERSION",
			nameOrURL, strings.Join(Names(), ", "), Site)
	}
	for _, site := range []string{KaggleSite, "https://kaggle.com/models"} {
		path, ok := strings.CutPrefix(nameOrURL, site+"/")
		if !ok {
			continue
		}
		path, _, _ = strings.Cut(path, "?") // TensorFlow Hub's redirects add tfhub-redirect=true
		path = strings.TrimSuffix(path, "/")
		// The older form names what each part is.
		parts := strings.Split(path, "/")
		if len(parts) == 8 && parts[2] == "frameworks" && parts[4] == "variations" && parts[6] == "versions" {
			path = strings.Join([]string{parts[0], parts[1], parts[3], parts[5], parts[7]}, "/")
		}
		handle, ok := kaggleHandle(path)
		if !ok {
			return Module{}, fmt.Errorf("%.200q is not the URL of a model, %s/OWNER/MODEL/FRAMEWORK/VARIATION/VERSION with TensorFlow as its framework", nameOrURL, KaggleSite)
		}
		return byKaggle(handle)
	}
	path, ok := strings.CutPrefix(nameOrURL, Site+"/")
	if !ok {
		return Module{}, fmt.Errorf("%.200q is not the URL of a module: it does not begin with %s/", nameOrURL, Site)
	}
	if err := checkPath(path); err != nil {
		return Module{}, fmt.Errorf("%.200q is not the URL of a module, %s/PUBLISHER/NAME/VERSION: %w", nameOrURL, Site, err)
	}
	return byPath(path), nil
}

const (
	// kaggleParts is how many parts a name of Kaggle's has: OWNER/MODEL/FRAMEWORK/VARIATION/VERSION.
	kaggleParts = 5
	// frameworkPart is the one that two ways of writing exist of.
	frameworkPart = 2
)

// kaggleHandle recognises a name of Kaggle's by its framework, which it writes as Kaggle does. The version may be missing,
// for an error that says so: byKaggle refuses such a name.
func kaggleHandle(s string) (handle string, ok bool) {
	parts := strings.Split(s, "/")
	if len(parts) != kaggleParts && len(parts) != kaggleParts-1 {
		return "", false
	}
	for _, framework := range []string{"tensorFlow1", "tensorFlow2"} {
		if strings.EqualFold(parts[frameworkPart], framework) {
			parts[frameworkPart] = framework
			return strings.Join(parts, "/"), true
		}
	}
	return "", false
}

// byKaggle is the module of one of Kaggle's names.
func byKaggle(handle string) (Module, error) {
	err := checkPath(handle)
	if err == nil && strings.Count(handle, "/") != kaggleParts-1 {
		err = errors.New("it has too few parts")
	}
	if err != nil {
		return Module{}, fmt.Errorf("%.200q is not the name of a model of Kaggle's, OWNER/MODEL/FRAMEWORK/VARIATION/VERSION: %w", handle, err)
	}
	for _, name := range Names() {
		if m := byPath("google/" + name + "/2"); m.Kaggle == handle {
			return m, nil
		}
	}
	return Module{Kaggle: handle}, nil
}

// maxPath holds the names of a module's files within what systems allow.
const maxPath = 200

// checkPath demands PUBLISHER/NAME/VERSION, where NAME may have slashes. A version is a number and nothing else in the
// path is one: so no module's folder lies within another's. All parts are good names of files.
func checkPath(path string) error {
	if len(path) > maxPath {
		return fmt.Errorf("it has more than %d bytes", maxPath)
	}
	parts := strings.Split(path, "/")
	if len(parts) < 3 {
		return errors.New("it has too few parts")
	}
	for i, part := range parts {
		last := i == len(parts)-1
		switch {
		case strings.Trim(part, "0123456789") == "" && part != "":
			if !last {
				return fmt.Errorf("%q stands before the version", part)
			}
			if part[0] == '0' || len(part) > 9 {
				return fmt.Errorf("the version %q is not a number from 1 to 999999999", part)
			}
		case last:
			return fmt.Errorf("the version %.80q is not a number", part)
		case !goodPart(part):
			return fmt.Errorf("the part %.80q is not made of letters, digits, '-', '_' and '.'", part)
		}
	}
	return nil
}

func goodPart(s string) bool {
	for _, c := range []byte(s) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_', c == '.':
		default:
			return false
		}
	}
	// Windows knows no names that end in a dot.
	return s != "" && s[0] != '.' && s[len(s)-1] != '.' && filepath.IsLocal(s)
}

// URL is the module's URL: that of TensorFlow Hub where it is known.
func (m Module) URL() string {
	if m.Path == "" {
		return KaggleSite + "/" + m.Kaggle
	}
	return Site + "/" + m.Path
}

// Name is the module's name alone: nnlm-en-dim50.
func (m Module) Name() string {
	path := m.Path
	if path == "" {
		path = m.Kaggle
	}
	parts := strings.Split(path, "/")
	return parts[len(parts)-2]
}

// Folder is the module's folder in the folder that linnet downloads to. It is for modules with a Path.
func (m Module) Folder(downloads string) string {
	return filepath.Join(downloads, "tfhub", filepath.FromSlash(m.Path))
}

// Folders are where the module may lie, in the order of the search: in linnet's folders, then where tensorflow_hub puts
// it, which is a folder named by the sha1 of the URL as the program gave it, then where kagglehub puts it.
func (m Module) Folders() (folders []string) {
	if m.Path != "" {
		for _, dir := range cache.Folders() {
			folders = append(folders, m.Folder(dir))
		}
		sum := sha1.Sum([]byte(m.URL()))
		folders = append(folders, filepath.Join(hubCache(), hex.EncodeToString(sum[:])))
	}
	if dir := kaggleCache(); dir != "" && m.Kaggle != "" {
		// kagglehub writes the framework as the program gave it; Kaggle's pages have both forms.
		parts := strings.Split(m.Kaggle, "/")
		parts[frameworkPart] = "T" + strings.TrimPrefix(parts[frameworkPart], "t")
		folder := filepath.Join(dir, "models", filepath.FromSlash(m.Kaggle))
		other := filepath.Join(dir, "models", filepath.Join(parts...))
		folders = append(folders, folder, other)
	}
	return folders
}

// kaggleCache is kagglehub's folder: $KAGGLEHUB_CACHE, or else .cache/kagglehub in the user's home folder. It is empty where
// there is none.
func kaggleCache() string {
	if dir := os.Getenv("KAGGLEHUB_CACHE"); dir != "" {
		return dir
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return ""
	}
	return filepath.Join(home, ".cache", "kagglehub")
}

// hubCache is tensorflow_hub's folder: $TFHUB_CACHE_DIR, or else tfhub_modules in Python's temporary folder.
func hubCache() string {
	if dir := os.Getenv("TFHUB_CACHE_DIR"); dir != "" {
		return dir
	}
	temp := os.TempDir()
	for _, name := range []string{"TMPDIR", "TEMP", "TMP"} { // Python's tempfile.gettempdir
		if dir := os.Getenv(name); dir != "" {
			temp = dir
			break
		}
	}
	return filepath.Join(temp, "tfhub_modules")
}

// ErrNotFound is wrapped by every error for a module that no folder has as a whole.
var ErrNotFound = errors.New("no folder has the whole module")

// errPart says why a module was not found of which there is something.
var errPart = errors.New("only a part of the module is there")

// notFound is the error for a module that no folder has.
type notFound struct {
	text  string
	cause error
}

func (e *notFound) Error() string { return e.text + ": " + e.cause.Error() }

func (e *notFound) Unwrap() []error { return []error{ErrNotFound, e.cause} }

// Find returns the first of the Folders that has the module. When none has it the error wraps [ErrNotFound]. It wraps
// [fs.ErrNotExist] too, unless there are folders that have a part of the module: it names them.
func (m Module) Find() (string, error) {
	folders := m.Folders()
	parts := ""
	for _, dir := range folders {
		missing, err := Missing(dir)
		if err != nil {
			return "", err
		}
		if missing == "" {
			return dir, nil
		}
		if missing != model {
			parts += fmt.Sprintf("; in %s it lacks %s", dir, missing)
		}
	}
	cause := fs.ErrNotExist
	if parts != "" {
		cause = errPart
	}
	return "", &notFound{fmt.Sprintf("the module %s is in none of %s%s", m.URL(), strings.Join(folders, ", "), parts), cause}
}

// model is the file without which there is nothing of a module.
const model = "saved_model.pb"

// Exists reports whether a whole module lies in the folder: see [Missing].
func Exists(dir string) (bool, error) {
	missing, err := Missing(dir)
	return missing == "" && err == nil, err
}

// Missing returns the first file that a module's folder lacks, "" if it has all: the graph, the index of the variables and
// the files that hold them. An empty graph or index is none. So what was copied or downloaded in part is not taken for the
// whole. A folder without a graph is no module at all: tensorflow_hub, too, downloads into an empty one.
func Missing(dir string) (name string, err error) {
	for _, name := range []string{model, filepath.Join("variables", "variables.index")} {
		info, err := os.Stat(filepath.Join(dir, name))
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return name, nil
		case err != nil: // a folder that cannot be looked into may hold the module: the user must know
			return "", err
		case info.Size() == 0:
			return name, nil
		}
	}
	entries, err := os.ReadDir(filepath.Join(dir, "variables"))
	if err != nil {
		return "", err
	}
	const data = "variables.data-"
	there := map[string]bool{}
	parts := 1 // each name says how many there are: variables.data-00000-of-00002
	for _, e := range entries {
		there[e.Name()] = true
		if rest, ok := strings.CutPrefix(e.Name(), data); ok {
			_, of, _ := strings.Cut(rest, "-of-")
			if n, err := strconv.Atoi(of); err == nil {
				parts = max(parts, n)
			}
		}
	}
	for i := range parts {
		if name := fmt.Sprintf("%s%05d-of-%05d", data, i, parts); !there[name] {
			return filepath.Join("variables", name), nil
		}
	}
	return "", nil
}
