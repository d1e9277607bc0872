// Package text turns texts and their token ids into what models read.
//
// A model can read texts as they are: layers.TextEmbedding and layers.TextTokens have a [Vectorization] or [HashedFeatures]
// in them, are saved with it, and need no padding.
//
// From texts: a [Vectorizer] learns a vocabulary and makes ids, n-grams, multi-hot, count or tf-idf rows, as Keras's
// TextVectorization; its steps are there alone, too ([Unicode], [Standardization], [Splitting]). [HashedFeatures] need no
// vocabulary. A [HubTokenizer] splits as the text modules of TF-Hub do, or, with
// [HubTokenizerOptions].WhiteSpace, at all white space, as tables of word vectors need it. A [Vocabulary] numbers words. Of what
// any [Tokenizer] finds [CountTexts] makes bags, and [Sequences] ids in order.
//
// From ids: rows of one length ([PadSequences]), rows of 0 and 1 with a column for each word ([MultiHot]), bags of words
// for models that average ([MakeBags]); and ids back into words ([Decoder]).
package text
