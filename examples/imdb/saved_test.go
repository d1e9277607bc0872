package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/linnet-ml/linnet/examples/internal/exampletest"
	"github.com/linnet-ml/linnet/model"
)

// A training in several processes leaves the bytes of one in one process: weights, state and history. So does one that
// EarlyStopping ended: its file has the best weights to predict with and the last ones to go on from.
func TestResume(t *testing.T) {
	for _, c := range []struct {
		args   string
		epochs []string
	}{
		{"", []string{"1", "3", "4"}},
		{"-input multihot -threads 2", []string{"1", "2"}},
		{"-lr 0.02 -patience 2", []string{"4", "7", "30"}}, // it overfits in the first process and ends in the second or third
		{"-lr 0.02 -patience 0", []string{"29", "30"}},     // it ends in the first, and there is nothing left to do
	} {
		if testing.Short() && c.args != "" {
			break
		}
		underTest.Resumes(t, c.epochs, strings.Fields(c.args)...)
	}
}

// What Ctrl-C ended is saved, and goes on as if nothing had happened.
func TestResumeAfterInterrupt(t *testing.T) {
	dir := t.TempDir()
	want, got := filepath.Join(dir, "want.linnet"), filepath.Join(dir, "got.linnet")
	args := []string{"-patience", "1", "-epochs", "3"}
	program(t, 0, append(args, "-save", want)...)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var stdout bytes.Buffer
	if code := run(ctx, append(args, "-save", got), &stdout, &exampletest.StopAt{Texts: []string{"Epoch 2/3"}, Stop: cancel}); code != 130 || !strings.Contains(stdout.String(), "Saved as "+got) {
		t.Fatalf("exit code %d\n%s", code, stdout.String())
	}
	again, _ := program(t, 0, append(args, "-resume", got, "-save", got)...)
	if !strings.Contains(again, "Going on from "+got+", which has 2 epochs.\n") || !strings.Contains(again, "\n1 epoch in ") {
		t.Errorf("the second run says:\n%s", again)
	}
	exampletest.SameFiles(t, want, got)
}

// A loaded model is tested and asked without training, and without the flags that it was trained with.
func TestLoad(t *testing.T) {
	for _, flags := range []string{"", "-words 3000 -dim 5 -loss mse -batch 300", "-input multihot"} {
		if testing.Short() && flags != "" {
			break
		}
		file := filepath.Join(t.TempDir(), "m.linnet")
		try := []string{"-try", "A great film, the best I have ever seen"}
		report := filepath.Join(t.TempDir(), "report.json")
		trained, _ := program(t, 0, slices.Concat(strings.Fields(flags), []string{"-epochs", "1", "-quiet", "-save", file, "-report", report}, try)...)
		want := readReport(t, report)
		loaded, stderr := program(t, 0, append(try, "-quiet", "-load", file, "-report", report)...)
		if loaded != trained || stderr != "" {
			t.Errorf("%s: it prints\n%s%swant\n%s", flags, loaded, stderr, trained)
		}
		if got := readReport(t, report); got.WeightsSHA256 != want.WeightsSHA256 || *got.TestLoss != *want.TestLoss || len(got.EpochS) != 0 {
			t.Errorf("%s: the report has %+v, want %+v", flags, got, want)
		}
		shown, _ := program(t, 0, "-load", file)
		for _, text := range []string{"\n4. Load the model\n", "\nFrom: " + file + ", trained for 1 epoch. Loss: ", "\n5. Evaluate the model\n"} {
			if !strings.Contains(shown, text) {
				t.Errorf("%s: the output lacks %q:\n%s", flags, text, shown)
			}
		}
		ctx, cancel := context.WithCancel(t.Context())
		var text bytes.Buffer
		code := run(ctx, []string{"-load", file}, &exampletest.StopAt{Texts: []string{"Load the model"}, Stop: cancel}, &text)
		if want := "imdb: interrupted before the model was tested\n"; code != 130 || text.String() != want {
			t.Errorf("%s: Ctrl-C: exit code %d, %s", flags, code, text.String())
		}
		cancel()
	}
}

// Files that cannot be gone on with, or that this program did not save, are errors that name flag and file. They come
// before the reviews are read, and leave the file as it is.
func TestSavedErrors(t *testing.T) {
	dir := t.TempDir()
	file, bare, foreign, damaged := filepath.Join(dir, "m.linnet"), filepath.Join(dir, "bare.linnet"), filepath.Join(dir, "foreign.linnet"), filepath.Join(dir, "damaged.linnet")
	program(t, 0, "-quiet", "-epochs", "2", "-save", file)
	open, err := model.Load(t.Context(), file, model.LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer open.Close()
	if got := open.Info.Labels["output"]; !slices.Equal(got, []string{"negative", "positive"}) || len(open.Info.History.Epochs) != 2 {
		t.Errorf("the file has labels %q and history %v", got, open.Info.History)
	}
	save := func(path string, metadata map[string]string) {
		if err := model.Save(t.Context(), path, open.Model, model.SaveOptions{Info: model.Info{Metadata: metadata}}); err != nil {
			t.Fatal(err)
		}
	}
	save(bare, open.Info.Metadata)
	save(foreign, nil)
	settings := map[string]string{}
	for key, text := range open.Info.Metadata {
		if err := json.Unmarshal([]byte(text), &settings); err != nil {
			t.Fatal(err)
		}
		settings["words"] = "-1"
		text, err := json.Marshal(settings)
		if err != nil {
			t.Fatal(err)
		}
		save(damaged, map[string]string{key: string(text)})
	}
	before, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args string
		code int
		want string
	}{
		{"-save=", 2, "-save is empty"},
		{"-load m -save n", 2, "-save does not go with -load, which takes the network from its file and trains nothing"},
		{"-load m -resume n", 2, "-resume does not go with -load, which takes the network from its file and trains nothing"},
		{"-load m -plot p.png", 2, "-plot does not go with -load, which takes the network from its file and trains nothing"},
		{"-load m -history h.csv", 2, "-history does not go with -load, which takes the network from its file and trains nothing"},
		{"-load m -epochs 3", 2, "-epochs does not go with -load, which takes the network from its file and trains nothing"},
		{"-save m -report ./m", 2, "-save and -report name the same file"},
		{"-resume m -history m", 2, "-resume and -history name the same file"},
		{"-save " + dir, 1, "-save: " + dir + " is a folder"},
		{"-load " + filepath.Join(dir, "none"), 1, "-load: model: stat " + filepath.Join(dir, "none") + ": "},
		{"-load " + foreign, 1, "-load: " + foreign + " is not a model that imdb saved"},
		{"-load " + damaged, 1, "-load: the settings in " + damaged + ": -words -1 is not from 4 to 100000"},
		{"-resume " + bare, 1, "-resume: " + bare + ": the file has no training state"},
		{"-resume " + file + " -dim 8", 1, "-resume: " + file + ": its training has -dim 16, and this one -dim 8"},
		{"-resume " + file + " -seed 2 -save " + file, 1, "-resume: " + file + ": its training has -seed 1, and this one -seed 2"},
		{"-resume " + file + " -epochs 1 -save " + file, 2, "-epochs 1 is less than the 2 of " + file + ", which -resume goes on from"},
	} {
		stdout, stderr := program(t, c.code, append(strings.Fields(c.args), "-data", "none")...)
		if want := "imdb: " + c.want; !strings.HasPrefix(stderr, want) || strings.Count(stderr, "\n") != 1 || stdout != "" {
			t.Errorf("%s:\ngot  %swant %s\n%s", c.args, stderr, want, stdout)
		}
	}
	after, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(before, after) {
		t.Error("an error changed the file")
	}
}
