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
	"strings"

	"github.com/linnet-ml/linnet/internal/cache"
)

// Site is where modules come from; a module's URL is Site/PUBLISHER/NAME/VERSION.
const Site = "https://tfhub.dev"

// Module is a module that exists by its name; whether the site has it is another matter.
type Module struct {
	// Path is what follows Site and a slash in the URL: google/nnlm-en-dim50/2.
	Path string
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

// Parse reads one of the Names, or a URL.
func Parse(nameOrURL string) (Module, error) {
	for _, name := range Names() {
		if nameOrURL == name {
			return Module{"google/" + name + "/2"}, nil
		}
	}
	if !strings.Contains(nameOrURL, "://") {
		return Module{}, fmt.Errorf("no module is known by the name %.80q: known are %s; any other goes by its URL, %s/PUBLISHER/NAME/VERSION",
			nameOrURL, strings.Join(Names(), ", "), Site)
	}
	path, ok := strings.CutPrefix(nameOrURL, Site+"/")
	if !ok {
		return Module{}, fmt.Errorf("%.200q is not the URL of a module: it does not begin with %s/", nameOrURL, Site)
	}
	if err := checkPath(path); err != nil {
		return Module{}, fmt.Errorf("%.200q is not the URL of a module, %s/PUBLISHER/NAME/VERSION: %w", nameOrURL, Site, err)
	}
	return Module{path}, nil
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

// URL is the module's URL.
func (m Module) URL() string { return Site + "/" + m.Path }

// Name is the module's name alone: nnlm-en-dim50.
func (m Module) Name() string {
	parts := strings.Split(m.Path, "/")
	return parts[len(parts)-2]
}

// Folder is the module's folder in the folder that linnet downloads to.
func (m Module) Folder(downloads string) string {
	return filepath.Join(downloads, "tfhub", filepath.FromSlash(m.Path))
}

// Folders are where the module may lie, in the order of the search: in linnet's folders, then where tensorflow_hub puts
// it, which is a folder named by the sha1 of the URL as the program gave it.
func (m Module) Folders() (folders []string) {
	for _, dir := range cache.Folders() {
		folders = append(folders, m.Folder(dir))
	}
	sum := sha1.Sum([]byte(m.URL()))
	return append(folders, filepath.Join(hubCache(), hex.EncodeToString(sum[:])))
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

// Find returns the first of the Folders that has the module. When none has it the error wraps [fs.ErrNotExist].
func (m Module) Find() (string, error) {
	folders := m.Folders()
	for _, dir := range folders {
		there, err := Exists(dir)
		if err != nil {
			return "", err
		}
		if there {
			return dir, nil
		}
	}
	return "", fmt.Errorf("the module %s is in none of %s: %w", m.URL(), strings.Join(folders, ", "), fs.ErrNotExist)
}

// Exists reports whether a module lies in the folder. A folder without a model is none: tensorflow_hub, too, downloads
// into an empty one.
func Exists(dir string) (bool, error) {
	_, err := os.Stat(filepath.Join(dir, "saved_model.pb"))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	// A folder that cannot be looked into may hold the module: the user must know.
	return err == nil, err
}
