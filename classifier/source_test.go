package classifier

import (
	"bytes"
	"context"
	"errors"
	"iter"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"
)

// rereading is a source whose texts are overwritten after they were yielded, as those of a reader's buffer are.
func rereading(examples []Example, reads *atomic.Int64) Source {
	return func(context.Context) iter.Seq2[Example, error] {
		return func(yield func(Example, error) bool) {
			reads.Add(1)
			var buffer []byte
			for _, e := range examples {
				buffer = append(buffer[:0], e.Text...)
				e.Text = unsafe.String(unsafe.SliceData(buffer), len(buffer))
				more := yield(e, nil)
				clear(buffer)
				if !more {
					return
				}
			}
		}
	}
}

// A source gives the bytes of the same examples in memory, whether texts are kept or read again, with arrays on the heap or in
// files, of which nothing remains.
func TestTrainSource(t *testing.T) {
	folder := t.TempDir()
	t.Setenv("TMPDIR", folder)
	for name, examples := range map[string][]Example{
		"two":     sentences([]string{"neg", "pos"}, 60),
		"many":    sentences([]string{"neg", "pos"}, 3400),
		"three":   sentences([]string{"c", "a", "b"}, 60),
		"several": several([]string{"a", "b"}, 60),
	} {
		t.Run(name, func(t *testing.T) {
			want := written(t, train(t, examples))
			all := []bounds{{1 << 20, 1 << 20}, {0, 0}, {1000, 100}, {100_000, 1}}
			if name == "many" { // the sample is kept, all texts are not
				all = all[3:]
			}
			for _, b := range all {
				var reads atomic.Int64
				c, err := trainSource(context.Background(), rereading(examples, &reads), Options{Seed: 1}, b)
				if err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(written(t, c), want) {
					t.Errorf("%+v: other bytes than from memory", b)
				}
				size := int64(0)
				for _, e := range examples {
					size += int64(len(e.Text))
				}
				if once := reads.Load() == 1; once != (b.texts >= size) {
					t.Errorf("%+v: the source was read %d times", b, reads.Load())
				}
			}
		})
	}
	if files, err := filepath.Glob(filepath.Join(folder, "*")); err != nil || len(files) > 0 {
		t.Errorf("left behind: %v, %v", files, err)
	}
}

// Errors of a source, and that it has changed, are said; an index names the example.
func TestSourceErrors(t *testing.T) {
	ctx := context.Background()
	examples := sentences([]string{"a", "b"}, 30)
	wrong := errors.New("a bad disk")
	broken := func(at, read int) Source {
		n := 0
		return func(context.Context) iter.Seq2[Example, error] {
			return func(yield func(Example, error) bool) {
				n++
				for i, e := range examples {
					if i == at && n >= read {
						yield(Example{}, wrong)
						return
					}
					if !yield(e, nil) {
						return
					}
				}
			}
		}
	}
	for _, read := range []int{1, 2, 3} {
		if _, err := trainSource(ctx, broken(17, read), Options{}, bounds{}); !errors.Is(err, wrong) {
			t.Errorf("read %d: %v", read, err)
		}
	}
	for what, change := range map[string]func([]Example) []Example{
		"another text":   func(e []Example) []Example { e[17].Text = "X" + e[17].Text[1:]; return e },
		"another length": func(e []Example) []Example { e[17].Text += "."; return e },
		"fewer":          func(e []Example) []Example { return e[:17] },
	} {
		n := 0
		changed := change(slices.Clone(examples))
		source := func(ctx context.Context) iter.Seq2[Example, error] {
			if n++; n > 1 {
				return Examples(changed)(ctx)
			}
			return Examples(examples)(ctx)
		}
		if _, err := trainSource(ctx, source, Options{}, bounds{}); !errors.Is(err, ErrSourceChanged) || err.Error() != "classifier: example 17: the source has other examples than before" {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := TrainSource(ctx, Examples([]Example{{"x", []string{"a"}}, {"y", []string{"b", "b"}}}), Options{}); err == nil || err.Error() != `classifier: example 1 has the label "b" twice` {
		t.Error(err)
	}
	if _, err := TrainSource(ctx, Examples(nil), Options{}); !errors.Is(err, ErrTooFewClasses) {
		t.Error(err)
	}
	missing := filepath.Join(t.TempDir(), "missing")
	t.Setenv("TMPDIR", missing)
	if _, err := trainSource(ctx, Examples(examples), Options{}, bounds{array: 1}); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := TrainSource(cancelled, Examples(examples), Options{}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// Progress comes one call at a time, phase by phase, and never goes back within one.
func TestProgress(t *testing.T) {
	examples := sentences([]string{"a", "b", "c"}, 2300)
	var phases []Phase
	var last Progress
	var running atomic.Int32
	o := Options{Progress: func(p Progress) {
		if running.Add(1) != 1 {
			t.Error("two calls at once")
		}
		defer running.Add(-1)
		if p.Phase != last.Phase {
			phases = append(phases, p.Phase)
		} else if p.Done < last.Done && p.Done != 0 || p.Total < last.Total {
			t.Errorf("%+v after %+v", p, last)
		}
		if p.Total > 0 && p.Done > p.Total {
			t.Errorf("%+v", p)
		}
		last = p
	}}
	if _, err := trainSource(context.Background(), Examples(examples), o, bounds{}); err != nil {
		t.Fatal(err)
	}
	for _, p := range []Phase{PhaseReading, PhaseComparing, PhaseCounting, PhaseTesting, PhaseLearning} {
		if !slices.Contains(phases, p) {
			t.Errorf("no phase %q in %q", p, phases)
		}
	}
	if phases[0] != PhaseReading || phases[1] != PhaseComparing || last.Phase != PhaseLearning || last.Done != last.Total {
		t.Errorf("phases %q; last %+v", phases, last)
	}
}

// Stop keeps the best recipe so far, wherever it comes; before there is one it is an error.
func TestStop(t *testing.T) {
	ctx := context.Background()
	examples := sentences([]string{"a", "b", "c"}, 150)
	stopAt := func(phase Phase, done int) (*Classifier, error) {
		stop := make(chan struct{})
		closed := false
		return Train(ctx, examples, Options{Stop: stop, Progress: func(p Progress) {
			if !closed && p.Phase == phase && p.Done >= done {
				closed = true
				close(stop)
			}
		}})
	}
	whole, err := Train(ctx, examples, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range []int{1, 3, 6} {
		c, err := stopAt(PhaseComparing, at)
		if err != nil {
			t.Fatal(err)
		}
		r := c.Report()
		if n := len(r.Tried); !r.Stopped || n < at || n >= len(whole.Report().Tried) || r.Rows != len(examples) || r.RunnerUp.Recipe != "" {
			t.Errorf("stopped after %d recipes: %+v", at, r)
		}
		if a := accuracy(c, examples); a < 0.9 {
			t.Errorf("stopped after %d recipes: accuracy %g", at, a)
		}
	}
	if c, err := stopAt(PhaseLearning, 0); err != nil || c.Report().Stopped || !bytes.Equal(written(t, c), written(t, whole)) {
		t.Errorf("stopped when the recipe is found: %v", err)
	}
	stop := make(chan struct{})
	close(stop)
	if _, err := Train(ctx, examples, Options{Stop: stop}); !errors.Is(err, ErrStopped) {
		t.Errorf("stopped before anything was learned: %v", err)
	}
	cancelled, cancel := context.WithCancel(ctx)
	o := Options{Stop: make(chan struct{}), Progress: func(p Progress) {
		if p.Done == 2 {
			cancel()
		}
	}}
	if _, err := Train(cancelled, examples, o); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// A stop while a network is learned keeps the best epoch so far, if one was compared; the report says that something was cut
// short, and what the network brought.
func TestStopNetwork(t *testing.T) {
	examples := phrases(400, false)
	learn := func(stopAt func(p Progress) bool) *Report {
		stop := make(chan struct{})
		closed := false
		c, err := Train(t.Context(), examples, Options{Budget: 10 * time.Second, Stop: stop, Progress: func(p Progress) {
			if !closed && stopAt(p) {
				closed = true
				close(stop)
			}
		}})
		if err != nil {
			t.Fatal(err)
		}
		if n := c.Report().Network; (c.parts.Network != nil) != (n != nil && n.Kept) {
			t.Errorf("a network: %v; the report says %+v", c.parts.Network != nil, n)
		}
		return c.Report()
	}
	whole := learn(func(Progress) bool { return false })
	if whole.Stopped || whole.Network == nil {
		t.Fatalf("report %+v", whole)
	}
	// Of few rows all are held out in turn: epochs are compared in the last of five folds, from 64 to 80 % of the work on.
	r := learn(func(p Progress) bool { return p.Phase == PhaseNetwork && p.Done > p.Total*72/100 })
	if !r.Stopped || r.Network == nil || r.Network.Epochs < 1 || r.Network.Epochs >= 8 || r.Network.Average.Rows != whole.Network.Average.Rows {
		t.Errorf("stopped among the last fold's epochs: %+v, %+v", r, r.Network)
	}
	for name, at := range map[string]func(p Progress) bool{
		"before the last fold": func(p Progress) bool { return p.Phase == PhaseNetwork && p.Done > p.Total/3 },
		"before the network":   func(p Progress) bool { return p.Phase == PhaseLearning },
	} {
		if r := learn(at); !r.Stopped || r.Network != nil || len(r.Tried) != len(whole.Tried) || r.Best.Recipe != whole.Network.Linear.Recipe {
			t.Errorf("stopped %s: %+v", name, r)
		}
	}
}

// A source that ends because it was interrupted has not changed.
func TestSourceEnds(t *testing.T) {
	examples := sentences([]string{"a", "b"}, 30)
	ctx, cancel := context.WithCancel(t.Context())
	reads := 0
	source := func(ctx context.Context) iter.Seq2[Example, error] {
		return func(yield func(Example, error) bool) {
			reads++
			for i, e := range examples {
				if reads > 1 && i == 17 {
					cancel()
				}
				if ctx.Err() != nil || !yield(e, nil) {
					return
				}
			}
		}
	}
	if _, err := trainSource(ctx, source, Options{}, bounds{}); err != context.Canceled {
		t.Error(err)
	}
}

// Folds are dealt class by class, in runs of neighbours, and are about equally large.
func TestDealt(t *testing.T) {
	var labels [][]int32
	for i := range 200 {
		labels = append(labels, []int32{int32(min(i%10, 2))}) // 20, 20 and 160 rows
	}
	labels = append(labels, nil, []int32{3}, []int32{4, 0})
	const folds = 5
	fold := dealt(labels, 5, folds)
	counts := map[int32][]int{}
	last, changes := map[int32]int{}, map[int32]int{}
	all := make([]int, folds)
	for i, set := range labels {
		all[fold[i]]++
		if len(set) != 1 {
			continue
		}
		k := set[0]
		if counts[k] == nil {
			counts[k] = make([]int, folds)
		} else if fold[i] != last[k] {
			changes[k]++
		}
		counts[k][fold[i]]++
		last[k] = fold[i]
	}
	for k := range int32(3) {
		if slices.Max(counts[k])-slices.Min(counts[k]) > 1 || changes[k] != folds-1 {
			t.Errorf("class %d: %v rows in the folds, which change %d times", k, counts[k], changes[k])
		}
	}
	if slices.Max(all)-slices.Min(all) > 2 {
		t.Errorf("%v rows in the folds", all)
	}
}

// Each example is answered by what others teach, whatever class is missing there; a stop ends all folds.
func TestCrossAnswers(t *testing.T) {
	examples := sentences([]string{"c", "a", "b"}, 40)
	examples = append(examples, Example{"b1 b2 b3 c4", []string{"rare"}})
	answers, err := CrossAnswers(t.Context(), examples, 4, Options{})
	if err != nil {
		t.Fatal(err)
	}
	right := 0
	for i, given := range answers.Given {
		if slices.Equal(given, answers.True[i]) {
			right++
		}
	}
	rare := slices.Index(answers.Classes, "rare")
	if right < len(examples)*3/4 || len(answers.Given[len(examples)-1]) != 1 || answers.Probabilities[(len(examples)-1)*4+rare] != 0 {
		t.Errorf("%d right of %d; the example of a class of its own: %v", right, len(examples), answers.Given[len(examples)-1])
	}
	for _, at := range []int{0, 1, 3} {
		stop := make(chan struct{})
		_, err := CrossAnswers(t.Context(), examples, 4, Options{Stop: stop, Progress: func(p Progress) {
			if p.Phase == PhaseFolds && p.Done == at {
				close(stop)
			}
		}})
		if !errors.Is(err, ErrStopped) {
			t.Errorf("stopped in fold %d: %v", at, err)
		}
	}
}

// A panic of Progress is an error of the training, in whatever phase and goroutine, and so is its end of the goroutine. Nothing
// is told to it afterwards.
func TestProgressPanics(t *testing.T) {
	spilled := errors.New("spilled milk")
	examples := sentences([]string{"a", "b", "c"}, 2300)
	for name, end := range map[string]func(){"panic": func() { panic(spilled) }, "Goexit": runtime.Goexit} {
		for _, phase := range []Phase{PhaseReading, PhaseComparing, PhaseCounting, PhaseTesting, PhaseLearning} {
			if name == "Goexit" && (phase != PhaseLearning || runtime.GOMAXPROCS(0) == 1) {
				continue // Progress is called in the goroutine of Train
			}
			var ended atomic.Bool
			_, err := trainSource(t.Context(), Examples(examples), Options{Progress: func(p Progress) {
				if ended.Load() {
					t.Errorf("%s: told %+v after the end", name, p)
				}
				if p.Phase == phase && (name == "panic" || p.Done > 0) {
					ended.Store(true)
					end()
				}
			}}, bounds{})
			var p *PanicError
			if !errors.As(err, &p) || errors.Is(err, spilled) != (name == "panic") || !bytes.Contains(p.Stack, []byte("TestProgressPanics")) && name == "panic" {
				t.Errorf("%s while %s: %v", name, phase, err)
			}
		}
	}
	_, err := CrossAnswers(t.Context(), examples[2290:2310], 2, Options{Progress: func(Progress) { panic(spilled) }})
	if !errors.Is(err, spilled) || err.Error() != "classifier: Progress panicked: spilled milk" {
		t.Error(err)
	}
}
