// Package texts reads texts with labels from the files that people have: CSV and TSV, JSON lines and JSON arrays, fastText's
// lines, a folder for each class, and plain lines. [Open] finds out what a file is, and [Source.Rows] streams its rows.
//
//	source, err := texts.Open(ctx, "reviews.csv.gz", texts.Options{})
//	fmt.Println(source.Found()) // CSV with commas and a header, gzip, UTF-8; text "review", label "sentiment" (guessed)
//	for row, err := range source.Rows(ctx) { … }
//
// Nothing has to be set. What is found is said ([Found]), and each finding can be overruled ([Options]).
//
//   - Compression: gzip and zstd, by content and whatever the file's name. Several members or frames in a row are one file.
//   - Encoding: UTF-8, UTF-16 with its byte order mark, and Windows-1252, which is also what Latin-1 files are read as. A
//     file without a mark is read once to its end before the first row. If all of it is UTF-8, it is UTF-8. If not, and
//     the invalid bytes outnumber the valid characters beyond ASCII, and all of them have a meaning in Windows-1252, it
//     is Windows-1252. Otherwise it is UTF-8 with faults, and each row with an invalid byte is an error. In a folder
//     each file is judged by itself. In a stream the first character beyond ASCII decides: if its bytes are UTF-8 the
//     stream is, else it is Windows-1252.
//   - Format: the first line decides if it is an object or array of JSON, has a label of fastText, or has the names of a text
//     column and a label column in a header. Otherwise the first 256 KB do: the delimiter is the one that splits most
//     records into as many fields as the first. Fewer than nine in ten are an error, unless a usual name, the extension
//     .csv or .tsv, or an option tells that it is CSV.
//   - Columns: by their usual names (text, review, sentence, …; label, class, sentiment, …). Without such names the text is
//     the column whose texts are on average at least three times as long as those of any other; of two columns, also the
//     longer one if only the other one's values repeat. The label is the only column whose values repeat; of two columns, the
//     other one, unless the first rows are eight or more and it differs in all of them. Anything less obvious, such as a
//     usual name that two columns have, is an error that lists the columns.
//
// A row that cannot be read is a [*RowError] with file, line and column; the rows after it follow. Memory is bounded
// by the longest row, some six times its bytes, however large the file.
//
// [Checker] counts what is wrong with rows that can be read: empty texts, duplicates, a text with two labels, and texts that
// are in the training data and in the test data.
package texts
