package example

import (
	"fmt"

	"github.com/linnet-ml/linnet/history"
)

// Overfitting says, from a run's history, where validation was best, what has become of it since, and what to try.
// With restored the model has the weights of the best epoch. stop says how the program stops in time, and smaller which
// flags make the network smaller.
func Overfitting(p *Page, h *history.History, restored bool, stop, smaller string) string {
	loss, val, accuracy := h.Values("loss"), h.Values("val_loss"), h.Values("val_accuracy")
	if len(val) == 0 {
		return "No epoch was completed, so there is nothing to compare.\n"
	}
	best := 0
	for i, v := range val {
		if v < val[best] {
			best = i
		}
	}
	last := len(val) - 1
	text := fmt.Sprintf("Validation was best after epoch %d of %d: val_loss %.4f, val_accuracy %.4f.", best+1, last+1, val[best], accuracy[best])
	if best == last {
		return p.Wrap(text) + "\nIt was still improving when training ended. Try: more epochs (-epochs).\n"
	}
	text += fmt.Sprintf(" In the %s since, val_loss has risen by %.1f %% to %.4f, while the loss on the training reviews went from %.4f to %.4f: ",
		Plural(last-best, "epoch"), 100*(val[last]-val[best])/val[best], val[last], loss[best], loss[last])
	var try string
	switch {
	case loss[last] >= loss[best]:
		text += "training itself got worse."
		try = "Try: a smaller learning rate (-lr)."
	case restored:
		text += "overfitting. The weights are those of the best epoch: -patience has brought them back."
	default:
		text += "the network is learning them by heart, which helps with no other review. This is overfitting."
		try = fmt.Sprintf("Try: -epochs %d; or %s; or a smaller network (%s).", best+1, stop, smaller)
	}
	if try != "" {
		try = p.Wrap(try) + "\n"
	}
	return p.Wrap(text) + "\n" + try
}

// Plural is a number and what it counts.
func Plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
