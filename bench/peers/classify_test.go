package main

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/linnet-ml/linnet/classifier"
	"github.com/linnet-ml/linnet/classifier/evaluation"
)

func TestParseTrained(t *testing.T) {
	text := `{"file":"x","bytes":2500000,"report":{"rows":80,"best":{"recipe":"words 1-2","accuracy":0.9}}}`
	m, err := parseTrained([]byte(text), 80)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(measurement{map[string]float64{"file_mb": 2.5}, map[string]string{"recipe": "words 1-2"}}, m, cmp.AllowUnexported(measurement{})); d != "" {
		t.Error(d)
	}
	// A program that left rows out has done something else.
	if _, err := parseTrained([]byte(text), 81); err == nil || err.Error() != "linnet learned from 80 rows of 81" {
		t.Errorf("got %v", err)
	}
	for _, bad := range []string{"", "{}", `{"bytes":1}`, `{"bytes":1,"report":{"rows":80}}`} {
		if _, err := parseTrained([]byte(bad), 80); err == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
}

func TestParseAnswers(t *testing.T) {
	truth := [][]string{{"a"}, {"b"}, {"new"}}
	a, probable, err := parseAnswers([]byte(`{"classes":["a","b"],"several":false}
{"given":["a"],"probabilities":[0.75,0.25]}
{"given":["a"],"probabilities":[0.5,0.5]}
{"given":["b"],"probabilities":[0,1]}
`), truth)
	want := &evaluation.Answers{
		Classes: []string{"a", "b"}, True: [][]int32{{0}, {1}, {evaluation.Unknown}}, Given: [][]int32{{0}, {0}, {1}},
		Probabilities: []float32{0.75, 0.25, 0.5, 0.5, 0, 1},
	}
	if d := cmp.Diff(want, a); d != "" || err != nil || !probable {
		t.Errorf("%s, %v, %v", d, probable, err)
	}
	head, row := `{"classes":["a","b"]}`+"\n", `{"given":["a"],"probabilities":null}`+"\n"
	if _, probable, err := parseAnswers([]byte(head+row+row+row), truth); err != nil || probable {
		t.Errorf("without probabilities: %v, %v", probable, err)
	}
	for text, want := range map[string]string{
		"":                             "end early",
		head + row + row:               "text 3 of 3: they end early",
		head + row + row + row + row:   "more than 3 texts",
		head + `{"given":["c"]}`:       `"c" is none of the classes`,
		head + `{"probabilities":[1]}`: "text 1 has 1 probabilities for 2 classes",
	} {
		if _, _, err := parseAnswers([]byte(text), truth); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %s", text, err, want)
		}
	}
}

// The interval of 8 of 10 as textbooks give it.
func TestWilson(t *testing.T) {
	low, high := wilson(0.8, 10)
	if math.Abs(low-0.4902) > 5e-5 || math.Abs(high-0.9433) > 5e-5 {
		t.Errorf("from %.5f to %.5f", low, high)
	}
	if low, high := wilson(0, 0); low != 0 || high != 1 {
		t.Errorf("of nothing: from %v to %v", low, high)
	}
}

func TestGoalReached(t *testing.T) {
	r := &evaluation.Report{Classes: []evaluation.Class{{}, {True: 50, Given: 10, Precision: 0.8, Recall: 0.16}}}
	for _, c := range []struct {
		flag           string
		asked          float64
		reached, short float64
	}{{"--precision", 0.94, 0.8, 0}, {"--precision", 0.95, 0.8, 0.0067}, {"--recall", 0.2, 0.16, 0}, {"--recall", 0.95, 0.16, 0.6649}} {
		m, err := goalReached(c.flag, c.asked, r)
		if f := m.figures; err != nil || f["reached"] != c.reached || math.Abs(f["short"]-c.short) > 5e-5 || f["low"] >= c.reached || f["high"] <= c.reached {
			t.Errorf("%s %v: %v, %v", c.flag, c.asked, m.figures, err)
		}
	}
	if _, err := goalReached("--recall", 0.9, &evaluation.Report{Classes: make([]evaluation.Class, 3)}); err == nil {
		t.Error("a goal with three classes")
	}
}

func someRows(n int) (rows []classifier.Example) {
	for i := range n {
		rows = append(rows, classifier.Example{Text: fmt.Sprint("text ", i), Labels: []string{[]string{"a", "a", "b"}[i%3]}})
	}
	return rows
}

// Held-out rows are never learned, and each label has its share of both parts.
func TestFold(t *testing.T) {
	rows := someRows(150)
	rest, held := fold(rows)
	count := func(rows []classifier.Example) (a, b int, all []string) {
		for _, e := range rows {
			if e.Labels[0] == "a" {
				a++
			} else {
				b++
			}
			all = append(all, e.Text)
		}
		return a, b, all
	}
	a, b, learned := count(rest)
	c, d, asked := count(held)
	if a != 80 || b != 40 || c != 20 || d != 10 {
		t.Errorf("%d and %d learned, %d and %d held out", a, b, c, d)
	}
	for _, text := range asked {
		if slices.Contains(learned, text) {
			t.Errorf("%q is in both", text)
		}
	}
	again, _ := fold(rows)
	if cmp.Diff(rest, again) != "" {
		t.Error("another fold in another run")
	}
	a, b, small := count(subset(rest, 30))
	if a != 20 || b != 10 {
		t.Errorf("%d and %d in a subset of 30", a, b)
	}
	_, _, larger := count(subset(rest, 60))
	for _, text := range small {
		if !slices.Contains(larger, text) {
			t.Errorf("%q is in the smaller subset alone", text)
		}
	}
}

// What was written is what was read, in each form.
func TestWriteData(t *testing.T) {
	rows := []classifier.Example{{Text: "one, \"quoted\"\tand\ttabs", Labels: []string{"x"}}, {Text: "<b>ä</b> \\ 2", Labels: []string{"y"}}, {Text: `"`, Labels: []string{"x"}}, {Text: "four", Labels: []string{"y"}}}
	for _, d := range datasets {
		b := &bench{settings: settings{shared: t.TempDir(), part: heldOutPart}}
		folder := filepath.Join(b.shared, "data", filepath.Dir(d.files))
		written, err := b.writeData(d, folder, rows, rows[:1])
		if err != nil {
			t.Fatal(err)
		}
		if written.rows != 4 || cmp.Diff([][]string{{"x"}}, written.truth) != "" {
			t.Errorf("%s: %+v", d.key, written)
		}
		if d.form == "" {
			text, err := os.ReadFile(filepath.Join(written.train, "y", "000001.txt"))
			if err != nil || string(text) != rows[1].Text {
				t.Errorf("%q, %v", text, err)
			}
			continue
		}
		d.files = filepath.Dir(d.files) + "/%s" + d.form
		got, err := b.readData(t.Context(), d, "train")
		if diff := cmp.Diff(rows, got); diff != "" || err != nil {
			t.Errorf("%s: %s, %v", d.key, diff, err)
		}
	}
}

// fakeData writes small data sets in the places and forms of the real ones. Words decide the labels.
func fakeData(t *testing.T) (shared string) {
	t.Helper()
	shared = t.TempDir()
	zipped := func(path string, write func(io.Writer) error) {
		path = filepath.Join(shared, "data", filepath.FromSlash(path))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := writeFile(path, func(w io.Writer) error {
			z := gzip.NewWriter(w)
			if err := write(z); err != nil {
				return err
			}
			return z.Close()
		}); err != nil {
			t.Fatal(err)
		}
	}
	labels := map[string][]string{"spam": {"ham", "spam"}, "imdb": {"neg", "pos"}, "corn-grain": {"corn", "grain"}, "r8": {"acq", "earn", "trade"}, "20ng": {"x", "y", "z"}}
	rowsOf := func(key, part string) (rows []classifier.Example) {
		n := map[string]int{"train": 120, "test": 30}[part]
		for i := range n {
			label := labels[key][i%len(labels[key])]
			e := classifier.Example{Text: fmt.Sprintf("%s number %d says %s and %s", part, i, strings.Repeat(label, 2), label), Labels: []string{label}}
			if key == "corn-grain" && i%5 == 0 {
				e = classifier.Example{Text: fmt.Sprintf("%s number %d of nothing", part, i)}
			}
			rows = append(rows, e)
		}
		return rows
	}
	for _, d := range datasets {
		if d.form == "" {
			zipped(d.files, func(w io.Writer) error {
				out := tar.NewWriter(w)
				for _, part := range []string{"train", "test"} {
					for i, e := range rowsOf(d.key, part) {
						if err := out.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: fmt.Sprintf("aclImdb/%s/%s/%d_1.txt", part, e.Labels[0], i), Mode: 0o644, Size: int64(len(e.Text))}); err != nil {
							return err
						}
						if _, err := io.WriteString(out, e.Text); err != nil {
							return err
						}
					}
				}
				return out.Close()
			})
			continue
		}
		for _, part := range []string{"train", "test"} {
			zipped(fmt.Sprintf(d.files, part), func(w io.Writer) error {
				if d.form == ".jsonl" {
					return writeLines(w, rowsOf(d.key, part), d.several)
				}
				return writeRecords(w, rowsOf(d.key, part), d.form == ".tsv")
			})
		}
	}
	return shared
}

// fakePython makes an environment whose Python answers every text with the first class, and notes what it learned from.
func fakePython(t *testing.T) (venv, learned string) {
	t.Helper()
	venv, learned = t.TempDir(), filepath.Join(t.TempDir(), "learned")
	script := `#!/bin/sh
case "$1" in
-c) printf 'scikit-learn 1.9.1\nnumpy 2.4.6\nfasttext-wheel 0.9.2\n' ;;
*) case "$3" in
   train) echo "$2 $4" >>` + learned + `; echo model >"$5"
     echo '{"train_s": 90, "cpu_s": 80, "bytes": 5000000, "rows": 120, "sklearn": "1.9.1"}' ;;
   predict) echo '{"classes": ["neg", "pos"], "several": false}' >"$6"
     while read -r line; do echo '{"given": ["neg"], "probabilities": [0.75, 0.25]}'; done <"$5" >>"$6"
     echo '{"predict_us": 7.5, "predict_one_us": 8.5}' ;;
   esac ;;
esac
`
	if err := os.MkdirAll(filepath.Dir(pythonIn(venv)), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(pythonIn(venv), []byte(script), 0o777); err != nil {
		t.Fatal(err)
	}
	return venv, learned
}

// The whole way of -part test, on small made-up data: real test data is asked once.
func TestClassifyTestPart(t *testing.T) {
	if testing.Short() || runtime.GOOS == "windows" {
		t.Skip("it builds programs, and a shell script stands for Python")
	}
	shared := fakeData(t)
	venv, learned := fakePython(t)
	out := filepath.Join(t.TempDir(), "RESULTS.md")
	var log strings.Builder
	err := run(t.Context(), []string{"-only", "classify,linnet,nblr,linnet-spam-recall", "-part", "test", "-shared", shared, "-venv", venv, "-out", out}, io.Discard, &log)
	if err != nil {
		t.Fatalf("%v\n%s", err, log.String())
	}
	text, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	p := classifyPartOf(classifyKey, testPart)
	for _, want := range []string{
		p.begin + "\n## Classifiers of texts", "\n" + p.end + "\n", "with 1 thread to learn on", testNote, "- scikit-learn 1.9.1", "- linnet's choice for imdb: ",
		"| R8: accuracy | at least 0.976 | 1.0000 | yes |", "| reviews: accuracy with a budget | at least 0.921 | not measured | – |",
		"| corn and grain: macro-F1 | at least 0.85 |", "| spam, linnet train --recall 0.95 | 0.95 | 1.0000 |",
		// A class of 15 of 30 rows, each answered with a probability of 0.75.
		" | 5.000 | 7.5 | ", " | 8.5 | 0.5000 | 0.3333 | 0.0000 | 0.2500 |",
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if read, err := os.ReadFile(learned); err != nil || !strings.HasPrefix(string(read), "nblr ") || !strings.HasSuffix(string(read), "/train\n") {
		t.Errorf("learned from %q, %v", read, err)
	}
	// Held-out rows come from the training data: there need not be any other.
	for _, d := range datasets {
		if d.form != "" {
			if err := os.Remove(filepath.Join(shared, "data", fmt.Sprintf(d.files, "test"))); err != nil {
				t.Fatal(err)
			}
		}
	}
	var table strings.Builder
	if err := run(t.Context(), []string{"-only", "classify-r8,classify-size-20ng,classify-time,linnet,size-trained,size-100KB,time-none", "-shared", shared, "-venv", venv}, &table, &log); err != nil {
		t.Fatalf("%v\n%s", err, log.String())
	}
	for _, want := range []string{"-only classify -->", "-only classify-size -->", "-only classify-time -->", heldOutNote, "| 100KB |", "| no option |"} {
		if !strings.Contains(table.String(), want) {
			t.Errorf("no %q in\n%s", want, table.String())
		}
	}
	if strings.Contains(table.String(), "R8: accuracy") {
		t.Error("a target of test data is judged on held-out rows")
	}
}

// A linnet without --budget is an error in the tables, and a note in the curve.
func TestClassifyWithoutBudget(t *testing.T) {
	if testing.Short() || runtime.GOOS == "windows" {
		t.Skip("it builds a program, and a shell script stands for linnet")
	}
	program := filepath.Join(t.TempDir(), "linnet")
	if err := os.WriteFile(program, []byte("#!/bin/sh\necho no such flag here\n"), 0o777); err != nil {
		t.Fatal(err)
	}
	repository, err := findRepository()
	if err != nil {
		t.Fatal(err)
	}
	prepare := func(only string) (map[string]string, error) {
		b := &bench{settings: settings{only: only, linnet: program, shared: fakeData(t), part: heldOutPart, threads: 1}, repository: repository, scratch: t.TempDir(), log: io.Discard}
		sections, _, _, err := b.choose()
		if err != nil {
			t.Fatal(err)
		}
		return b.prepareClassify(context.Background(), sections)
	}
	if _, err := prepare("classify-imdb,linnet,linnet-budget"); err == nil || !strings.Contains(err.Error(), "linnet train has no --budget") {
		t.Errorf("got %v", err)
	}
	missing, err := prepare("classify-time,time-none,time-15s")
	if want := map[string]string{"time-15s": "linnet train has no --budget"}; err != nil || cmp.Diff(want, missing) != "" {
		t.Errorf("got %v, %v", missing, err)
	}
}

// Each part of the results has markers of its own.
func TestClassifyParts(t *testing.T) {
	seen := map[string]bool{mainPart.begin: true, hubPart.begin: true, loadPart.begin: true}
	for _, name := range classifyKeys {
		for _, data := range []string{heldOutPart, testPart} {
			if name != classifyKey && data == testPart {
				continue
			}
			p := classifyPartOf(name, data)
			if seen[p.begin] || p.title == "" {
				t.Errorf("%s, %s: %+v", name, data, p)
			}
			seen[p.begin] = true
		}
	}
	for _, bad := range []string{"-part test", "-part test -only classify-rows", "-part test -only hub", "-part x -only classify", "-threads 0"} {
		if _, _, err := parseFlags(strings.Fields(bad), io.Discard); err == nil {
			t.Errorf("%s is accepted", bad)
		}
	}
	s, _, err := parseFlags(strings.Fields("-part test -only classify"), io.Discard)
	if err != nil || !s.wholeClassify(classifyKey) || s.whole() || s.wholeHub() || s.wholeLoad() {
		t.Errorf("%+v, %v", s, err)
	}
	for _, args := range []string{"-only classify-imdb", "-only classify -quick", "-only classify,linnet", "-only classify -linnet x"} {
		if s, _, err := parseFlags(strings.Fields(args), io.Discard); err != nil || s.wholeClassify(classifyKey) {
			t.Errorf("%s: a whole run, %v", args, err)
		}
	}
}

// -linnet-args adds a run to each data set, and takes none away.
func TestLinnetArgs(t *testing.T) {
	b := &bench{settings: settings{linnetArgs: "--max-features 1000 --seed 2"}}
	var got []string
	for _, d := range datasets {
		for _, r := range b.linnetRuns(d) {
			got = append(got, d.key+":"+r.key+" "+strings.Join(r.args, " "))
		}
	}
	want := []string{
		"r8:linnet ", "r8:linnet-extra --max-features 1000 --seed 2", "20ng:linnet ", "20ng:linnet-extra --max-features 1000 --seed 2",
		"spam:linnet ", "spam:linnet-extra --max-features 1000 --seed 2", "corn-grain:linnet ", "corn-grain:linnet-extra --max-features 1000 --seed 2",
		"imdb:linnet ", "imdb:linnet-budget --budget 120s", "imdb:linnet-extra --max-features 1000 --seed 2",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}
