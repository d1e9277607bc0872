package loss

// hasLogits reports whether what goes into the named activation are logits, from which a cross-entropy is more exact
// than from what comes out of it.
func hasLogits(activation string) bool { return activation == "sigmoid" || activation == "softmax" }
