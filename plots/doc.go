// Package plots draws what a Fit logged, as the Keras tutorials draw it: blue dots for the training data and a blue line
// for the validation data, over the epochs.
//
//	history, err := model.Fit(ctx, train, options)
//	...
//	panels, err := plots.Panels(history, "loss", "accuracy")
//	...
//	err = plots.WriteFile("history.png", panels...)
//
// A [Panel] is one diagram. [Panels] makes them from a [history.History]; any pair of logs, name and val_name, can be
// drawn.
// [WriteFile] and [Write] draw panels side by side as PNG or SVG, and [WriteText] draws them in characters. [Check] and
// [Draw] are for a program's flag that takes a file's name, or "-" for text.
//
// A red ring marks the best epoch: the lowest validation loss, the highest validation accuracy. Values that are NaN or
// infinite are gaps. The same input gives the same bytes on the same kind of machine: pictures carry no dates.
//
// The pictures carry their letters as outlines, so they look the same everywhere and need no fonts. A program that
// imports this package grows by about 2 MB; no other package of linnet imports it.
package plots
