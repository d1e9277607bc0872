package counts

// Split is the rows to train on, or those to test with.
type Split struct {
	Vocabulary int // ids run from 0 to Vocabulary-1
	Steps      int // the counts of each row add up to Steps
	// Labels has 0 or 1 for each row.
	Labels []int32
	// Offsets has one element more than there are rows: row i has IDs[k] Counts[k] times for k from Offsets[i] to
	// Offsets[i+1]-1. Ids ascend within a row.
	Offsets []int
	IDs     []int32
	Counts  []int32
}

// Limits of what a file may claim, far above what it needs.
const (
	maxRows       = 1 << 16
	maxVocabulary = 1 << 20
	maxSteps      = 1 << 9
	maxCount      = 255 // of an id other than 0 in a row
)

const (
	magic       = "lnt-imdb"
	version     = 1
	headerSize  = len(magic) + 12
	splitHeader = 20
)

// The orders of the codes for the sizes of sets: the number of rows with an id, as its difference to the id before
// (words are sorted by frequency), and the number of rows that have one more of it, which is a fraction of those before.
const firstOrder = 4

func nextOrder(size int) uint {
	order := uint(0)
	for ; size >= 16; size >>= 1 {
		order++
	}
	return order
}
