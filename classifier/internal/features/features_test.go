package features

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/linnet-ml/linnet/internal/spill"
)

var texts = []string{
	"", "   ", "Good good GOOD film", "not good, not bad!", "日本語 テキスト naïve Ärger", "a\xff\xfeb \x00 c", "supercalifragilistic words, supercalifragilistic", "🙂🙂 ok",
	strings.Repeat("again and ", 50), strings.Repeat("éa,b! ", 30), strings.Repeat("x", 63) + " " + strings.Repeat("Y", 65) + "z'" + strings.Repeat("Wörter8 und\x7f12345678 und123456789", 9),
	strings.Repeat("漢字かなKana", 20), strings.Repeat("a.b", 40) + "\u00a0" + strings.Repeat(" . ", 30) + "İK end",
	"É" + strings.Repeat("a", 200) + " “" + strings.Repeat("Bc", 90) + " \u06c1" + strings.Repeat("A", 200) + strings.Repeat(" and more", 9),
	strings.Repeat("@a [b] c\\d e^f _g `h {i} |j ~k !\"#$%&'()*+,-./:;<=>? AZ az 09 ", 7), strings.Repeat("@[\\]^_`{|}~", 40) + strings.Repeat(" x", 40),
}

// words is the definition of words, slowly.
func words(s Settings, text string) []string {
	var out []string
	open := false
	for _, r := range text {
		if !s.KeepCase {
			r = []rune(strings.ToLower(string(r)))[0]
		}
		class, alone := classSpace, false
		if r < 0x80 {
			class = int(classes[r])
			alone = class == classMark
		} else {
			class, alone = classOf(r)
		}
		switch {
		case class == classSpace || class == classMark && !s.Punctuation:
			open = false
		case alone:
			out = append(out, string(r))
			open = false
		case open:
			out[len(out)-1] += string(r)
		default:
			out = append(out, string(r))
			open = true
		}
	}
	return out
}

func characters(s Settings, text string) []string {
	if !s.KeepCase {
		text = strings.ToLower(text)
	}
	fields := strings.FieldsFunc(text, func(r rune) bool {
		if r < 0x80 {
			return classes[r] == classSpace
		}
		class, _ := classOf(r)
		return class == classSpace
	})
	if len(fields) == 0 {
		return nil
	}
	return strings.Split(" "+strings.Join(fields, " ")+" ", "")
}

// Two n-grams have the same hash exactly if they are the same: hashes and strings, made by separate code, map to each other.
func TestScan(t *testing.T) {
	for _, s := range []Settings{{WordMin: 1, WordMax: 5}, {WordMin: 1, WordMax: 2, Punctuation: true}, {WordMin: 1, WordMax: 2, KeepCase: true, Punctuation: true}, {CharMin: 1, CharMax: 6}, {WordMin: 2, WordMax: 3, CharMin: 2, CharMax: 4, KeepCase: true}} {
		byHash, byGram := map[uint64]string{}, map[string]uint64{}
		scanner := NewScanner(s)
		for _, text := range texts {
			hashes := scanner.Scan(text)
			n := 0
			for k := range Kind(Kinds) {
				if !s.Has(k) {
					continue
				}
				length, chars := k.Length()
				units := words(s, text)
				if chars {
					units = characters(s, text)
				}
				from, to := scanner.Range(k)
				if want := max(len(units)-length+1, 0); to-from != want {
					t.Fatalf("%+v: %d n-grams of kind %d in %q, want %d", s, to-from, k, text, want)
				}
				for i, h := range hashes[from:to] {
					gram := fmt.Sprint(k, units[i:i+length])
					if g, ok := byHash[h]; ok && g != gram {
						t.Errorf("%q and %q have the same hash", g, gram)
					}
					if g, ok := byGram[gram]; ok && g != h {
						t.Errorf("%q has two hashes", gram)
					}
					byHash[h], byGram[gram] = gram, h
				}
				n += to - from
			}
			if n != len(hashes) {
				t.Errorf("%d hashes, want %d", len(hashes), n)
			}
		}
	}
}

// A corpus counts what a map counts.
func TestBuild(t *testing.T) {
	s := Settings{WordMin: 1, WordMax: 3, CharMin: 2, CharMax: 3}
	rows := []int32{8, 2, 3, 3, 4, 6, 7}
	for _, minimum := range []int{1, 2} {
		c, err := Build(context.Background(), Memory(texts), rows, s, Limits{Minimum: minimum})
		if err != nil {
			t.Fatal(err)
		}
		frequency := map[uint64]uint32{}
		counts := make([]map[uint64]uint16, len(rows))
		scanner := NewScanner(s)
		for i, row := range rows {
			counts[i] = map[uint64]uint16{}
			for _, h := range scanner.Scan(texts[row]) {
				if counts[i][h]++; counts[i][h] == 1 {
					frequency[h]++
				}
			}
		}
		for h, f := range frequency {
			if int(f) < minimum {
				delete(frequency, h)
			}
		}
		if len(frequency) != len(c.Hash) || !slices.IsSortedFunc(c.Frequency, func(a, b uint32) int { return int(b) - int(a) }) {
			t.Fatalf("minimum %d: %d n-grams, want %d, the most frequent first", minimum, len(c.Hash), len(frequency))
		}
		for id, h := range c.Hash {
			if frequency[h] != c.Frequency[id] {
				t.Errorf("frequency %d, want %d", c.Frequency[id], frequency[h])
			}
		}
		for i := range rows {
			n := 0
			for j := c.Start[i]; j < c.Start[i+1]; j++ {
				if h := c.Hash[c.ID[j]]; counts[i][h] != c.Count[j] {
					t.Errorf("row %d: count %d, want %d", i, c.Count[j], counts[i][h])
				}
			}
			for h := range counts[i] {
				if frequency[h] > 0 {
					n++
				}
			}
			if n != c.Start[i+1]-c.Start[i] {
				t.Errorf("row %d has %d n-grams, want %d", i, c.Start[i+1]-c.Start[i], n)
			}
		}
	}
}

// Distinct finds what a map finds, text by text, and has room for the distinct hashes of the largest text, however many
// hashes it has.
func TestDistinct(t *testing.T) {
	var d Distinct
	for text, hashes := range []int{10, 100_000, 0, 3000, 70_000} {
		d.Begin()
		first := map[uint64]int{}
		for i := range hashes {
			h := (uint64(i)*uint64(i)%5003 + uint64(text)) * prime0
			at, seen := d.Add(h, i)
			if want, ok := first[h]; ok != seen || ok && at != want || !ok && at != i {
				t.Fatalf("text %d: hash %d was noted with %d: %v; want %d: %v", text, i, at, seen, want, ok)
			}
			if !seen {
				first[h] = i
			}
		}
	}
	if n := len(d.slots); n != 1<<13 {
		t.Errorf("%d slots for texts of some 2,500 distinct hashes", n)
	}
	d.stamp = math.MaxUint32
	d.Begin()
	if _, seen := d.Add(0, 1); seen || d.stamp != 1 {
		t.Error("a hash of an earlier text is found when stamps begin anew")
	}
}

// Of a long text the beginning is learned from. A text of one word needs memory for its hashes, and for one n-gram.
func TestLongText(t *testing.T) {
	long := strings.Repeat("a ", MostBytes/2-2) + "end beyond"
	b := &builder{texts: Memory{long}, rows: []int32{0}, limits: Limits{Minimum: 1}, scanner: NewScanner(Settings{WordMin: 1, WordMax: 1})}
	c, err := b.build(context.Background(), math.MaxInt)
	if err != nil {
		t.Fatal(err)
	}
	want := NewScanner(Settings{WordMin: 1, WordMax: 1}).Scan("a end")
	if !slices.Equal(c.Hash, want) {
		t.Errorf("%d n-grams, want the %d of the first %d bytes", len(c.Hash), len(want), MostBytes)
	}
	if n := len(b.distinct.slots); n != fewestSlots {
		t.Errorf("%d slots for %d n-grams", n, len(c.Hash))
	}
	looks := &counted{Context: context.Background()}
	for _, pass := range []func() error{
		func() error { b.sieve = newBitmap(10); return b.sift(looks) },
		func() error { b.sieve = nil; _, err := b.build(looks, math.MaxInt); return err },
	} {
		looks.n = 0
		if err := pass(); err != nil || looks.n < MostBytes/2/checkHashes {
			t.Errorf("%d looks at the context, %v", looks.n, err)
		}
	}
}

// counted is a context that counts the looks at it.
type counted struct {
	context.Context
	n int
}

func (c *counted) Err() error { c.n++; return c.Context.Err() }

func TestDictionary(t *testing.T) {
	multiplier := uint64(prime0)
	var d Dictionary
	for round := range 2 {
		for i := range uint64(5000) {
			if id, added := d.Add(i * multiplier); id != uint32(i) || added != (round == 0) {
				t.Fatalf("round %d: hash %d has number %d, added: %v", round, i, id, added)
			}
		}
	}
	if d.Len() != 5000 {
		t.Errorf("%d hashes, want 5000", d.Len())
	}
}

func TestCheck(t *testing.T) {
	for _, s := range []Settings{{WordMin: 2, WordMax: 1}, {WordMax: 1}, {CharMin: 1, CharMax: MaxGram + 1}, {CharMin: -1, CharMax: 2}} {
		if s.Check() == nil {
			t.Errorf("%+v passes", s)
		}
	}
	if err := (Settings{WordMin: 1, WordMax: 3}).Check(); err != nil {
		t.Error(err)
	}
}

// A sketch counts never less than what was added, seldom more, and keeps what is in enough texts. What is built with it has the n-grams
// of a minimum that is as high as the number of n-grams asks for.
func TestSketched(t *testing.T) {
	var many Memory
	var rows []int32
	for i := range 600 {
		var b strings.Builder
		for j := range 40 {
			fmt.Fprintf(&b, "w%d ", (i*7919+j*j*131)%(3+i%997)) // low numbers are in most texts
		}
		many = append(many, b.String())
		rows = append(rows, int32(i))
	}
	s := Settings{WordMin: 1, WordMax: 2}
	all, err := Build(context.Background(), many, rows, s, Limits{Minimum: 1})
	if err != nil {
		t.Fatal(err)
	}
	k := newSketch(16)
	b := &builder{texts: many, rows: rows, scanner: NewScanner(s), sieve: k, passes: 2}
	if err := b.sift(context.Background()); err != nil {
		t.Fatal(err)
	}
	more := 0
	for f, h := range all.Hash {
		n := uint32(min(k.first[h>>k.shift], k.second[h*prime1>>k.shift]))
		if n < min(all.Frequency[f], 255) {
			t.Fatalf("n-gram %d is in %d texts, the sketch counts %d", f, all.Frequency[f], n)
		}
		if n > all.Frequency[f] {
			more++
		}
	}
	if more > len(all.Hash)/10 {
		t.Errorf("of %d n-grams the sketch counts %d too often", len(all.Hash), more)
	}
	for _, most := range []int{len(all.Hash), 1000, 100, 1} {
		limits := Limits{Minimum: 1, Columns: most}
		want, err := Build(context.Background(), many, rows, s, limits)
		if err != nil {
			t.Fatal(err)
		}
		if len(want.Hash) > most || len(want.Hash) < len(all.Hash) && all.Frequency[len(want.Hash)] == all.Frequency[len(want.Hash)-min(1, len(want.Hash))] {
			t.Errorf("%d n-grams of at most %d; equally frequent ones are cut apart", len(want.Hash), most)
		}
		for _, space := range []*spill.Space{nil, {Bound: 100}} {
			limits.Space = space
			b := &builder{texts: many, rows: rows, limits: limits, scanner: NewScanner(s), passes: 2}
			got, err := b.sketched(context.Background(), 16)
			if err != nil {
				t.Fatal(err)
			}
			if most >= 100 && (len(got.Hash) > most || len(got.Hash) < len(want.Hash)*9/10) {
				t.Errorf("%d n-grams with a sketch, %d without", len(got.Hash), len(want.Hash))
			}
			for f, h := range got.Hash {
				if h != want.Hash[f] || got.Frequency[f] != want.Frequency[f] {
					t.Fatalf("with a sketch n-gram %d is another one, or in other texts", f)
				}
			}
			if len(got.ID) != got.Start[len(rows)] || len(got.Count) != len(got.ID) {
				t.Errorf("%d and %d entries, want %d", len(got.ID), len(got.Count), got.Start[len(rows)])
			}
			if err := space.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

// Where a higher minimum would leave next to nothing, the first n-grams of equal frequency stay: all texts of a few
// near-duplicates have the same ones.
func TestEqualFrequency(t *testing.T) {
	same := Memory{"a b c d e f g h i j k l", "l k j i h g f e d c b a x", "x a b c d e f g h i j k l"}
	s := Settings{WordMin: 1, WordMax: 1}
	for columns, want := range map[int]int{0: 13, 13: 13, 12: 12, 9: 9, 1: 1} {
		c, err := Build(context.Background(), same, []int32{0, 1, 2}, s, Limits{Minimum: 1, Columns: columns})
		if err != nil {
			t.Fatal(err)
		}
		scanned := NewScanner(s).Scan(same[0] + " x")
		if !slices.Equal(c.Hash, scanned[:want]) || !slices.IsSortedFunc(c.Frequency, func(a, b uint32) int { return int(b) - int(a) }) {
			t.Errorf("at most %d n-grams: %d, want the first %d", columns, len(c.Hash), want)
		}
		for i := range same {
			for _, id := range c.ID[c.Start[i]:c.Start[i+1]] {
				if int(id) >= want {
					t.Errorf("at most %d n-grams: row %d has number %d", columns, i, id)
				}
			}
		}
	}
}

// Where room for n-grams is used up, the first ones stay and are counted right.
func TestFull(t *testing.T) {
	many := Memory{"a b a", "b c a", "c d b c"}
	b := &builder{texts: many, rows: []int32{0, 1, 2}, limits: Limits{Minimum: 1}, scanner: NewScanner(Settings{WordMin: 1, WordMax: 1}), passes: 2}
	c, err := b.build(context.Background(), 2)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(c.Frequency, []uint32{3, 2}) || !slices.Equal(c.ID, []uint32{1, 0, 0, 1, 0}) || !slices.Equal(c.Count, []uint16{2, 1, 1, 1, 1}) || !slices.Equal(c.Start, []int{0, 2, 4, 5}) {
		t.Errorf("%+v", c)
	}
}
