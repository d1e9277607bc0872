package callbacks

import (
	"fmt"

	"github.com/linnet-ml/linnet/nn/plan"
)

// TerminateOnNaN ends a Fit quietly at a batch with a loss that is NaN or infinite (Keras's TerminateOnNaN). Without it
// such a Fit returns a plan.LossError at once, which is Keras's TerminateOnNaN(raise_error=True).
//
// As in Keras the epoch under way has no more batches, but its validation and its place in the History, with a loss that is
// not finite, and callbacks come to the end of training. Unlike in Keras the weights are those before the step, so that
// they are of use. History.Stopped says what happened.
type TerminateOnNaN struct {
	// Log, when given, is told what Keras prints. log.Printf fits.
	Log func(format string, args ...any) `json:"-"`
}

var _ plan.Callback = TerminateOnNaN{}

// Kind is "TerminateOnNaN".
func (c TerminateOnNaN) Kind() string { return "TerminateOnNaN" }

// Start returns what acts in a Fit.
func (c TerminateOnNaN) Start(plan.Training) (plan.Handler, error) {
	return plan.Handler{Handle: func(plan.Event, plan.Training) error { return nil }, HandleLoss: c.handleLoss}, nil
}

// handleLoss stops the run.
func (c TerminateOnNaN) handleLoss(e *plan.LossError, t plan.Training) error {
	if c.Log != nil {
		c.Log("Batch %d: Invalid loss, terminating training", e.Step)
	}
	t.Stop(fmt.Sprintf("terminate on NaN: the loss was %v in epoch %d, step %d; the weights are those before this step", e.Loss, e.Epoch+1, e.Step+1))
	return nil
}
