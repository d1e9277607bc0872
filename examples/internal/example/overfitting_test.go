package example

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/linnet-ml/linnet/history"
)

// The verdict follows from the run's own numbers.
func TestOverfitting(t *testing.T) {
	for _, c := range []struct {
		name           string
		loss, val      []float64
		restored       bool
		wants, notThis string
	}{
		{"best in the middle", []float64{0.6, 0.4, 0.2, 0.1}, []float64{0.6, 0.5, 0.55, 0.6}, false,
			"after epoch 2 of 4: val_loss 0.5000, val_accuracy 0.8000. In the 2 epochs since, val_loss has risen by 20.0 % to 0.6000, while the loss on the training reviews went from 0.4000 to 0.1000: the network is learning them by heart, which helps with no other review. This is overfitting. Try: -epochs 2; or -patience 2; or a smaller network (-units, -dim).", "improving"},
		{"still improving", []float64{0.6, 0.4}, []float64{0.6, 0.5}, false, "after epoch 2 of 2: val_loss 0.5000, val_accuracy 0.8000. It was still improving when training ended. Try: more epochs", "overfitting"},
		{"restored", []float64{0.6, 0.4, 0.3}, []float64{0.6, 0.5, 0.6}, true, "In the 1 epoch since, val_loss has risen by 20.0 %", "Try"},
		{"diverging", []float64{0.6, 0.4, 0.9}, []float64{0.6, 0.5, 0.9}, false, "training itself got worse. Try: a smaller learning rate (-lr).", "overfitting"},
		{"none", nil, nil, false, "No epoch was completed", "best"},
	} {
		t.Run(c.name, func(t *testing.T) {
			epochs, accuracy := make([]int, len(c.loss)), make([]float64, len(c.loss))
			for i := range epochs {
				epochs[i], accuracy[i] = i, 0.8
			}
			text, err := json.Marshal(map[string]any{"epoch": epochs,
				"history": map[string]any{"loss": c.loss, "val_loss": c.val, "val_accuracy": accuracy}})
			if err != nil {
				t.Fatal(err)
			}
			if c.loss == nil {
				text = []byte(`{"epoch":[],"history":{}}`)
			}
			var h history.History
			if err := json.Unmarshal(text, &h); err != nil {
				t.Fatal(err)
			}
			got := strings.Join(strings.Fields(Overfitting(NoPage(), &h, c.restored, "-patience 2", "-units, -dim")), " ")
			if !strings.Contains(got, c.wants) || strings.Contains(got, c.notThis) {
				t.Errorf("got %s", got)
			}
		})
	}
}
