package loss

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
