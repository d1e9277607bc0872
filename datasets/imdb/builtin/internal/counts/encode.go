package counts

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"strings"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Encode writes a file with two splits and the words in the order of their rank.
func Encode(train, test *Split, words []string) ([]byte, error) {
	var body []byte
	for i, s := range []*Split{train, test} {
		stream, pairs, err := encodeSplit(s)
		if err != nil {
			return nil, fmt.Errorf("counts: split %d: %w", i, err)
		}
		for _, v := range []int{len(s.Labels), s.Vocabulary, s.Steps, pairs, len(stream)} {
			body = binary.LittleEndian.AppendUint32(body, uint32(v))
		}
		body = append(body, stream...)
	}
	for i, w := range words {
		if strings.ContainsRune(w, '\n') {
			return nil, fmt.Errorf("counts: word %d, %q, has a line feed", i, w)
		}
		body = append(append(body, w...), '\n')
	}
	data := []byte(magic)
	for _, v := range []uint32{version, uint32(len(body)), crc32.Checksum(body, castagnoli)} {
		data = binary.LittleEndian.AppendUint32(data, v)
	}
	return append(data, body...), nil
}

// encodeSplit returns the bit stream of a split and the number of its pairs without padding.
func encodeSplit(s *Split) (stream []byte, pairs int, err error) {
	n := len(s.Labels)
	if n > maxRows || s.Vocabulary < 1 || s.Vocabulary > maxVocabulary || s.Steps > maxSteps || len(s.Offsets) != n+1 {
		return nil, 0, fmt.Errorf("%d rows, %d offsets, a vocabulary of %d and %d steps cannot be written", n, len(s.Offsets), s.Vocabulary, s.Steps)
	}
	type entry struct{ row, count int }
	postings := make([][]entry, s.Vocabulary)
	var w bitWriter
	for i, label := range s.Labels {
		if label != 0 && label != 1 {
			return nil, 0, fmt.Errorf("the label of row %d is %d", i, label)
		}
		w.put(uint64(label), 1)
		total, last := 0, int32(-1)
		for k := s.Offsets[i]; k < s.Offsets[i+1]; k++ {
			id, count := s.IDs[k], int(s.Counts[k])
			if id <= last || int(id) >= s.Vocabulary || count < 1 || id > 0 && count > maxCount {
				return nil, 0, fmt.Errorf("row %d has id %d %d times after id %d", i, id, s.Counts[k], last)
			}
			postings[id] = append(postings[id], entry{i, count})
			total, last = total+count, id
		}
		if total != s.Steps {
			return nil, 0, fmt.Errorf("row %d has %d ids, not %d", i, total, s.Steps)
		}
	}
	size := 0
	for _, entries := range postings[1:] {
		pairs += len(entries)
		w.number(zigzag(len(entries)-size), firstOrder)
		size = len(entries)
		members := make([]int, size)
		for k, e := range entries {
			members[k] = e.row
		}
		w.set(members, n)
		for level := 2; len(entries) > 0; level++ {
			all := len(entries)
			members, more := members[:0], entries[:0]
			for k, e := range entries {
				if e.count >= level {
					members, more = append(members, k), append(more, e)
				}
			}
			entries = more
			w.number(uint32(len(members)), nextOrder(all))
			w.set(members, all)
		}
	}
	return w.bytes(), pairs, nil
}

func zigzag(d int) uint32 {
	if d < 0 {
		return uint32(-2*d - 1)
	}
	return uint32(2 * d)
}

func unzigzag(v uint32) int {
	if v&1 == 1 {
		return -int(v/2) - 1
	}
	return int(v / 2)
}

// set writes the members, ascending, out of 0 to n-1. Their number must be written before.
func (w *bitWriter) set(members []int, n int) {
	m := len(members)
	if m == 0 || m == n {
		return
	}
	if 2*m > n {
		var others []int
		next := 0
		for _, x := range members {
			for ; next < x; next++ {
				others = append(others, next)
			}
			next = x + 1
		}
		for ; next < n; next++ {
			others = append(others, next)
		}
		members = others
	}
	g := newGolomb(len(members), n)
	last := -1
	for _, x := range members {
		w.gap(g, uint64(x-last-1))
		last = x
	}
}
