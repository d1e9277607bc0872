// Package fetch downloads the IMDB film reviews, when a program asks for it: the two files of Keras's data set, or the
// archive of texts of its authors.
//
//	files, err := fetch.Reviews(ctx, fetch.Options{})             // for imdb.Load and imdb.WordIndex
//	archive, err := fetch.Texts(ctx, fetch.Options{})             // for imdb.LoadTexts
//
// What is there already is not downloaded again; what was cut off is gone on with; a file is under its name only when
// its size and sha256 are the official ones. It is a package of its own so that programs that read reviews from disk do
// not carry an HTTP client.
package fetch
