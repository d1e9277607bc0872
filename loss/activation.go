package loss

import "fmt"

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

// warnActivation is the warning of a loss of the given kind that reads probabilities, which the named activation does not
// make. fitting is the one that does.
func warnActivation(kind, activation, fitting string) string {
	if activation != "relu" && activation != "tanh" {
		return ""
	}
	return fmt.Sprintf("the loss %s reads probabilities, which %s does not make: an output for it ends in %s, or in no activation where the loss has FromLogits",
		kind, activation, fitting)
}

// checkOutput refuses what is no probability but for rounding, for losses of the given kind that read them.
func checkOutput(kind, fitting string) func(float32) error {
	const rounding = 1e-5
	return func(v float32) error {
		if v < -rounding || v > 1+rounding {
			return fmt.Errorf("the loss %s reads probabilities, and the output has numbers below 0 or above 1: it should end in %s, or the loss have FromLogits", kind, fitting)
		}
		return nil
	}
}
