// Package text turns texts and their token ids into what models read.
//
// From texts: a [Vectorizer] learns a vocabulary and makes ids, n-grams, multi-hot, count or tf-idf rows, as Keras's
// TextVectorization; its steps are there alone, too ([Standardization], [Splitting]). A [HubTokenizer] splits as the text
// modules of TF-Hub do. A [Vocabulary] numbers words; [CountTexts] makes bags of what any [Tokenizer] finds.
//
// From ids: rows of one length ([PadSequences]), rows of 0 and 1 with a column for each word ([MultiHot]), bags of words
// for models that average ([MakeBags]); and ids back into words ([Decoder]).
package text
