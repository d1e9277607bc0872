package imdb

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/gzip"

	"github.com/linnet-ml/linnet/internal/boundary"
	"github.com/linnet-ml/linnet/internal/numpy"
	"github.com/linnet-ml/linnet/internal/ratio"
	"github.com/linnet-ml/linnet/internal/shared"
)

// entry is a file of an archive.
type entry struct {
	name, text string
	kind       byte
}

// someReviews are 11 invented ones, and what else lies in the archive, in an order that is not that of the names.
func someReviews() []entry {
	return []entry{
		{name: "", kind: tar.TypeDir},
		{name: "test/neg/0_2.txt", text: "dull"},
		{name: "test/neg/10_4.txt", text: ""},
		{name: "imdb.vocab", text: "the\nand\n"},
		{name: "train/labeledBow.feat", text: "9 0:9 1:1"},
		{name: "train/unsup/1_0.txt", text: "who knows"},
		{name: "train/unsup/0_0.txt", text: "nobody"},
		{name: "train/urls_pos.txt", text: "http://example.com"},
		{name: "train/pos/2_7.txt", text: "fine"},
		{name: "train/pos/10_9.txt", text: "great<br />fun"},
		{name: "train/pos/1_10.txt", text: "the best, é"},
		{name: "train/pos/._1_10.txt", text: "\x00\x05\x16\x07"},
		{name: "train/neg/7_1.txt", text: strings.Repeat("bad ", 5000)},
		{name: "train/neg/0_3.txt", text: "no\n"},
		{name: "train/neg/0_3.txt~", text: "a copy"},
		{name: "test/pos/3_8.txt", text: "good"},
		{name: "test/pos/4_7.txt", text: "good too"},
	}
}

func makeTar(t testing.TB, top string, entries []entry) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, e := range entries {
		h := &tar.Header{Name: top + e.name, Mode: 0o644, Size: int64(len(e.text)), Typeflag: e.kind}
		if e.kind == tar.TypeSymlink {
			h.Linkname, h.Size = e.text, 0
		}
		if e.kind == 0 {
			h.Typeflag = tar.TypeReg
		}
		if h.Name == "" {
			continue
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if h.Size > 0 {
			io.WriteString(w, e.text)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func zipped(t testing.TB, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Write(data)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// archive writes one and returns its path.
func archive(t testing.TB, data []byte) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), textsName)
	if err := os.WriteFile(file, data, 0o666); err != nil {
		t.Fatal(err)
	}
	return file
}

// inOrder are the splits of someReviews without a shuffle.
func inOrder() (train, test, unlabelled *TextSplit) {
	train = &TextSplit{
		Texts:   []string{"great<br />fun", "the best, é", "fine", "no\n", strings.Repeat("bad ", 5000)},
		Labels:  []int32{1, 1, 1, 0, 0},
		Ratings: []int32{9, 10, 7, 3, 1},
		Names:   []string{"train/pos/10_9.txt", "train/pos/1_10.txt", "train/pos/2_7.txt", "train/neg/0_3.txt", "train/neg/7_1.txt"},
	}
	test = &TextSplit{
		Texts:   []string{"good", "good too", "dull", ""},
		Labels:  []int32{1, 1, 0, 0},
		Ratings: []int32{8, 7, 2, 4},
		Names:   []string{"test/pos/3_8.txt", "test/pos/4_7.txt", "test/neg/0_2.txt", "test/neg/10_4.txt"},
	}
	return train, test, &TextSplit{Texts: []string{"nobody", "who knows"}, Names: []string{"train/unsup/0_0.txt", "train/unsup/1_0.txt"}}
}

func shuffled(s *TextSplit, order []int32) *TextSplit {
	out := &TextSplit{}
	for _, i := range order {
		out.Texts, out.Names = append(out.Texts, s.Texts[i]), append(out.Names, s.Names[i])
		if s.Labels != nil {
			out.Labels, out.Ratings = append(out.Labels, s.Labels[i]), append(out.Ratings, s.Ratings[i])
		}
	}
	return out
}

// wantTexts reads all parts and compares.
func wantTexts(t *testing.T, o TextOptions) {
	t.Helper()
	o.AllowUnverified = true
	wantTrain, wantTest, wantUnlabelled := inOrder()
	if !o.NoShuffle {
		seed := uint32(or(o.Seed, 113))
		random := numpy.NewRandomState(seed)
		wantTrain = shuffled(wantTrain, random.Permutation(5))
		wantTest = shuffled(wantTest, random.Permutation(4))
		wantUnlabelled = shuffled(wantUnlabelled, numpy.NewRandomState(seed).Permutation(2))
	}
	train, test, err := LoadTexts(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(wantTrain, train); d != "" {
		t.Errorf("train: %s", d)
	}
	if d := cmp.Diff(wantTest, test); d != "" {
		t.Errorf("test: %s", d)
	}
	unlabelled, err := LoadUnsupervisedTexts(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(wantUnlabelled, unlabelled); d != "" {
		t.Errorf("unsup: %s", d)
	}
}

func TestLoadTexts(t *testing.T) {
	backwards := someReviews()
	slices.Reverse(backwards)
	for _, data := range [][]byte{
		zipped(t, makeTar(t, "aclImdb/", someReviews())),
		zipped(t, makeTar(t, "./aclImdb/", backwards)),
		zipped(t, makeTar(t, "", someReviews())),
		zipped(t, makeTar(t, "/a/b/", someReviews())),
	} {
		file := archive(t, data)
		for _, o := range []TextOptions{{}, {Seed: new(0)}, {Seed: new(7)}, {NoShuffle: true}} {
			o.Path = file
			wantTexts(t, o)
		}
	}
}

// unpack writes reviews into a folder.
func unpack(t *testing.T, dir string, entries []entry) {
	t.Helper()
	for _, e := range entries {
		if e.name == "" {
			continue
		}
		path := filepath.Join(dir, filepath.FromSlash(e.name))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(e.text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

// The same reviews from a folder, and from archives and folders that are found.
func TestTextPlaces(t *testing.T) {
	dir := t.TempDir()
	unpack(t, filepath.Join(dir, "aclImdb"), someReviews())
	wantTexts(t, TextOptions{Path: filepath.Join(dir, "aclImdb")})
	wantTexts(t, TextOptions{Path: dir})

	two := t.TempDir()
	labelled, unlabelled := someReviews(), []entry{}
	for i := len(labelled) - 1; i >= 0; i-- {
		if strings.HasPrefix(labelled[i].name, "train/unsup/") {
			unlabelled = append(unlabelled, labelled[i])
			labelled = slices.Delete(labelled, i, i+1)
		}
	}
	put(t, two, labelledName, zipped(t, makeTar(t, "aclImdb/", labelled)))
	if _, err := LoadUnsupervisedTexts(t.Context(), TextOptions{Path: filepath.Join(two, labelledName)}); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), unlabelledName) {
		t.Errorf("error %v", err)
	}
	put(t, two, unlabelledName, zipped(t, makeTar(t, "aclImdb/", unlabelled)))
	wantTexts(t, TextOptions{Path: two})
	wantTexts(t, TextOptions{Path: filepath.Join(two, labelledName)})
	wantTexts(t, TextOptions{Path: filepath.Join(two, unlabelledName)})

	dirs := emptyCaches(t)
	_, _, err := LoadTexts(t.Context(), TextOptions{})
	want := fmt.Sprintf("imdb: none of aclImdb_v1.tar.gz, aclImdb_labeled.tar.gz, aclImdb is in %s; fetch https://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz into it, or name its place in TextOptions.Path: file does not exist", strings.Join(dirs[:], ", "))
	if err == nil || err.Error() != want || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v\nwant  %s", err, want)
	}
	for i := 2; i >= 0; i-- {
		unpack(t, filepath.Join(dirs[i], "aclImdb_v1", "aclImdb"), someReviews())
		wantTexts(t, TextOptions{})
		if got, err := FindTexts(""); err != nil || got != filepath.Join(dirs[i], "aclImdb_v1", "aclImdb") {
			t.Errorf("found %s, %v", got, err)
		}
		put(t, dirs[i], textsName, zipped(t, makeTar(t, "aclImdb/", someReviews())))
		if got, err := FindTexts(""); err != nil || got != filepath.Join(dirs[i], textsName) {
			t.Errorf("found %s, %v", got, err)
		}
		wantTexts(t, TextOptions{})
	}
}

func TestTextErrors(t *testing.T) {
	good := makeTar(t, "aclImdb/", someReviews())
	with := func(e ...entry) []byte { return zipped(t, makeTar(t, "aclImdb/", append(someReviews(), e...))) }
	wrongSum := zipped(t, good)
	wrongSum[len(wrongSum)-8] ^= 1
	wrongHeader := slices.Clone(good)
	wrongHeader[bytes.Index(good, []byte("aclImdb/train/pos/10_9.txt"))] ^= 1
	const again = "; delete it and fetch it again from https://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz"
	for _, c := range []struct {
		name string
		data []byte
		want string // FILE stands for the archive
	}{
		{"empty", nil, "FILE is damaged or incomplete: unexpected EOF" + again},
		{"other archive", zipped(t, makeTar(t, "", []entry{{name: "a.txt", text: "a"}})), "FILE holds no reviews: it has no files such as 0_9.txt in train/pos, train/neg, test/pos, test/neg"},
		{"no archive", []byte(strings.Repeat("<html>", 200)), "FILE is damaged or incomplete: gzip: invalid header" + again},
		{"no gzip", good, "FILE is damaged or incomplete: gzip: invalid header" + again},
		{"gzip of no archive", zipped(t, []byte(strings.Repeat("<html>", 200))), "FILE is damaged or incomplete: archive/tar: invalid tar header" + again},
		{"cut gzip header", []byte{0x1f, 0x8b, 8}, "FILE is damaged or incomplete: unexpected EOF" + again},
		{"cut tar", zipped(t, good[:len(good)/2]), "FILE is damaged or incomplete: aclImdb/train/neg/7_1.txt: unexpected EOF" + again},
		{"checksum", wrongSum, "FILE is damaged or incomplete: gzip: invalid checksum" + again},
		{"header", zipped(t, wrongHeader), "FILE is damaged or incomplete: after aclImdb/train/pos/2_7.txt: archive/tar: invalid tar header" + again},
		{"name", with(entry{name: "train/pos/good.txt"}), "FILE is damaged or incomplete: aclImdb/train/pos/good.txt: its name is not that of a review, as in 123_8.txt: a number and a rating from 0 to 10" + again},
		{"rating", with(entry{name: "train/pos/1_11.txt"}), "FILE is damaged or incomplete: aclImdb/train/pos/1_11.txt: its name is not that of a review, as in 123_8.txt: a number and a rating from 0 to 10" + again},
		{"number", with(entry{name: "train/pos/-1_9.txt"}), "FILE is damaged or incomplete: aclImdb/train/pos/-1_9.txt: its name is not that of a review, as in 123_8.txt: a number and a rating from 0 to 10" + again},
		{"twice", with(entry{name: "test/neg/0_2.txt", text: "dull again"}), "FILE is damaged or incomplete: test/neg/0_2.txt is there twice" + again},
		{"link", with(entry{name: "test/neg/9_2.txt", text: "/etc/passwd", kind: tar.TypeSymlink}), "FILE is damaged or incomplete: aclImdb/test/neg/9_2.txt: it is no regular file" + again},
		{"huge", with(entry{name: "test/neg/9_2.txt", text: strings.Repeat("x", maxReview+1)}), "FILE is damaged or incomplete: aclImdb/test/neg/9_2.txt: more than 1048576 bytes, which no review has" + again},
	} {
		file := archive(t, c.data)
		_, _, err := LoadTexts(t.Context(), TextOptions{Path: file, AllowUnverified: true})
		if want := "imdb: " + strings.ReplaceAll(c.want, "FILE", file); err == nil || err.Error() != want {
			t.Errorf("%s: error %v\nwant  %s", c.name, err, want)
		}
	}
	file := archive(t, zipped(t, good))
	for _, c := range []struct {
		o    TextOptions
		want string
	}{
		{TextOptions{Seed: new(-1)}, "imdb: Seed is -1; it must be from 0 to 4294967295"},
		{TextOptions{Seed: new(1), NoShuffle: true}, "imdb: Seed is 1, but NoShuffle is set"},
		{TextOptions{}, "imdb: " + file + " does not hold the official texts (train/pos has 3 reviews in place of 12500, test/pos has 2 reviews in place of 12500); set TextOptions.AllowUnverified to use it all the same"},
	} {
		c.o.Path = file
		if _, _, err := LoadTexts(t.Context(), c.o); err == nil || err.Error() != c.want {
			t.Errorf("error %v\nwant  %s", err, c.want)
		}
	}
	if _, err := LoadUnsupervisedTexts(t.Context(), TextOptions{Path: file}); err == nil || !strings.Contains(err.Error(), "does not hold the official texts (train/unsup has 2 reviews in place of 50000)") {
		t.Errorf("error %v", err)
	}
	if _, err := LoadUnsupervisedTexts(t.Context(), TextOptions{Path: file, Seed: new(-1)}); err == nil {
		t.Error("a negative seed is taken")
	}
}

// In a folder too the file is named.
func TestTextFolderErrors(t *testing.T) {
	for _, c := range []struct {
		e    entry
		want string
	}{
		{entry{name: "train/pos/x.txt"}, "train/pos/x.txt: its name is not that of a review"},
		{entry{name: "train/pos/5_8.txt", text: strings.Repeat("x", maxReview+1)}, "train/pos/5_8.txt has 1048577 bytes and is larger than such a file may be: at most 1048576 are read"},
		{entry{name: "train/pos/5_8.txt/file"}, "train/pos/5_8.txt"},
	} {
		dir := t.TempDir()
		unpack(t, dir, append(someReviews(), c.e))
		_, _, err := LoadTexts(t.Context(), TextOptions{Path: dir, AllowUnverified: true})
		if err == nil || !strings.HasPrefix(err.Error(), "imdb: "+dir+": ") || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v\nwant  %s", err, c.want)
		}
	}
}

// Cut anywhere, an archive gives an error. No goroutine stays behind.
func TestCutArchive(t *testing.T) {
	data := zipped(t, makeTar(t, "aclImdb/", someReviews()))
	before := runtime.NumGoroutine()
	for n := range data {
		_, _, err := LoadTexts(t.Context(), TextOptions{Path: archive(t, data[:n]), AllowUnverified: true})
		if err == nil || !strings.Contains(err.Error(), "unexpected EOF; delete it") {
			t.Errorf("cut to %d of %d bytes: error %v", n, len(data), err)
		}
	}
	if after := runtime.NumGoroutine(); after > before {
		t.Errorf("%d goroutines, %d before", after, before)
	}
}

// What an entry claims costs no memory, nor does what unpacks to much more than it is.
func TestTextMemory(t *testing.T) {
	claim := makeTar(t, "", []entry{{name: "train/pos/0_9.txt", text: "short"}})
	h := tar.Header{Name: "train/pos/0_9.txt", Size: 1 << 40, Mode: 0o644}
	var b bytes.Buffer
	if err := tar.NewWriter(&b).WriteHeader(&h); err != nil {
		t.Fatal(err)
	}
	copy(claim, b.Bytes()[:512])
	bomb := zipped(t, makeTar(t, "", []entry{{name: "README", text: strings.Repeat("\x00", 64<<20)}, {name: "train/pos/0_9.txt", text: strings.Repeat("\x00", 32<<20)}}))
	for name, data := range map[string][]byte{"claim": zipped(t, claim), "bomb": bomb} {
		file := archive(t, data)
		var a, z runtime.MemStats
		runtime.ReadMemStats(&a)
		if _, _, err := LoadTexts(t.Context(), TextOptions{Path: file, AllowUnverified: true}); err == nil {
			t.Errorf("%s: no error", name)
		}
		runtime.ReadMemStats(&z)
		if used := z.TotalAlloc - a.TotalAlloc; used > 16<<20 {
			t.Errorf("%s: %d bytes allocated", name, used)
		}
	}
}

// When only the official reviews will do, more than those are not even kept.
func TestTooManyTexts(t *testing.T) {
	var entries []entry
	for i := range classes[trainPos].reviews + 2 {
		entries = append(entries, entry{name: fmt.Sprintf("train/pos/%d_9.txt", i), text: "x"})
	}
	file := archive(t, zipped(t, makeTar(t, "", entries)))
	_, _, err := LoadTexts(t.Context(), TextOptions{Path: file})
	if want := "imdb: " + file + " does not hold the official texts (train/pos/12500_9.txt: train/pos has more than 12500 reviews of together 16842831 bytes); set TextOptions.AllowUnverified to use it all the same"; err == nil || err.Error() != want {
		t.Errorf("error %v\nwant  %s", err, want)
	}
	if train, _, err := LoadTexts(t.Context(), TextOptions{Path: file, AllowUnverified: true}); err != nil || len(train.Texts) != 12502 {
		t.Error(err)
	}
}

func TestTextsCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	file := archive(t, zipped(t, makeTar(t, "", someReviews())))
	dir := t.TempDir()
	unpack(t, dir, someReviews())
	for _, path := range []string{file, dir} {
		_, _, err := LoadTexts(ctx, TextOptions{Path: path, AllowUnverified: true})
		if !errors.Is(err, context.Canceled) || !strings.HasPrefix(err.Error(), "imdb: reading "+path+": ") || strings.Contains(err.Error(), "damaged") {
			t.Errorf("error %v", err)
		}
	}
}

// TestRealTexts holds that text i is that of review i of Load: its words are that review's ids.
func TestRealTexts(t *testing.T) {
	path := shared.Path(t, "data/imdb")
	train, test, err := LoadTexts(t.Context(), TextOptions{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	o := Options{Path: path, NoStartChar: true, IndexFrom: new(0), NumWords: 1 << 20}
	trainIDs, testIDs, err := Load(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	index, err := WordIndex(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	space := strings.NewReplacer(strings.Split("!, ,\", ,#, ,$, ,%, ,&, ,(, ,), ,*, ,+, ,-, ,., ,/, ,:, ,;, ,<, ,=, ,>, ,?, ,@, ,[, ,\\, ,], ,^, ,_, ,`, ,{, ,|, ,}, ,~, ,\t, ,\n, ", ",")...)
	for _, c := range []struct {
		name  string
		texts *TextSplit
		ids   *Split
	}{{"train", train, trainIDs}, {"test", test, testIDs}} {
		if len(c.texts.Texts) != 25000 || len(c.texts.Ratings) != 25000 || len(c.texts.Names) != 25000 {
			t.Fatalf("%s: %d texts", c.name, len(c.texts.Texts))
		}
		if !slices.Equal(c.texts.Labels, c.ids.Labels) {
			t.Errorf("%s: other labels", c.name)
		}
		for i, text := range c.texts.Texts {
			if rating := c.texts.Ratings[i]; (rating >= 7) != (c.texts.Labels[i] == 1) || rating < 1 || rating > 10 || rating == 5 || rating == 6 {
				t.Fatalf("%s: text %d has the label %d and the rating %d", c.name, i, c.texts.Labels[i], rating)
			}
			if i%4 != 0 {
				continue // some of them tell
			}
			lower := []byte(strings.ReplaceAll(text, ",", " "))
			for j, b := range lower {
				if 'A' <= b && b <= 'Z' {
					lower[j] += 'a' - 'A'
				}
			}
			var ids []int32
			for word := range strings.SplitSeq(space.Replace(string(lower)), " ") {
				if id, ok := index[word]; ok {
					ids = append(ids, int32(id))
				}
			}
			if !slices.Equal(ids, c.ids.Reviews[i]) {
				t.Fatalf("%s: text %d (%s) is not review %d", c.name, i, c.texts.Names[i], i)
			}
		}
	}
}

func TestRealUnsupervised(t *testing.T) {
	if testing.Short() {
		t.Skip("it reads 50,000 reviews more")
	}
	s, err := LoadUnsupervisedTexts(t.Context(), TextOptions{Path: shared.Path(t, "data/imdb"), NoShuffle: true})
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Texts) != 50000 || s.Labels != nil || s.Ratings != nil || s.Names[1] != "train/unsup/10000_0.txt" {
		t.Errorf("%d texts, %d labels, %q", len(s.Texts), len(s.Labels), s.Names[1])
	}
}

// FuzzArchive feeds archives that are out of order: an error or reviews, but neither a panic nor more memory than the
// archive's bytes unpack to.
func FuzzArchive(f *testing.F) {
	good := makeTar(f, "aclImdb/", []entry{{name: "README", text: "a"}, {name: "train/pos/2_7.txt", text: "fine"}, {name: "test/neg/0_1.txt", text: strings.Repeat("bad ", 300)}})
	f.Add(good, false)
	f.Add(zipped(f, good), true)
	f.Add(good[:2000], false)
	f.Add(makeTar(f, "", []entry{{name: "train/pos/0_9.txt", text: "/dev/zero", kind: tar.TypeSymlink}}), false)
	for changed := range boundary.Tar(makeTar(f, "", []entry{{name: "train/pos/2_7.txt", text: "fine"}})) {
		f.Add(changed, false)
	}
	f.Fuzz(func(t *testing.T, data []byte, packed bool) {
		for _, verify := range []bool{false, true} {
			c := newCollector(verify, trainPos, trainNeg, testPos, testNeg)
			var err error
			if packed {
				err = c.readArchive(bytes.NewReader(data), ratio.Limit{})
			} else {
				err = c.readTar(bytes.NewReader(data))
			}
			if err != nil {
				continue
			}
			if c.sort() != nil {
				continue
			}
			n := 0
			for k, reviews := range c.reviews {
				for _, r := range reviews {
					n++
					if !strings.HasPrefix(r.name, classes[k].folder+"/") || r.rating < 0 || r.rating > 10 || len(r.text) > maxReview {
						t.Errorf("%s: %q, %d", classes[k].folder, r.name, r.rating)
					}
				}
			}
			if n != c.len([]class{trainPos, trainNeg, testPos, testNeg}) || len(c.reviews[unsup]) > 0 {
				t.Errorf("%d reviews", n)
			}
		}
	})
}
