package loss

import (
	"fmt"

	"github.com/linnet-ml/linnet/nn/plan"
)

// warnSigmoid is the warning of a loss over classes of the given kind whose output has the named activation.
func warnSigmoid(kind, activation string) string {
	if activation != "sigmoid" {
		return ""
	}
	return "the loss " + kind + " after a sigmoid is that of a softmax in its place, as in Keras, and not of what the model predicts: BinaryCrossentropy goes with a sigmoid, and this loss with a softmax"
}

// hasLogits reports whether what goes into the named activation are logits, from which a cross-entropy is more exact
// than from what comes out of it.
func hasLogits(activation string) bool { return activation == "sigmoid" || activation == "softmax" }

// readsProbabilities makes the rule of a loss of the given kind warn of outputs that are no probabilities, whatever their
// labels. fitting is the activation that makes them; relu and tanh do not, which may not show in a first batch.
func readsProbabilities(rule *plan.LossRule, kind, activation, fitting string) {
	if activation == "relu" || activation == "tanh" {
		rule.Warning = fmt.Sprintf("the loss %s reads probabilities, which %s does not make: an output for it ends in %s, or in no activation where the loss has FromLogits",
			kind, activation, fitting)
		return
	}
	const rounding = 1e-5
	rule.CheckOutput = func(v float32) error {
		if v < -rounding || v > 1+rounding {
			return fmt.Errorf("the loss %s reads probabilities, and the output has numbers below 0 or above 1: it should end in %s, or the loss have FromLogits", kind, fitting)
		}
		return nil
	}
}
