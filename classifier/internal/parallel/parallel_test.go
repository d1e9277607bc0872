package parallel

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
)

// onProcessors runs a test with one processor and with several.
func onProcessors(t *testing.T, test func(t *testing.T)) {
	for _, n := range []int{1, 3} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(n))
			test(t)
		})
	}
}

// Each number is given once.
func TestEach(t *testing.T) {
	onProcessors(t, func(t *testing.T) {
		for _, n := range []int{0, 1, 2, 100} {
			calls := make([]atomic.Int32, n)
			if err := Each(t.Context(), n, func(_ context.Context, i int) error { calls[i].Add(1); return nil }); err != nil {
				t.Fatal(err)
			}
			for i := range calls {
				if calls[i].Load() != 1 {
					t.Errorf("%d of %d was given %d times", i, n, calls[i].Load())
				}
			}
		}
	})
}

// An error and the end of the context end the work early and are returned.
func TestEnds(t *testing.T) {
	wrong := errors.New("wrong")
	onProcessors(t, func(t *testing.T) {
		var calls atomic.Int32
		err := Each(t.Context(), 1000, func(_ context.Context, i int) error {
			if calls.Add(1) > 3 {
				return wrong
			}
			return nil
		})
		if err != wrong || calls.Load() > 10 {
			t.Errorf("%v after %d calls", err, calls.Load())
		}
		ctx, cancel := context.WithCancel(t.Context())
		calls.Store(0)
		err = Each(ctx, 1000, func(context.Context, int) error {
			calls.Add(1)
			cancel()
			return nil
		})
		if err != context.Canceled || calls.Load() > 10 {
			t.Errorf("%v after %d calls", err, calls.Load())
		}
		if err := Each(ctx, 0, nil); err != context.Canceled {
			t.Errorf("nothing to do, in a context that is done: %v", err)
		}
	})
}

// A panic reaches the caller, who can recover it, and names the function that panicked.
func TestPanic(t *testing.T) {
	onProcessors(t, func(t *testing.T) {
		defer func() {
			if v := recover(); v == nil || !strings.Contains(fmt.Sprint(v), "spilled milk") {
				t.Errorf("recovered %v", v)
			}
		}()
		Each(t.Context(), 10, func(_ context.Context, i int) error { panic("spilled milk") })
	})
}

// A Watch looks at the context first, and then by steps, not by calls.
func TestWatch(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	w := NewWatch(ctx)
	if err := w.Spend(0); err != nil {
		t.Fatal(err)
	}
	cancel()
	calls := 0
	for w.Spend(99) == nil {
		if calls++; 100*calls > 2*watched {
			t.Fatalf("no look at the context in %d calls", calls)
		}
	}
	if 100*calls < watched/2 {
		t.Errorf("a look at the context after %d calls", calls)
	}
	if err := NewWatch(ctx).Spend(0); err != context.Canceled {
		t.Error(err)
	}
}
