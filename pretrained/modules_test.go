package pretrained

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/linnet-ml/linnet/internal/shared"
)

// emptyCaches points all folders in which modules are looked for to new ones.
func emptyCaches(t *testing.T) (root string) {
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

func TestOpenModule(t *testing.T) {
	root := emptyCaches(t)
	const url = "https://tfhub.dev/google/nnlm-en-dim50/2"
	for _, name := range []string{"nnlm-en-dim50", url} {
		_, err := OpenModule(context.Background(), name, HubOptions{})
		_, findErr := FindModule(name)
		for _, err := range []error{err, findErr} {
			if !errors.Is(err, fs.ErrNotExist) || !errors.Is(err, ErrModuleNotFound) || !strings.HasPrefix(err.Error(), "pretrained: the module "+url+" is in none of "+filepath.Join(root, "data", "tfhub")) {
				t.Errorf("%s: error %v", name, err)
			}
		}
	}
	// A part of it is none of it, and another error.
	half := filepath.Join(root, "hub", "74a841d6eb84e8d93d913d716fb5440d020cc291")
	if err := errors.Join(os.MkdirAll(half, 0o777), os.WriteFile(filepath.Join(half, "saved_model.pb"), []byte("x"), 0o666)); err != nil {
		t.Fatal(err)
	}
	_, err := OpenModule(context.Background(), url, HubOptions{})
	_, findErr := FindModule(url)
	for _, err := range []error{err, findErr} {
		if !errors.Is(err, ErrModuleNotFound) || errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "in "+half+" it lacks ") {
			t.Errorf("error %v", err)
		}
	}
	if err := os.RemoveAll(half); err != nil {
		t.Fatal(err)
	}
	// kagglehub has it, under Kaggle's name.
	kaggle := filepath.Join(root, "kaggle", "models", "google", "nnlm", "TensorFlow2", "en-dim50", "1")
	if err := os.CopyFS(kaggle, os.DirFS(filepath.Join(moduleZip(t), "divided"))); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"nnlm-en-dim50", url, "google/nnlm-en-dim50/2", "google/nnlm/tensorFlow2/en-dim50/1", "https://www.kaggle.com/models/google/nnlm/TensorFlow2/en-dim50/1"} {
		if e, err := OpenModule(context.Background(), name, HubOptions{}); err != nil || e.Name() != "nnlm-en-dim50" || e.path != kaggle {
			t.Error(name, err)
		}
	}
	// tensorflow_hub has it, under the sha1 of the URL.
	dir := filepath.Join(root, "hub", "74a841d6eb84e8d93d913d716fb5440d020cc291")
	if err := os.CopyFS(dir, os.DirFS(filepath.Join(moduleZip(t), "divided"))); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"nnlm-en-dim50", url} {
		if folder, err := FindModule(name); err != nil || folder != dir {
			t.Error(name, folder, err)
		}
		e, err := OpenModule(context.Background(), name, HubOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if e.Name() != "nnlm-en-dim50" {
			t.Errorf("%s: the name is %s", name, e.Name())
		}
		if e, err := OpenModule(context.Background(), name, HubOptions{Name: "mine"}); err != nil || e.Name() != "mine" {
			t.Error(name, err)
		}
	}
	// linnet's own folder comes first.
	own := filepath.Join(root, "data", "tfhub", "google", "nnlm-en-dim50", "2")
	if err := os.CopyFS(own, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	if folder, err := FindModule("nnlm-en-dim50"); err != nil || folder != own {
		t.Error(folder, err)
	}
}

func TestModuleNotKnown(t *testing.T) {
	_, err := OpenModule(context.Background(), "nnlm-en-dim51", HubOptions{})
	_, findErr := FindModule("nnlm-en-dim51")
	for _, err := range []error{err, findErr} {
		if err == nil || errors.Is(err, fs.ErrNotExist) || errors.Is(err, ErrModuleNotFound) || !strings.HasPrefix(err.Error(), `pretrained: no module is known by the name "nnlm-en-dim51"`) ||
			slices.ContainsFunc(ModuleNames(), func(name string) bool {
				return !strings.Contains(err.Error(), name+",") && !strings.Contains(err.Error(), name+";")
			}) {
			t.Errorf("error %v", err)
		}
	}
}

// The recorded module, found by its URL, gives what it gives by its folder.
func TestOpenModuleRecorded(t *testing.T) {
	from := shared.Path(t, "golden-formats/hub/nnlm")
	root := emptyCaches(t)
	if err := os.CopyFS(filepath.Join(root, "data", "tfhub", "me", "texts", "nnlm", "7"), os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	got, err := OpenModule(context.Background(), "https://tfhub.dev/me/texts/nnlm/7", HubOptions{})
	if err != nil {
		t.Fatal(err)
	}
	want, err := OpenHub(context.Background(), from, HubOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if got.Name() != "nnlm" || got.Rows() != want.Rows() || got.Dim() != want.Dim() || got.Vocabulary().Len() != want.Vocabulary().Len() {
		t.Errorf("%s of shape (%d, %d)", got.Name(), got.Rows(), got.Dim())
	}
}
