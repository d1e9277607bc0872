package counts

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/linnet-ml/linnet/internal/boundary"
)

// drawSplit draws rows of steps ids, as a padded review has: ids from 1 on where they are many, 0 for the rest.
func drawSplit(t *rapid.T, name string) *Split {
	s := &Split{
		Vocabulary: rapid.IntRange(1, 12).Draw(t, name+" vocabulary"),
		Steps:      rapid.IntRange(0, 300).Draw(t, name+" steps"),
		Labels:     rapid.SliceOfN(rapid.Int32Range(0, 1), 0, 60).Draw(t, name+" labels"),
		Offsets:    []int{0},
		IDs:        []int32{},
		Counts:     []int32{},
	}
	if s.Labels == nil {
		s.Labels = []int32{}
	}
	// Per id, how often it is in a row at all: dense, sparse, complete and empty sets are written differently.
	density := rapid.SliceOfN(rapid.SampledFrom([]int{0, 5, 50, 95, 100}), s.Vocabulary, s.Vocabulary).Draw(t, name+" density")
	for range s.Labels {
		left := s.Steps
		var ids []int32
		var counts []int32
		for id := 1; id < s.Vocabulary; id++ {
			if rapid.IntRange(1, 100).Draw(t, "chance") > density[id] {
				continue
			}
			if n := min(left, 255, rapid.SampledFrom([]int{1, 1, 1, 2, 3, 40, 255}).Draw(t, "count")); n > 0 {
				ids, counts = append(ids, int32(id)), append(counts, int32(n))
				left -= n
			}
		}
		if left > 0 {
			ids, counts = slices.Insert(ids, 0, 0), slices.Insert(counts, 0, int32(left))
		}
		s.IDs, s.Counts = append(s.IDs, ids...), append(s.Counts, counts...)
		s.Offsets = append(s.Offsets, len(s.IDs))
	}
	return s
}

func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		train, test := drawSplit(t, "train"), drawSplit(t, "test")
		words := rapid.SliceOf(rapid.StringMatching(`[^\n]*`)).Draw(t, "words")
		data, err := Encode(train, test, words)
		if err != nil {
			t.Fatal(err)
		}
		gotTrain, gotTest, err := Decode(data)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff([]*Split{train, test}, []*Split{gotTrain, gotTest}); d != "" {
			t.Error(d)
		}
		gotWords, err := Words(data)
		if err != nil || !slices.Equal(gotWords, words) {
			t.Errorf("words %q, %v, want %q", gotWords, err, words)
		}
	})
}

// small is a file with two splits of three rows.
func small(tb testing.TB) []byte {
	tb.Helper()
	s := &Split{Vocabulary: 4, Steps: 5, Labels: []int32{1, 0, 1}, Offsets: []int{0, 2, 4, 7},
		IDs: []int32{0, 2, 1, 3, 0, 1, 2}, Counts: []int32{3, 2, 1, 4, 1, 1, 3}}
	data, err := Encode(s, s, []string{"good", "bad"})
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

// seal gives a file the checksum and length of what it has, right or wrong.
func seal(data []byte) []byte {
	binary.LittleEndian.PutUint32(data[12:], uint32(len(data)-headerSize))
	binary.LittleEndian.PutUint32(data[16:], crc32.Checksum(data[headerSize:], castagnoli))
	return data
}

func TestBrokenFiles(t *testing.T) {
	change := func(at int, b byte) []byte {
		data := small(t)
		data[at] = b
		return data
	}
	size := len(small(t))
	for _, c := range []struct {
		name string
		data []byte
		want string
	}{
		{"empty", nil, "counts: byte 0: not a file of word counts"},
		{"magic", change(0, 'L'), "counts: byte 0: not a file of word counts"},
		{"version", change(8, 2), "counts: byte 8: version 2, not 1"},
		{"cut", small(t)[:size-1], fmt.Sprintf("counts: byte 12: %d bytes should follow the header, and %d do", size-20, size-21)},
		{"changed", change(size-2, 'x'), "counts: byte 16: the checksum is "},
		{"too many rows", seal(change(22, 255)), "counts: byte 20: split 0 cannot have 16711683 rows, 4 ids, 5 steps, 5 pairs and 6 bytes"},
		{"long stream", seal(change(37, 1)), "counts: byte 20: split 0 cannot have 3 rows, 4 ids, 5 steps, 5 pairs and 262 bytes"},
		{"one split", seal(small(t)[:50]), "counts: byte 46: split 1 has no header"},
		{"last word", seal(small(t)[:size-1]), fmt.Sprintf("counts: byte %d: the last word does not end", size-1)},
		{"pairs", seal(change(32, 4)), "counts: split 0: the bit stream is not one that the encoder writes"},
		{"steps", seal(change(28, 2)), "counts: split 0: the bit stream is not one that the encoder writes"},
		{"vocabulary", seal(change(24, 200)), "counts: split 0: the bit stream is not one that the encoder writes"},
	} {
		_, _, err := Decode(c.data)
		if err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%s: error %v\nwant  %s", c.name, err, c.want)
		}
	}
}

func TestEncodeErrors(t *testing.T) {
	good := func() *Split {
		return &Split{Vocabulary: 3, Steps: 2, Labels: []int32{1}, Offsets: []int{0, 2}, IDs: []int32{1, 2}, Counts: []int32{1, 1}}
	}
	for _, c := range []struct {
		change func(*Split)
		want   string
	}{
		{func(s *Split) { s.Labels[0] = 2 }, "counts: split 0: the label of row 0 is 2"},
		{func(s *Split) { s.Counts[1] = 2 }, "counts: split 0: row 0 has 3 ids, not 2"},
		{func(s *Split) { s.IDs[1] = 1 }, "counts: split 0: row 0 has id 1 1 times after id 1"},
		{func(s *Split) { s.Offsets = nil }, "counts: split 0: 1 rows, 0 offsets, a vocabulary of 3 and 2 steps cannot be written"},
	} {
		s := good()
		c.change(s)
		if _, err := Encode(s, good(), nil); err == nil || err.Error() != c.want {
			t.Errorf("error %v\nwant  %s", err, c.want)
		}
	}
	if _, err := Encode(good(), good(), []string{"two\nlines"}); err == nil {
		t.Error("a word with a line feed was written")
	}
}

// FuzzDecode changes a file and gives it the right checksum: the decoder must not trust the program that wrote it.
func FuzzDecode(f *testing.F) {
	f.Add(small(f))
	for changed := range boundary.Words(small(f), 4, headerSize, headerSize+4, headerSize+8, headerSize+12, headerSize+16) {
		f.Add(changed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) < headerSize {
			return
		}
		copy(data, magic)
		binary.LittleEndian.PutUint32(data[8:], version)
		train, test, err := Decode(seal(data))
		if err != nil {
			return
		}
		for _, s := range []*Split{train, test} {
			if s.Offsets[len(s.Labels)] != len(s.IDs) {
				t.Errorf("the rows end at %d of %d pairs", s.Offsets[len(s.Labels)], len(s.IDs))
			}
		}
	})
}
