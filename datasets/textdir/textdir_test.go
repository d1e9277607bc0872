package textdir

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/linnet-ml/linnet/tensor"
)

// recorded is a case of testdata/directory.json: what Keras itself read.
type recorded struct {
	Name, Kind string
	Config     struct {
		Shuffle         *bool
		Seed            *int
		ValidationSplit float64 `json:"validation_split"`
		Subset          string
		LabelMode       string   `json:"label_mode"`
		ClassNames      []string `json:"class_names"`
	}
	Files    map[string][]string
	Expected struct {
		ClassNames []string `json:"class_names"`
		FirstPass  [][]struct {
			Text  string
			Label json.RawMessage
		} `json:"first_pass"`
		Order []int32
	}
}

func goldenCases(t *testing.T) []recorded {
	t.Helper()
	data, err := os.ReadFile("testdata/directory.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Cases []recorded }
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	return file.Cases
}

// rows writes the labels of each row as the recorded JSON has them.
func rows(t *testing.T, d *Dataset, mode string) []string {
	t.Helper()
	var out []string
	add := func(values []float32, width int) {
		for i := 0; i < len(values); i += width {
			parts := make([]string, width)
			for k, v := range values[i : i+width] {
				parts[k] = fmt.Sprintf("%.1f", v)
			}
			out = append(out, "["+strings.Join(parts, ", ")+"]")
		}
	}
	var err error
	var f *tensor.Float32
	switch mode {
	case "", "int":
		x, err := d.IntLabels()
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range x.Data() {
			out = append(out, fmt.Sprint(v))
		}
		return out
	case "binary":
		f, err = d.BinaryLabels()
	case "categorical":
		f, err = d.CategoricalLabels()
	}
	if err != nil {
		t.Fatal(err)
	}
	add(f.Data(), f.Shape()[1])
	return out
}

// The same files in the same subset with the same labels as Keras has them, and in its order before TensorFlow mixes
// them once more.
func TestKeras(t *testing.T) {
	orders := map[int][]int32{}
	for _, c := range goldenCases(t) {
		if c.Kind == "RandomState.shuffle of arange(13)" {
			orders[*c.Config.Seed] = c.Expected.Order
		}
	}
	n := 0
	for _, c := range goldenCases(t) {
		if c.Kind != "text_dataset_from_directory" {
			continue
		}
		n++
		t.Run(c.Name, func(t *testing.T) {
			fsys := fstest.MapFS{}
			var sorted []string
			for class, files := range c.Files {
				for _, f := range files {
					fsys[class+"/"+f] = &fstest.MapFile{Data: []byte(class + " " + f)}
					sorted = append(sorted, class+" "+f)
				}
			}
			slices.Sort(sorted)
			shuffle := c.Config.Shuffle == nil || *c.Config.Shuffle
			o := Options{ClassNames: c.Config.ClassNames, NoShuffle: !shuffle, Seed: c.Config.Seed, ValidationSplit: c.Config.ValidationSplit}
			switch c.Config.Subset {
			case "training":
				o.Subset = Training
			case "validation":
				o.Subset = Validation
			}
			d, err := Load(t.Context(), fsys, o)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.Expected.ClassNames, d.Classes); diff != "" {
				t.Error(diff)
			}
			var want, got []string
			for _, batch := range c.Expected.FirstPass {
				for _, row := range batch {
					want = append(want, row.Text+": "+string(row.Label))
				}
			}
			for i, label := range rows(t, d, c.Config.LabelMode) {
				got = append(got, d.Texts[i]+": "+label)
				if name := strings.Replace(d.Names[i], "/", " ", 1); name != d.Texts[i] {
					t.Errorf("row %d has the text %q and the name %q", i, d.Texts[i], d.Names[i])
				}
			}
			if shuffle {
				order := orders[*c.Config.Seed]
				k := int(c.Config.ValidationSplit * float64(len(order)))
				switch o.Subset {
				case Training:
					order = order[:len(order)-k]
				case Validation:
					order = order[len(order)-k:]
				}
				if diff := cmp.Diff(arranged(sorted, order), d.Texts); diff != "" {
					t.Error(diff)
				}
				slices.Sort(want)
				slices.Sort(got)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
	if n < 10 {
		t.Errorf("%d cases", n)
	}
}

func files(names ...string) fstest.MapFS {
	fsys := fstest.MapFS{}
	for _, name := range names {
		fsys[name] = &fstest.MapFile{Data: []byte("text of " + name)}
	}
	return fsys
}

// Which files count, and in which order: that of os.walk, sorted.
func TestOrder(t *testing.T) {
	fsys := files("b/2.txt", "b/10.TXT", "b/x.md", "b/sub/1.txt", "b/sub-1/1.txt", "b/.hidden.txt", "b/sub/deep/1.txt", "a/é.txt", "a/z.txt", "a/Z.txt",
		".git/config.txt", "top.txt", "empty/readme.md")
	d, err := Load(t.Context(), fsys, Options{NoShuffle: true})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"a/Z.txt", "a/z.txt", "a/é.txt", "b/.hidden.txt", "b/10.TXT", "b/2.txt", "b/sub/1.txt", "b/sub-1/1.txt", "b/sub/deep/1.txt"}
	if diff := cmp.Diff(want, d.Names); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"a", "b", "empty"}, d.Classes); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]int32{0, 0, 0, 1, 1, 1, 1, 1, 1}, d.Labels); diff != "" {
		t.Error(diff)
	}
	all := append([]string{"top.txt", ".git/config.txt"}, want...)
	d, err = Load(t.Context(), fsys, Options{NoShuffle: true, NoLabels: true})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(&Dataset{Texts: d.Texts, Names: all}, d); diff != "" {
		t.Error(diff)
	}
	if _, err := d.IntLabels(); err == nil {
		t.Error("labels of a data set without any")
	}
	labels := []int32{5, -2, 5, 5, 5, 5, 5, 5, 5, 10, 10}
	d, err = Load(t.Context(), fsys, Options{NoShuffle: true, Labels: labels})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(&Dataset{Texts: d.Texts, Names: all, Labels: labels, Classes: []string{"-2", "5", "10"}}, d); diff != "" {
		t.Error(diff)
	}
	// Labels go with their files into another order.
	d, err = Load(t.Context(), fsys, Options{Labels: labels, Seed: new(3)})
	if err != nil {
		t.Fatal(err)
	}
	for i, name := range d.Names {
		if want := labels[slices.Index(all, name)]; d.Labels[i] != want || d.Texts[i] != "text of "+name {
			t.Errorf("%s has the label %d, want %d, and the text %q", name, d.Labels[i], want, d.Texts[i])
		}
	}
}

// Without a seed the order is that of seed 0.
func TestDefaultSeed(t *testing.T) {
	var names []string
	for i := range 50 {
		names = append(names, fmt.Sprintf("%c/%d.txt", 'a'+i%2, i))
	}
	a, err := Load(t.Context(), files(names...), Options{})
	if err != nil {
		t.Fatal(err)
	}
	b, err := Load(t.Context(), files(names...), Options{Seed: new(0)})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(a, b); diff != "" || slices.IsSorted(a.Names) {
		t.Errorf("%s; %q", diff, a.Names)
	}
	train, validation, err := LoadBoth(t.Context(), files(names...), Options{ValidationSplit: 0.25})
	if err != nil {
		t.Fatal(err)
	}
	if len(validation.Texts) != 12 || !slices.Equal(append(train.Names, validation.Names...), a.Names) ||
		!slices.Equal(append(train.Labels, validation.Labels...), a.Labels) {
		t.Errorf("%q and %q", train.Names, validation.Names)
	}
}

func TestMaxLength(t *testing.T) {
	fsys := fstest.MapFS{"a/1.txt": {Data: []byte("caf\xc3\xa9")}, "a/2.txt": {Data: nil}, "a/3.txt": {Data: []byte("\xff\x00")}}
	d, err := Load(t.Context(), fsys, Options{NoShuffle: true, MaxLength: 4})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"caf\xc3", "", "\xff\x00"}, d.Texts); diff != "" {
		t.Error(diff)
	}
}

// Links to folders are classes, but below a class they are not followed; links to files are.
func TestLinks(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"data/a/1.txt", "elsewhere/2.txt", "elsewhere/sub/3.txt"} {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, nil, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for name, to := range map[string]string{"data/b": "elsewhere", "data/a/loop": "data", "data/a/4.txt": "elsewhere/2.txt", "data/nowhere": "none"} {
		if err := os.Symlink(filepath.Join(dir, filepath.FromSlash(to)), filepath.Join(dir, filepath.FromSlash(name))); err != nil {
			t.Skip(err)
		}
	}
	d, err := Load(t.Context(), os.DirFS(filepath.Join(dir, "data")), Options{NoShuffle: true})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"a/1.txt", "a/4.txt", "b/2.txt", "b/sub/3.txt"}, d.Names); diff != "" {
		t.Error(diff)
	}
}

// broken has files that cannot be opened.
type broken struct {
	files fstest.MapFS
	name  string
}

func (b broken) Open(name string) (fs.File, error) {
	if path.Clean(name) == b.name {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
	}
	return b.files.Open(name)
}

func TestErrors(t *testing.T) {
	good := files("a/1.txt", "a/2.txt", "b/1.txt")
	missing := os.DirFS(filepath.Join(t.TempDir(), "none"))
	for _, c := range []struct {
		fsys fs.FS
		o    Options
		want string
	}{
		{good, Options{NoLabels: true, Labels: []int32{1}}, "textdir: there are Labels, but NoLabels is set"},
		{good, Options{NoLabels: true, ClassNames: []string{"a"}}, "textdir: ClassNames go with the labels of folders only, not with Labels or NoLabels"},
		{good, Options{ClassNames: []string{"a", "b", "a"}}, `textdir: ClassNames has "a" twice`},
		{good, Options{ClassNames: []string{"a", "../c"}}, `textdir: ClassNames has "../c", which is none of the folders ["a" "b"]`},
		{good, Options{MaxLength: -1}, "textdir: MaxLength is -1; it must not be negative"},
		{good, Options{Seed: new(-1)}, "textdir: Seed is -1; it must be from 0 to 4294967295"},
		{good, Options{Seed: new(1), NoShuffle: true}, "textdir: Seed is 1, but NoShuffle is set"},
		{good, Options{ValidationSplit: 1, Subset: Training}, "textdir: ValidationSplit is 1; it must be between 0 and 1"},
		{good, Options{ValidationSplit: -0.5, Subset: Training}, "textdir: ValidationSplit is -0.5; it must be between 0 and 1"},
		{good, Options{ValidationSplit: 0.5}, "textdir: a ValidationSplit needs a Subset (LoadBoth returns both)"},
		{good, Options{Subset: Validation}, "textdir: the Subset validation needs a ValidationSplit"},
		{good, Options{Subset: 3}, "textdir: there is no Subset(3)"},
		{good, Options{ValidationSplit: 0.3, Subset: Validation}, "textdir: a ValidationSplit of 0.3 leaves none of 3 text files for validation"},
		{good, Options{Labels: []int32{1, 2}}, "textdir: 2 Labels for 3 text files"},
		{good, Options{Labels: []int32{}}, "textdir: 0 Labels for 3 text files"},
		{files("1.txt", "a/1.md"), Options{}, "textdir: no text files found; their names must end in .txt, and they must lie in a folder for each class"},
		{missing, Options{}, fmt.Sprintf("textdir: the folder %q does not exist: ", missing)},
		{missing, Options{NoLabels: true}, fmt.Sprintf("textdir: the folder %q does not exist: ", missing)},
		{fstest.MapFS(nil), Options{}, "textdir: no text files found; their names must end in .txt, and they must lie in a folder for each class"},
		{broken{good, "."}, Options{}, "textdir: the folder of the data set cannot be read: permission denied"},
		{broken{good, "a/2.txt"}, Options{}, "textdir: open a/2.txt: permission denied"},
		{broken{good, "b"}, Options{}, "textdir: open b: permission denied"},
	} {
		_, err := Load(t.Context(), c.fsys, c.o)
		if err == nil || err.Error() != c.want && !(strings.HasSuffix(c.want, ": ") && strings.HasPrefix(err.Error(), c.want)) {
			t.Errorf("error %v\nwant  %s", err, c.want)
		}
	}
	for _, c := range []struct {
		o    Options
		want string
	}{
		{Options{}, "textdir: LoadBoth needs a ValidationSplit, the share of the files that validate"},
		{Options{ValidationSplit: 0.3}, "textdir: a ValidationSplit of 0.3 leaves none of 3 text files for validation"},
		{Options{ValidationSplit: 0.5, Subset: Training}, "textdir: the Subset training is set for LoadBoth"},
	} {
		if _, _, err := LoadBoth(t.Context(), good, c.o); err == nil || err.Error() != c.want {
			t.Errorf("error %v\nwant  %s", err, c.want)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Load(ctx, good, Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

func TestLabelErrors(t *testing.T) {
	d, err := Load(t.Context(), files("a/1.txt", "b/1.txt", "c/1.txt"), Options{NoShuffle: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.BinaryLabels(); err == nil || err.Error() != `textdir: binary labels need exactly 2 classes, and there are 3: ["a" "b" "c"]` {
		t.Errorf("error %v", err)
	}
	d = &Dataset{Names: []string{"x", "y"}, Labels: []int32{0, 7}, Classes: []string{"0", "7"}}
	if _, err := d.BinaryLabels(); err == nil || err.Error() != "textdir: y has the label 7, which is neither 0 nor 1" {
		t.Errorf("error %v", err)
	}
	if _, err := d.CategoricalLabels(); err == nil || err.Error() != "textdir: y has the label 7, but there are 2 classes, from 0 on" {
		t.Errorf("error %v", err)
	}
}
