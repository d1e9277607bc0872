package callbacks

import (
	"fmt"

	"github.com/linnet-ml/linnet/nn"
)

// TerminateOnNaN ends a Fit quietly at a batch with a loss that is NaN or infinite (Keras's TerminateOnNaN). Without it
// such a Fit returns an nn.LossError at once, which is Keras's TerminateOnNaN(raise_error=True).
//
// As in Keras the epoch under way has no more batches, but its validation and its place in the History, with a loss that is
// not finite, and callbacks come to the end of training. Unlike in Keras the weights are those before the step, so that
// they are of use. History.Stopped says what happened.
type TerminateOnNaN struct {
	// Log, when given, is told what Keras prints. log.Printf fits.
	Log func(format string, args ...any)
}

var _ nn.Callback = TerminateOnNaN{}

// Start returns what acts in a Fit.
func (c TerminateOnNaN) Start(*nn.Training) (nn.Handler, error) { return terminateOnNaN(c), nil }

type terminateOnNaN TerminateOnNaN

var _ nn.LossHandler = terminateOnNaN{}

func (terminateOnNaN) Handle(nn.Event, *nn.Training) error { return nil }

// HandleLoss stops the run.
func (h terminateOnNaN) HandleLoss(e *nn.LossError, t *nn.Training) error {
	if h.Log != nil {
		h.Log("Batch %d: Invalid loss, terminating training", e.Step)
	}
	t.Stop(fmt.Sprintf("terminate on NaN: the loss was %v in epoch %d, step %d; the weights are those before this step", e.Loss, e.Epoch+1, e.Step+1))
	return nil
}
