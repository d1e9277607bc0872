package features

// A Scanner reads texts. It owns the memory of the last text it has read; one goroutine at a time may use it.
type Scanner struct {
	settings Settings
	kernels  kernels

	words      []uint64   // the hash of each word
	masks      []mask     // the bytes of words, by 64 bytes of the text
	ends       [][2]int32 // where words begin and have ended
	lower      []byte     // a word that is not ASCII, in lower case
	chars      []uint64   // the hash of each character
	grams      []uint64   // the hashes of the n-grams of one length
	hashes     []uint64
	ids        []uint32 // the numbers of n-grams that a table has
	candidates candidates
	end        [Kinds]int // the hashes of kind k end here and begin where those of kind k-1 end

	record bool
	spans  []Span // the place of each word in the text, if asked for
	places []Span // the place of each character
}

// A Span is a place in a text: bytes Start to End, without End.
type Span struct{ Start, End int }

// NewScanner returns a Scanner. Settings must pass [Settings.Check].
func NewScanner(s Settings) *Scanner { return &Scanner{settings: s, kernels: best()} }

// RecordPlaces makes further calls note the places of words and characters.
func (s *Scanner) RecordPlaces() { s.record = true }

// Tokens returns the places of the words in the last text, after [Scanner.RecordPlaces]. An n-gram of n words that is number i
// of its kind covers words i to i+n-1.
func (s *Scanner) Tokens() []Span { return s.spans }

// Characters returns the places of the characters in the last text, after [Scanner.RecordPlaces]. An n-gram of n characters
// that is number i of its kind covers characters i to i+n-1. The spaces before and after the text have places without
// bytes.
func (s *Scanner) Characters() []Span { return s.places }

// Scan reads a text and returns the hashes of its n-grams: first those of [Words](1) in the order of the text, then those of
// Words(2), …, then those of [Chars](1), …. Equal n-grams have equal hashes. Bytes that are not UTF-8 count as white space.
// The result holds until the next call.
func (s *Scanner) Scan(text string) []uint64 {
	s.hashes = s.hashes[:0]
	if s.settings.WordMax > 0 {
		s.splitWords(text)
	}
	s.scan(s.words, Words(1), s.settings.WordMin, s.settings.WordMax)
	if s.settings.CharMax > 0 {
		s.splitCharacters(text)
	}
	s.scan(s.chars, Chars(1), s.settings.CharMin, s.settings.CharMax)
	return s.hashes
}

// scan appends the hashes of n-grams of low to high units. first is the kind of one unit.
func (s *Scanner) scan(units []uint64, first Kind, low, high int) {
	for n := 1; n <= MaxGram; n++ {
		if n <= high {
			s.longer(units, n)
			if n >= low {
				s.hashes = append(s.hashes, s.grams...)
			}
		}
		s.end[first+Kind(n-1)] = len(s.hashes)
	}
}

// Range returns where the hashes of one kind begin and end in the result of the last Scan.
func (s *Scanner) Range(k Kind) (start, end int) {
	if k > 0 {
		start = s.end[k-1]
	}
	return start, s.end[k]
}

// FindWords returns the numbers of those n-grams of words of the text that the table has, in the order of Scan, each as often as the
// text has it. The result holds until the next call.
func (s *Scanner) FindWords(text string, t *Table) []uint32 {
	s.ids = s.ids[:0]
	if s.settings.WordMax > 0 {
		s.splitWords(text)
		s.find(s.words, t, s.settings.WordMin, s.settings.WordMax)
	}
	return s.ids
}

// FindCharacters is FindWords for n-grams of characters.
func (s *Scanner) FindCharacters(text string, t *Table) []uint32 {
	s.ids = s.ids[:0]
	if s.settings.CharMax > 0 {
		s.splitCharacters(text)
		s.find(s.chars, t, s.settings.CharMin, s.settings.CharMax)
	}
	return s.ids
}
