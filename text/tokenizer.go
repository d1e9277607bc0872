package text

// Tokenizer turns a text into the ids of its tokens.
type Tokenizer interface {
	// AppendIDs appends the ids of the tokens of s, in their order. It allocates nothing but what dst lacks, and any number
	// of goroutines may call it at once.
	AppendIDs(dst []int32, s string) []int32
	// Size is the number of ids: they run from 0 to Size()-1.
	Size() int
}
