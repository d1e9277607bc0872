package counts

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math/bits"
	"slices"
	"sync"
)

// Decode reads the two splits of a file. A file that is cut, changed or of another version is an error.
func Decode(data []byte) (train, test *Split, err error) {
	parts, err := open(data)
	if err != nil {
		return nil, nil, err
	}
	var splits [2]*Split
	var errs [2]error
	var wait sync.WaitGroup
	for i := range splits {
		wait.Go(func() { splits[i], errs[i] = parts.splits[i].decode() })
	}
	wait.Wait()
	for i, err := range errs {
		if err != nil {
			return nil, nil, fmt.Errorf("counts: split %d: %w", i, err)
		}
	}
	return splits[0], splits[1], nil
}

// Words reads the words of a file in the order of their rank.
func Words(data []byte) ([]string, error) {
	parts, err := open(data)
	if err != nil {
		return nil, err
	}
	lines := bytes.Split(parts.words, []byte{'\n'})
	words := make([]string, len(lines)-1) // nothing follows the last line feed
	for i := range words {
		words[i] = string(lines[i])
	}
	return words, nil
}

// parts are the sections of a file.
type parts struct {
	splits [2]section
	words  []byte
}

// section is a split as it is stored.
type section struct {
	rows, vocabulary, steps, pairs int
	stream                         []byte
}

// open checks a file's header and checksum and finds its sections.
func open(data []byte) (parts, error) {
	var p parts
	if len(data) < headerSize || string(data[:len(magic)]) != magic {
		return p, errors.New("counts: byte 0: not a file of word counts")
	}
	header := data[len(magic):]
	if v := binary.LittleEndian.Uint32(header); v != version {
		return p, fmt.Errorf("counts: byte %d: version %d, not %d", len(magic), v, version)
	}
	body := data[headerSize:]
	if n := binary.LittleEndian.Uint32(header[4:]); uint64(n) != uint64(len(body)) {
		return p, fmt.Errorf("counts: byte %d: %d bytes should follow the header, and %d do", len(magic)+4, n, len(body))
	}
	if want, sum := binary.LittleEndian.Uint32(header[8:]), crc32.Checksum(body, castagnoli); sum != want {
		return p, fmt.Errorf("counts: byte %d: the checksum is %08x, not %08x", len(magic)+8, sum, want)
	}
	// What follows has the right checksum: errors in it are those of the program that wrote it.
	for i := range p.splits {
		at := len(data) - len(body)
		if len(body) < splitHeader {
			return p, fmt.Errorf("counts: byte %d: split %d has no header", at, i)
		}
		var v [5]uint32
		for k := range v {
			v[k] = binary.LittleEndian.Uint32(body[4*k:])
		}
		body = body[splitHeader:]
		if v[0] > maxRows || v[1] < 1 || v[1] > maxVocabulary || v[2] > maxSteps || uint64(v[3]) > uint64(v[0])*uint64(v[2]) || uint64(v[4]) > uint64(len(body)) {
			return p, fmt.Errorf("counts: byte %d: split %d cannot have %d rows, %d ids, %d steps, %d pairs and %d bytes", at, i, v[0], v[1], v[2], v[3], v[4])
		}
		p.splits[i] = section{rows: int(v[0]), vocabulary: int(v[1]), steps: int(v[2]), pairs: int(v[3]), stream: body[:v[4]]}
		body = body[v[4]:]
	}
	if len(body) > 0 && body[len(body)-1] != '\n' {
		return p, fmt.Errorf("counts: byte %d: the last word does not end", len(data))
	}
	p.words = body
	return p, nil
}

var errStream = errors.New("the bit stream is not one that the encoder writes")

// decode reads the bit stream. It goes through the ids one by one, while rows are wanted: it first collects, id after
// id, the rows that have it and how often, and then gives each row its part.
func (s *section) decode() (*Split, error) {
	r := bitReader{data: s.stream}
	out := &Split{Vocabulary: s.vocabulary, Steps: s.steps, Labels: make([]int32, s.rows), Offsets: make([]int, s.rows+1)}
	for i := range out.Labels {
		out.Labels[i] = int32(r.get(1))
	}
	rows, counts := make([]int32, s.pairs), make([]uint8, s.pairs)
	ends := make([]int, s.vocabulary) // where in rows those of each id end
	var members, chosen []int32       // scratch
	start, size := 0, 0
	for id := 1; id < s.vocabulary; id++ {
		size += unzigzag(r.number(firstOrder))
		if size < 0 || size > s.rows || start+size > s.pairs {
			return nil, errStream
		}
		if !r.set(rows[start:start+size], s.rows) {
			return nil, errStream
		}
		mine := counts[start : start+size]
		for k := range mine {
			mine[k] = 1
		}
		// chosen lists those of mine that are at least as frequent as level says.
		for level, all := 2, size; all > 0; level++ {
			m := int(r.number(nextOrder(all)))
			if m > all || m > 0 && level > maxCount {
				return nil, errStream
			}
			members = slices.Grow(members[:0], m)[:m]
			if !r.set(members, all) {
				return nil, errStream
			}
			if level == 2 {
				chosen = append(chosen[:0], members...)
			} else {
				for k, x := range members {
					chosen[k] = chosen[x] // x is never below k
				}
			}
			chosen = chosen[:m]
			for _, x := range chosen {
				mine[x]++
			}
			all = m
		}
		start += size
		ends[id] = start
	}
	if start != s.pairs || r.overrun() {
		return nil, errStream
	}
	return out, out.fill(rows, counts, ends)
}

// fill sorts what was collected by row. Ids then ascend within each row, as they were collected in ascending order.
func (s *Split) fill(rows []int32, counts []uint8, ends []int) error {
	// For each row, the number of its pairs above 16 bits and the sum of its counts below: both are at most maxSteps.
	tally := make([]uint32, len(s.Labels))
	for k, row := range rows {
		tally[row] += 1<<16 | uint32(counts[k])
		if tally[row]&0xffff > maxSteps {
			return errStream
		}
	}
	next := make([]int32, len(tally)) // where the next pair of each row goes
	total := 0
	for i, t := range tally {
		sum := int(t & 0xffff)
		if sum > s.Steps {
			return errStream
		}
		next[i] = int32(total)
		total += int(t >> 16)
		if sum < s.Steps {
			total++
		}
		s.Offsets[i+1] = total
	}
	s.IDs, s.Counts = make([]int32, total), make([]int32, total)
	for i, t := range tally {
		if p := s.Steps - int(t&0xffff); p > 0 {
			s.Counts[next[i]] = int32(p) // the id is 0
			next[i]++
		}
	}
	// A block of rows at a time, so that the lines of memory that are written to stay in the cache.
	const block = 2048
	from := make([]int, len(ends)) // where in rows those of each id in the block begin
	copy(from[1:], ends)
	for last := int32(block); ; last += block {
		for id := 1; id < len(ends); id++ {
			k := from[id]
			for ; k < ends[id] && rows[k] < last; k++ {
				at := next[rows[k]]
				s.IDs[at], s.Counts[at] = int32(id), int32(counts[k])
				next[rows[k]] = at + 1
			}
			from[id] = k
		}
		if int(last) >= len(tally) {
			return nil
		}
	}
}

// set reads a set of len(members) out of 0 to n-1, ascending. It returns false for a set that has not room there.
func (r *bitReader) set(members []int32, n int) bool {
	m := len(members)
	switch {
	case m == 0:
	case m == n:
		for k := range members {
			members[k] = int32(k)
		}
	case 2*m <= n:
		return r.sparse(members, n)
	default:
		g := newGolomb(n-m, n)
		next, k := uint64(0), 0
		for range n - m {
			gap := r.gap(g) // members up to the next other
			if gap > uint64(m-k) {
				return false
			}
			for range gap {
				members[k] = int32(next)
				k, next = k+1, next+1
			}
			next++
		}
		for ; next < uint64(n); next++ {
			members[k] = int32(next)
			k++
		}
	}
	return true
}

// sparse reads a set of at most half of 0 to n-1. Most of the time of loading is spent here: the loop is r.gap, with
// the reader's state in registers and no branch that depends on the remainder.
func (r *bitReader) sparse(members []int32, n int) bool {
	g := newGolomb(len(members), n)
	mask := uint64(1)<<g.bits - 1
	data, pos, acc, have := r.data, r.pos, r.acc, r.n
	next := uint64(0)
	for k := range members {
		var gap uint64
		if pos+8 <= len(data) {
			acc |= binary.LittleEndian.Uint64(data[pos:]) << (have & 63)
			pos += int(63-have) >> 3
			have |= 56
		}
		zeros := uint(bits.TrailingZeros64(acc))
		if zeros+2+g.bits <= have {
			acc >>= (zeros + 1) & 63
			rest := acc & mask
			acc >>= g.bits & 63
			long := (g.cutoff - 1 - rest) >> 63 // 1 if one more bit belongs to it
			rest += long * (rest + acc&1 - g.cutoff)
			acc >>= long
			have -= zeros + 1 + g.bits + uint(long)
			gap = uint64(zeros)*g.m + rest
		} else {
			r.pos, r.acc, r.n = pos, acc, have
			gap = r.gap(g)
			pos, acc, have = r.pos, r.acc, r.n
		}
		next += gap
		members[k] = int32(next)
		next++
	}
	r.pos, r.acc, r.n = pos, acc, have
	// Gaps are not negative: if the last member is in range, all are.
	return next <= uint64(n)
}
