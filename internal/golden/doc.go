// Package golden gives tests the results that Keras was recorded to give, and compares floats with them.
//
// A topic ("layers", "losses", "optimizers", …) is a list of named cases; a case has a config (the arguments that
// differ from Keras's defaults), inputs and expected values. [Open] reads a topic that lies in this package's
// testdata, whose README.md describes the fields; [OpenShared] one of the large ones beside the repository.
//
//	golden.Open(t, "layers").Run(t, "Dense/", func(t *testing.T, c golden.Case) {
//		x := c.Array("inputs", 0)
//		…
//		golden.Close(t, "output", y, c.Array("expected", "output"), golden.Tolerance{OfLargest: 1e-5})
//	})
//
// A path that a file does not have is a mistake in the test and panics; [Value.Has] asks first.
package golden
