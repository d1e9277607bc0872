package main

import (
	"bytes"
	"context"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/linnet-ml/linnet/examples/internal/exampletest"
	"github.com/linnet-ml/linnet/model"
)

// A training in several processes leaves the bytes of one in one process, weights, state and history: that of all epochs,
// and that which stops early.
func TestResume(t *testing.T) {
	notUnderRace(t)
	vectors := write(t, "words.txt", "good 1 2\nbad -1 -2\ngreat 3 1\nworst -2 1\n")
	for _, c := range []struct {
		args   string
		epochs []string
	}{
		{"-module builtin -data builtin", []string{"1", "3"}},
		{"-module builtin -data builtin -patience -1 -trainable=false -combiner mean", []string{"1", "2"}},
		{"-lr 0.1 -patience 1 -module " + vectors, []string{"1", "3", "12"}}, // it stops in the second or third process
	} {
		if testing.Short() && strings.Contains(c.args, "builtin") {
			continue
		}
		underTest.Resumes(t, c.epochs, strings.Fields(c.args)...)
	}
}

// What Ctrl-C ended is saved, in either training, and goes on as if nothing had happened.
func TestResumeAfterInterrupt(t *testing.T) {
	notUnderRace(t)
	vectors := write(t, "words.txt", "good 1 2\nbad -1 -2\ngreat 3 1\nworst -2 1\n")
	dir := t.TempDir()
	want, got := filepath.Join(dir, "want.linnet"), filepath.Join(dir, "got.linnet")
	args := []string{"-epochs", "3", "-module", vectors}
	program(t, 0, append(args, "-save", want)...)
	for _, c := range []struct {
		at    []string
		wants []string // of the second run
	}{
		{[]string{"Epoch 2/3"}, []string{"Going on from " + got + ", which has 2 epochs.\n1 epoch in ", "\n10. Stop in time\n", "\n3 epochs in "}},
		{[]string{"Stop in time", "Epoch 2/3"}, []string{"Going on from " + got + ", which has 2 epochs.\nIt stops in time: ", "\n1 epoch in ", ", weights of epoch "}},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		var stdout, stderr bytes.Buffer
		stop := &exampletest.StopAt{Texts: slices.Clone(c.at), Stop: cancel}
		code := run(ctx, append(args, "-save", got), both{&stdout, stop}, both{&stderr, stop})
		cancel()
		if code != 130 || strings.Count(stdout.String(), "Saved as "+got) != 1 {
			t.Fatalf("at %q: exit code %d\n%s%s", c.at, code, stdout.String(), stderr.String())
		}
		again, _ := program(t, 0, append(args, "-resume", got, "-save", got)...)
		for _, text := range c.wants {
			if !strings.Contains(again, text) {
				t.Errorf("at %q: the second run lacks %q:\n%s", c.at, text, again)
			}
		}
		exampletest.SameFiles(t, want, got)
	}
}

// both writes to a buffer and to what stops the program.
type both struct {
	text *bytes.Buffer
	stop *exampletest.StopAt
}

func (b both) Write(p []byte) (int, error) {
	b.text.Write(p)
	return b.stop.Write(p)
}

// A loaded model is tested and asked without its module, and without the flags that it was trained with.
func TestLoad(t *testing.T) {
	notUnderRace(t)
	vectors := write(t, "words.txt", "good 1 2\nbad -1 -2\ngreat 3 1\n")
	for _, flags := range []string{"-patience -1 -trainable=false -seed 5 -combiner sum -units 5 -module " + vectors, "-patience 1"} {
		file, report := filepath.Join(t.TempDir(), "m.linnet"), filepath.Join(t.TempDir(), "report.json")
		try := []string{"-try", "A great film, the best I have ever seen; zyzzyva!"}
		trained, _ := program(t, 0, slices.Concat(strings.Fields(flags), []string{"-epochs", "1", "-quiet", "-save", file, "-report", report}, try)...)
		want := readReport(t, report)
		loaded, stderr := program(t, 0, append(try, "-quiet", "-load", file, "-report", report)...)
		// The last test and the score are the same; what the network is called is not.
		lines := strings.SplitAfter(trained, "\n")
		test, _, _ := strings.Cut(lines[len(lines)-3], " (")
		if want := test + " (" + file + ")\n" + lines[len(lines)-2]; loaded != want || stderr != "" {
			t.Errorf("%s: it prints\n%s%swant\n%s", flags, loaded, stderr, want)
		}
		sum := want.FullWeightsSHA256
		if want.Stopped != nil {
			sum = want.WeightsSHA256
		}
		got := readReport(t, report)
		if got.FullWeightsSHA256 != sum || got.Stopped != nil || got.Module != want.Module || got.Trainable != want.Trainable || got.Seed != want.Seed || got.Scale != want.Scale {
			t.Errorf("%s: the report has %+v, want %+v", flags, got, want)
		}
		ctx, cancel := context.WithCancel(t.Context())
		var text bytes.Buffer
		code := run(ctx, []string{"-load", file}, &exampletest.StopAt{Texts: []string{"Load the model"}, Stop: cancel}, &text)
		if want := "imdb_hub: interrupted before the model was tested\n"; code != 130 || text.String() != want {
			t.Errorf("%s: Ctrl-C: exit code %d, %s", flags, code, text.String())
		}
		cancel()
	}
}

// Files that cannot be gone on with, or that this program did not save, are errors that name flag and file.
func TestSavedErrors(t *testing.T) {
	notUnderRace(t)
	vectors, others := write(t, "words.txt", "good 1 2\nbad -1 -2\n"), write(t, "others.txt", "good 1 2\nbad -1 -2\n")
	dir := t.TempDir()
	file, bare, foreign := filepath.Join(dir, "m.linnet"), filepath.Join(dir, "bare.linnet"), filepath.Join(dir, "foreign.linnet")
	program(t, 0, "-quiet", "-epochs", "2", "-save", file, "-module", vectors, "-data", "builtin")
	open, err := model.Load(t.Context(), file, model.LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer open.Close()
	if got := open.Info.Labels["output"]; !slices.Equal(got, []string{"negative", "positive"}) || len(open.Info.History.Epochs) != 2 {
		t.Errorf("the file has labels %q and history %v", got, open.Info.History)
	}
	for path, metadata := range map[string]map[string]string{bare: open.Info.Metadata, foreign: nil} {
		if err := model.Save(t.Context(), path, open.Model, model.SaveOptions{Info: model.Info{Metadata: metadata}}); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		args string
		code int
		want string
	}{
		{"-load=", 2, "-load is empty"},
		{"-load m -save n", 2, "-save does not go with -load, which takes the network from its file and trains nothing"},
		{"-load m -module n", 2, "-module does not go with -load, which takes the network from its file and trains nothing"},
		{"-load m -plot p.png", 2, "-plot does not go with -load, which takes the network from its file and trains nothing"},
		{"-load m -patience -1", 2, "-patience does not go with -load, which takes the network from its file and trains nothing"},
		{"-save m -history m", 2, "-save and -history name the same file"},
		{"-save " + dir, 1, "-save: " + dir + " is a folder"},
		{"-load " + foreign, 1, "-load: " + foreign + " is not a model that imdb_hub saved"},
		{"-load " + vectors, 1, "-load: model: " + vectors + ": "},
		{"-resume " + bare, 1, "-resume: " + bare + ": the file has no training state"},
		{"-resume " + file + " -units 8", 1, "-resume: " + file + ": its training has -units 16, and this one -units 8"},
		{"-resume " + file + " -patience -1", 1, "-resume: " + file + ": its training has -patience 3, and this one -patience -1"},
		{"-resume " + file + " -epochs 1", 2, "-epochs 1 is less than the 2 of " + file + ", which -resume goes on from"},
		{"-data builtin -resume " + file + " -module " + others, 1, "-resume: " + file + ": its training has -module words, and this one -module others"},
		{"-data builtin -resume " + file + " -scale 2 -module " + vectors, 1, "-resume: " + file + ": its training has -scale 0.1, and this one -scale 2"},
	} {
		args := append(strings.Fields(c.args), "-quiet")
		if !strings.HasPrefix(c.args, "-data") {
			args = append(args, "-data", "none") // nothing is read before
		}
		stdout, stderr := program(t, c.code, args...)
		if want := "imdb_hub: " + c.want; !strings.HasPrefix(stderr, want) || strings.Count(stderr, "\n") != 1 || stdout != "" {
			t.Errorf("%s:\ngot  %swant %s\n%s", c.args, stderr, want, stdout)
		}
	}
}
