package nn_test

import (
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/linnet-ml/linnet/layers"
	"github.com/linnet-ml/linnet/loss"
	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/optim"
	"github.com/linnet-ml/linnet/tensor"
)

// file is a Lender that counts who holds it.
type file struct {
	held   atomic.Int64
	most   atomic.Int64
	closed atomic.Bool
}

var errFileClosed = errors.New("reviews.linnet: file already closed")

func (f *file) Acquire() error {
	if f.closed.Load() {
		return errFileClosed
	}
	f.most.Store(max(f.most.Load(), f.held.Add(1)))
	return nil
}

func (f *file) Release() { f.held.Add(-1) }

func (f *file) Fault(any) error { return nil }

// lentModel is a model all of whose parameters lie in a file.
func lentModel(t *testing.T, f *file) (lent, own *nn.Model) {
	t.Helper()
	own = smallText(t)
	o := nn.BuildOptions{Storage: func(name string, shape tensor.Shape) (plan.Storage, error) {
		p := own.Parameter(name)
		if p == nil || !p.Shape().Equal(shape) {
			t.Fatalf("a storage is wanted for %q of shape %v", name, shape)
		}
		return plan.LentStorage{Storage: plan.ReadOnlyStorage(slices.Clone(p.Values())), Lender: f}, nil
	}}
	spec := own.Spec().(*nn.Sequential)
	lent, err := spec.Build(t.Context(), own.SequentialInput(), o)
	must(t, err)
	return lent, own
}

// Each call that reads parameters in a file holds the file meanwhile, gives it back, and has the results of parameters
// in memory. Once the file is closed it returns the file's error.
func TestLentStorage(t *testing.T) {
	x := ids(t, 9, 5)
	y, err := tensor.Of(make([]float32, 9), 9, 1)
	must(t, err)
	data := nn.Data{X: x, Y: y}
	calls := map[string]func(m *nn.Model) ([]float32, error){
		"Predict": func(m *nn.Model) ([]float32, error) {
			out, err := m.Predict(t.Context(), x, nn.PredictOptions{})
			if err != nil {
				return nil, err
			}
			return out.Data(), nil
		},
		"PredictAll": func(m *nn.Model) (all []float32, err error) {
			for out, err := range m.PredictAll(t.Context(), data, nn.PredictOptions{}) {
				if err != nil {
					return nil, err
				}
				all = append(all, out["output"].Data()...)
			}
			return all, nil
		},
		"Evaluate": func(m *nn.Model) ([]float32, error) {
			logs, err := m.Evaluate(t.Context(), data, nn.EvaluateOptions{Loss: loss.BinaryCrossentropy{}})
			if err != nil {
				return nil, err
			}
			v, _ := logs.Get("loss")
			return []float32{float32(v)}, nil
		},
		"Intermediate": func(m *nn.Model) ([]float32, error) {
			inner, err := m.Intermediate(m.LayerNames()[0])
			if err != nil {
				return nil, err
			}
			return inner.PredictInto(t.Context(), nil, x, nn.PredictOptions{})
		},
		"Clone": func(m *nn.Model) ([]float32, error) {
			c, err := m.Clone(t.Context())
			if err != nil {
				return nil, err
			}
			return c.PredictInto(t.Context(), nil, x, nn.PredictOptions{})
		},
	}
	for name, call := range calls {
		f := &file{}
		m, own := lentModel(t, f)
		want, err := call(own)
		must(t, err)
		got, err := call(m)
		must(t, err)
		equalBits(t, name, got, want)
		if f.held.Load() != 0 || f.most.Load() == 0 {
			t.Errorf("%s: the file is held %d times afterwards, and was %d times", name, f.held.Load(), f.most.Load())
		}
		f.closed.Store(true)
		if _, err := call(m); !errors.Is(err, errFileClosed) || !strings.HasPrefix(err.Error(), "nn: ") {
			t.Errorf("%s with the file closed: %v", name, err)
		}
		for _, p := range m.Parameters() {
			if p.Values() != nil {
				t.Errorf("%s: parameter %q has values although its file is closed", name, p.Name())
			}
			one := []float32{0}
			if p.Storage().Read(one, 0); one[0] == one[0] {
				t.Errorf("%s: the storage of %q reads %v although its file is closed", name, p.Name(), one)
			}
		}
		if w := m.Weights(nil); len(w) != len(m.Parameters()) || w[0] != nil {
			t.Errorf("%s: Weights of a closed file: %v", name, w)
		}
	}
}

// Training copies what it changes: the run has the bits of one in memory, the file stays as it was and may be closed.
func TestTrainLentStorage(t *testing.T) {
	f := &file{}
	m, own := lentModel(t, f)
	before := own.Weights(nil)
	kept := m.Parameters()[0].Storage().(plan.LentStorage).Storage.(plan.ReadOnlyStorage)
	_, want := fitted(t, own, someReviews(t), longRun())
	_, got := fitted(t, m, someReviews(t), longRun())
	sameBits(t, "weights", got, want)
	equalBits(t, "the file", kept, before[0])
	f.closed.Store(true)
	_, err := m.Predict(t.Context(), ids(t, 9, 5), nn.PredictOptions{})
	must(t, err)
	if f.held.Load() != 0 {
		t.Errorf("the file is held %d times", f.held.Load())
	}

	f = &file{}
	m, _ = lentModel(t, f)
	trainer, err := m.NewTrainer(nn.TrainerOptions{Optimizer: optim.SGD{}, Loss: loss.BinaryCrossentropy{}})
	must(t, err)
	x := ids(t, 9, 5)
	y, err := tensor.Of(make([]float32, 9), 9, 1)
	must(t, err)
	_, err = trainer.Step(t.Context(), nn.Batch{X: x, Y: y})
	must(t, err)
	if f.held.Load() == 0 {
		t.Error("a Trainer does not hold the file")
	}
	must(t, trainer.Close())
	if f.held.Load() != 0 {
		t.Errorf("after a Trainer the file is held %d times", f.held.Load())
	}

	m, _ = lentModel(t, f)
	f.closed.Store(true)
	_, err = m.Fit(t.Context(), someReviews(t), longRun())
	if !errors.Is(err, errFileClosed) {
		t.Errorf("Fit with the file closed: %v", err)
	}
	if err := m.SetWeights(before); !errors.Is(err, errFileClosed) {
		t.Errorf("SetWeights with the file closed: %v", err)
	}
}

// The storage of a Build must fit, and its error is Build's.
func TestBuildStorage(t *testing.T) {
	build := func(s plan.Storage, err error) error {
		_, err = nn.NewSequential(layers.Dense{Units: 1}).Build(t.Context(), nn.Features(2), nn.BuildOptions{
			Storage: func(name string, _ tensor.Shape) (plan.Storage, error) {
				if name == "dense/bias" {
					return nil, nil
				}
				return s, err
			}})
		return err
	}
	must(t, build(nil, nil))
	wantError(t, build(nil, errors.New("no such tensor")), `nn: layer 0 (dense): parameter kernel: no such tensor`)
	wantError(t, build(plan.ReadOnlyStorage{1}, nil), `nn: layer 0 (dense): parameter kernel: parameter "dense/kernel" of shape (2, 1) has 2 elements, its storage 1`)
	wantError(t, build(plan.LentStorage{Storage: plan.ReadOnlyStorage{1, 2}}, nil),
		`nn: layer 0 (dense): parameter kernel: parameter "dense/kernel": a LentStorage needs a Storage and a Lender`)
}
