// Package textdir reads data sets that are a folder for each class with a text file for each example, as
// keras.utils.text_dataset_from_directory does: the same files, the same classes, the same split.
//
//	train, validation, err := textdir.LoadBoth(ctx, os.DirFS("reviews"), textdir.Options{ValidationSplit: 0.2, Seed: new(42)})
//
// The texts stay bytes as they lie in the files; nothing is decoded.
package textdir
