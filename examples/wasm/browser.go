//go:build js

package main

import (
	"context"
	"syscall/js"

	"github.com/linnet-ml/linnet/classifier"
)

// In the browser the program gives the page one function, linnetLoad. It takes the bytes of a classifier's file and returns an
// object with classes and a function classify(text), or a string that says what is wrong with the file.
func main() {
	js.Global().Set("linnetLoad", js.FuncOf(func(_ js.Value, args []js.Value) any {
		if len(args) != 1 || !args[0].InstanceOf(js.Global().Get("Uint8Array")) {
			return "linnetLoad takes a Uint8Array"
		}
		b := make([]byte, args[0].Length())
		js.CopyBytesToGo(b, args[0])
		c, err := classifier.FromBytes(context.Background(), b)
		if err != nil {
			return err.Error()
		}
		classes := []any{}
		for _, name := range c.Classes() {
			classes = append(classes, name)
		}
		var r classifier.Result
		return map[string]any{"classes": classes, "classify": js.FuncOf(func(_ js.Value, args []js.Value) any {
			if len(args) != 1 || args[0].Type() != js.TypeString {
				return js.Null()
			}
			c.ClassifyInto(&r, args[0].String())
			scores := []any{}
			for _, p := range r.Scores {
				scores = append(scores, float64(p))
			}
			return map[string]any{"label": r.Label, "probability": float64(r.Probability), "scores": scores}
		})}
	}))
	js.Global().Call("dispatchEvent", js.Global().Get("Event").New("linnet"))
	select {} // its functions are called from now on
}
