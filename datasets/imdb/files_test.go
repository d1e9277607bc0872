package imdb

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// emptyCaches points all three cache folders into a new, empty one and returns them in the order of the search.
func emptyCaches(t *testing.T) [3]string {
	t.Helper()
	root := t.TempDir()
	t.Setenv("LINNET_DATA", filepath.Join(root, "data"))
	for _, home := range []string{"HOME", "USERPROFILE", "home"} {
		t.Setenv(home, filepath.Join(root, "home"))
	}
	for _, cache := range []string{"XDG_CACHE_HOME", "LocalAppData"} {
		t.Setenv(cache, filepath.Join(root, "cache"))
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Skip(err)
	}
	dirs := [3]string{filepath.Join(root, "data"), filepath.Join(root, "home", ".keras", "datasets"), filepath.Join(cache, "linnet")}
	for _, dir := range dirs {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dirs
}

func put(t *testing.T, dir, name string, data []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
		t.Fatal(err)
	}
}

func testdata(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestCacheSearch(t *testing.T) {
	dirs := emptyCaches(t)
	_, _, err := Load(context.Background(), Options{})
	want := fmt.Sprintf("imdb: imdb.npz is not in %s, %s, %s; fetch https://storage.googleapis.com/tensorflow/tf-keras-datasets/imdb.npz into one of them, or name its folder in Options.Path: file does not exist", dirs[0], dirs[1], dirs[2])
	if err == nil || err.Error() != want || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v\nwant  %s", err, want)
	}
	// The last folder first: each one put in later comes earlier in the search.
	for i := 2; i >= 0; i-- {
		put(t, dirs[i], "imdb.npz", testdata(t, "imdb.npz"))
		if _, err := Find(""); i == 2 && !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("reviews without a word index: error %v", err)
		}
		put(t, dirs[i], "imdb_word_index.json", testdata(t, "imdb_word_index.json"))
		f, err := Find("")
		if want := (Files{filepath.Join(dirs[i], "imdb.npz"), filepath.Join(dirs[i], "imdb_word_index.json")}); err != nil || f != want {
			t.Errorf("found %v, %v, want %v", f, err, want)
		}
		if _, _, err := Load(context.Background(), Options{AllowUnverified: true}); err != nil {
			t.Error(err)
		}
		if index, err := WordIndex(context.Background(), Options{AllowUnverified: true}); err != nil || index["film"] != 2 {
			t.Errorf("film has rank %d, %v", index["film"], err)
		}
	}
}

func TestPath(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "reviews.npz", testdata(t, "imdb.npz"))
	put(t, dir, "imdb_word_index.json", testdata(t, "imdb_word_index.json"))
	o := Options{Path: filepath.Join(dir, "reviews.npz"), AllowUnverified: true}
	if _, _, err := Load(context.Background(), o); err != nil {
		t.Error(err)
	}
	if _, err := WordIndex(context.Background(), o); err != nil {
		t.Errorf("word index beside the reviews: %v", err)
	}
	o.Path = filepath.Join(dir, "imdb_word_index.json")
	if _, err := WordIndex(context.Background(), o); err != nil {
		t.Error(err)
	}
	for _, path := range []string{dir, filepath.Join(dir, "none.npz"), o.Path} {
		o.Path = path
		if _, _, err := Load(context.Background(), o); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "imdb: stat "+dir) {
			t.Errorf("%s: error %v", path, err)
		}
	}
}

// TestDamagedCache has in the first cache folder a file that cannot be read, and good ones in the others: the user is
// told, and no other file is taken in silence.
func TestDamagedCache(t *testing.T) {
	npz, index := testdata(t, "imdb.npz"), testdata(t, "imdb_word_index.json")
	forbidden, err := os.ReadFile("../../internal/npz/testdata/malformed/npz-pickle-obj.npz")
	if err != nil {
		t.Fatal(err)
	}
	const again = "; delete it and fetch it again from https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
	for _, c := range []struct {
		name, file string
		data       []byte
		want       string
	}{
		{"half-written", "imdb.npz", npz[:600], " is damaged or incomplete: npz: no zip archive, or one that was cut off: zip: not a valid zip file" + again + "imdb.npz"},
		{"empty", "imdb.npz", nil, " is damaged or incomplete: npz: no zip archive, or one that was cut off: zip: not a valid zip file" + again + "imdb.npz"},
		{"forbidden call", "imdb.npz", forbidden, ` is damaged or incomplete: npz: x_train.npy: byte 68: the pickle asks for "os.system", which is refused: only numpy's ndarray, dtype and _reconstruct are allowed` + again + "imdb.npz"},
		{"half-written index", "imdb_word_index.json", index[:40], " is damaged or incomplete: byte 40: unexpected end of JSON input" + again + "imdb_word_index.json"},
		{"empty index", "imdb_word_index.json", nil, " is damaged or incomplete: byte 0: unexpected end of JSON input" + again + "imdb_word_index.json"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dirs := emptyCaches(t)
			for _, dir := range dirs {
				put(t, dir, "imdb.npz", npz)
				put(t, dir, "imdb_word_index.json", index)
			}
			put(t, dirs[0], c.file, c.data)
			o := Options{AllowUnverified: true}
			_, _, err := Load(context.Background(), o)
			if c.file == "imdb_word_index.json" {
				_, err = WordIndex(context.Background(), o)
			}
			if want := "imdb: " + filepath.Join(dirs[0], c.file) + c.want; err == nil || err.Error() != want {
				t.Errorf("error %v\nwant  %s", err, want)
			}
		})
	}
}

func TestUnreadableCache(t *testing.T) {
	dirs := emptyCaches(t)
	put(t, dirs[0], "imdb.npz", testdata(t, "imdb.npz"))
	if err := os.Mkdir(filepath.Join(dirs[0], "imdb_word_index.json"), 0o755); err != nil {
		t.Fatal(err)
	}
	_, err := WordIndex(context.Background(), Options{})
	if want := "imdb: " + filepath.Join(dirs[0], "imdb_word_index.json") + " is a folder, not a plain file"; err == nil || err.Error() != want {
		t.Errorf("error %v\nwant  %s", err, want)
	}
	file := filepath.Join(dirs[0], "imdb.npz")
	if err := os.Chmod(file, 0); err != nil {
		t.Fatal(err)
	}
	if f, err := os.Open(file); err == nil {
		f.Close()
		t.Skip("this user may read every file")
	}
	_, _, err = Load(context.Background(), Options{})
	if want := "imdb: open " + file + ": permission denied"; err == nil || err.Error() != want {
		t.Errorf("error %v\nwant  %s", err, want)
	}
}

// TestBitFlips flips one bit after another of the archive: Load never returns other reviews.
func TestBitFlips(t *testing.T) {
	npz := testdata(t, "imdb.npz")
	dir := t.TempDir()
	o := Options{Path: dir, AllowUnverified: true}
	put(t, dir, "imdb.npz", npz)
	want, _, err := Load(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	for i := range npz {
		npz[i] ^= 1 << (i % 8)
		put(t, dir, "imdb.npz", npz)
		npz[i] ^= 1 << (i % 8)
		got, _, err := Load(context.Background(), o)
		if err == nil && fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("byte %d: %v, want %v", i, got, want)
		}
	}
}

func TestUnverified(t *testing.T) {
	_, _, err := Load(context.Background(), Options{Path: "testdata"})
	if err == nil || !strings.HasPrefix(err.Error(), "imdb: "+filepath.Join("testdata", "imdb.npz")+" does not hold the official reviews (its sha256 is ") ||
		!strings.HasSuffix(err.Error(), "; set Options.AllowUnverified to use it all the same") {
		t.Errorf("reviews: error %v", err)
	}
	_, err = WordIndex(context.Background(), Options{Path: "testdata"})
	if err == nil || !strings.HasPrefix(err.Error(), "imdb: "+filepath.Join("testdata", "imdb_word_index.json")+" does not hold the official word index (the digest of its words is ") ||
		!strings.HasSuffix(err.Error(), "; set Options.AllowUnverified to use it all the same") {
		t.Errorf("word index: error %v", err)
	}
}
