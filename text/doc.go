// Package text turns texts and their token ids into what models read: rows of one length ([PadSequences]), rows of 0
// and 1 with a column for each word ([MultiHot]), bags of words for models that average ([MakeBags]); and ids back into
// words ([Decoder]).
package text
