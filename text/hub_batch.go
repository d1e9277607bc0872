package text

import "encoding/binary"

// A hubBatch is the memory with which a HubTokenizer looks up the tokens of a text, kept from call to call.
//
// Few words make up most of any text, and they lie anywhere in a large vocabulary, which fits no cache. So the words that
// were met lately stand here with their ids, whether the vocabulary has them or not. The others wait until there are some,
// and are looked up together, a step for all of them and then the next step, so that the processor waits for the
// vocabulary's memory for many at once.
type hubBatch struct {
	recent [recentWords]recentWord

	waiting int // how many tokens wait
	words   [batchTokens]hubWord
	slots   [batchTokens]hubSlot
	used    int                      // bytes of text
	text    [batchBytes + short]byte // of tokens of more than 16 bytes
}

// A recentWord is a word of up to 16 bytes and its id; what has not been used is all zero.
type recentWord struct {
	a, b uint64 // as hashShort has them
	id   int32
	n    int32 // the number of bytes, plus 1
}

const (
	// recentWords is the number of words that are kept, in 192 KiB. About five of six words of reviews are among them.
	recentWords = 8192
	batchTokens = 64
)

// is reports whether it is a word of n bytes, at most 16.
func (r *recentWord) is(a, b uint64, n int) bool { return r.a == a && r.b == b && int(r.n) == n+1 }

// A hubWord is a token that waits.
type hubWord struct {
	a, b uint64 // as hashShort has them; of a token of more than 16 bytes a is where it is in the batch's text
	hash uint64
	n    int // how many bytes it has
}

// A hubSlot is where a token may stand in the vocabulary.
type hubSlot struct {
	place         int    // of the token's id among those of the text
	slot          uint32 // the first slot for its hash
	from, to      uint32 // the word of that slot
	first8, next8 uint64 // its first 16 bytes
}

// wait appends a token to those that wait, and leaves a place for its id.
func (t *HubTokenizer) wait(b *hubBatch, dst []int32, w hubWord) []int32 {
	i := b.waiting % batchTokens
	b.words[i] = w
	b.slots[i].place = len(dst)
	dst = append(dst, 0)
	if b.waiting++; b.waiting == batchTokens {
		dst = t.resolve(b, dst)
	}
	return dst
}

// resolve looks up the tokens that wait.
func (t *HubTokenizer) resolve(b *hubBatch, dst []int32) []int32 {
	v := t.vocabulary
	words := b.words[:b.waiting]
	slots := b.slots[:len(words)]
	b.waiting, b.used = 0, 0
	if len(v.slots) > 0 {
		for i := range words {
			slots[i].slot = v.slots[int(words[i].hash)&(len(v.slots)-1)]
		}
		for i := range slots {
			s := &slots[i]
			id := max(s.slot&v.idMask, 1) - 1 // that of an empty slot does no harm
			s.from, s.to = v.offsets[id], v.offsets[id+1]
		}
		for i := range slots {
			s := &slots[i]
			s.first8, s.next8 = load(v.words, int(s.from)), load(v.words, int(s.from)+8)
		}
	}
	for i := range words {
		w := &words[i]
		id := t.resolved(b, w, &slots[i])
		dst[slots[i].place] = id
		if w.n <= short {
			b.recent[w.hash%recentWords] = recentWord{w.a, w.b, id, int32(w.n) + 1}
		}
	}
	return dst
}

// resolved is the id of a token that has waited.
func (t *HubTokenizer) resolved(b *hubBatch, w *hubWord, s *hubSlot) int32 {
	v := t.vocabulary
	if s.slot != 0 && w.n <= short && int(s.to-s.from) == w.n &&
		lowBytes(s.first8, w.n) == w.a && lowBytes(s.next8, max(w.n-8, 0)) == w.b {
		return int32(s.slot&v.idMask) - 1
	}
	if s.slot == 0 && t.buckets == 1 {
		return int32(v.Len())
	}
	var token []byte
	if w.n <= short {
		token = b.text[batchBytes:]
		binary.LittleEndian.PutUint64(token, w.a)
		binary.LittleEndian.PutUint64(token[8:], w.b)
		token = token[:w.n]
	} else {
		token = b.text[w.a : int(w.a)+w.n]
	}
	if s.slot != 0 {
		if id, ok := find(v, w.hash, token); ok {
			return id
		}
	}
	return t.bucket(token)
}

// batch returns a batch without tokens. Whoever asks for it gives it back: see releaseBatch.
func (t *HubTokenizer) batch() *hubBatch {
	select {
	case b := <-t.batches:
		return b
	default:
		return new(hubBatch)
	}
}

// releaseBatch gives a batch back, unless there are enough.
func (t *HubTokenizer) releaseBatch(b *hubBatch) {
	select {
	case t.batches <- b:
	default:
	}
}
