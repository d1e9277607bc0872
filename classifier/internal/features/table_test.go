package features

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// eachPath runs a test with every path of kernels that this processor has.
func eachPath(t *testing.T, f func(t *testing.T, k kernels)) {
	for _, k := range available() {
		t.Run(k.name, func(t *testing.T) { f(t, k) })
	}
}

// tableOf is a table of hashes, of which so many upper bits are known.
func tableOf(t *testing.T, hashes []uint64, width, known int) *Table {
	t.Helper()
	for i, h := range hashes {
		hashes[i] = h >> (64 - known) << (64 - known)
	}
	slices.Sort(hashes)
	table, err := NewTable(slices.Compact(hashes), width, known, func(i int) uint8 { return uint8(i * 31) })
	if err != nil {
		t.Fatal(err)
	}
	return table
}

// A table has the n-grams it is made of, by their numbers, and no others: with hashes of any distribution, few known bits, and words in
// which n-grams share places.
func TestTable(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for name, draw := range map[string]func() uint64{
		"even":        r.Uint64,
		"zero":        func() uint64 { return 0 },
		"low":         func() uint64 { return r.Uint64() >> (8 + r.UintN(30)) },
		"high":        func() uint64 { return ^(r.Uint64() >> (8 + r.UintN(30))) },
		"in clusters": func() uint64 { return r.Uint64N(60)<<58 | r.Uint64N(16)<<38 },
		"in one word": func() uint64 { return 7<<60 | r.Uint64N(48)*(1<<60/48) + r.Uint64N(1<<55) },
	} {
		for _, n := range []int{0, 1, 5, 100, 200, 3000} {
			for _, bits := range [][2]int{{28, 28}, {33, 33}, {34, 22}, {40, 40}} {
				var hashes []uint64
				for range n {
					hashes = append(hashes, draw())
				}
				width, known := bits[0], bits[1]
				for i, h := range hashes {
					hashes[i] = h >> (64 - known) << (64 - known)
				}
				slices.Sort(hashes)
				hashes = slices.Compact(hashes)
				if n > 200 && name != "even" || width == 28 && n > 200 {
					continue // more alike than a word takes
				}
				table, err := NewTable(hashes, width, known, func(i int) uint8 { return uint8(i * 31) })
				if err != nil {
					t.Fatalf("%s, %d, %v: %v", name, n, bits, err)
				}
				for i, h := range hashes {
					if id, ok := table.Find(h | r.Uint64()>>known); !ok || int(id) != i || table.Entry(id) != uint8(i*31) {
						t.Fatalf("%s, %d, %v: hash %x is number %d, %v, want %d", name, n, bits, h, id, ok, i)
					}
				}
				for range 200 {
					h := draw()
					id, ok := table.Find(h)
					// Only where n-grams are alike, one that is not there may be taken for one of the next word.
					if i, found := slices.BinarySearch(hashes, h>>(64-known)<<(64-known)); ok != found && (found || name == "even") || found && int(id) != i {
						t.Fatalf("%s, %d, %v: hash %x is number %d, %v, want %d, %v", name, n, bits, h, id, ok, i, found)
					}
				}
			}
		}
	}
	alike := make([]uint64, maxAlike+1)
	for i := range alike {
		alike[i] = uint64(i) << 40
	}
	if _, err := NewTable(alike, 28, 28, func(int) uint8 { return 0 }); err == nil {
		t.Error("more n-grams alike than a section can number are no error")
	}
}

// The kernels of every path write the same.
func TestKernels(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	var tables []*Table
	for n := range 40 {
		hashes := make([]uint64, n*n)
		for i := range hashes {
			hashes[i] = r.Uint64()
			if n%3 == 0 { // many are alike
				hashes[i] &= 0xf0f0f0f0ffffffff
			}
		}
		tables = append(tables, tableOf(t, hashes, 36, 36-n%4*2))
	}
	eachPath(t, func(t *testing.T, k kernels) {
		r := rand.New(rand.NewPCG(5, 6))
		var a, b candidates
		for i, table := range tables {
			for _, n := range []int{1, 2, 3, 9, 100, siftChunk} {
				grams, last := make([]uint64, n), make([]uint64, n)
				for j := range last {
					grams[j], last[j] = r.Uint64(), r.Uint64()
					if r.UintN(3) > 0 && table.n > 0 { // an n-gram of the table, or one with the same place
						e := table.entries[r.IntN(table.n)]
						at := r.Uint64N(uint64(len(table.words)))
						last[j] = at<<table.shift | uint64(e>>8)<<table.tag&(1<<table.shift-1) - grams[j]*prime2
					}
				}
				other := slices.Clone(grams)
				kept := portable.sift(&a, table, other, last)
				if got := k.sift(&b, table, grams, last); got != kept || !slices.Equal(a.hashes[:kept], b.hashes[:kept]) || !slices.Equal(a.starts[:kept], b.starts[:kept]) || !slices.Equal(grams, other) {
					t.Fatalf("table %d: %d candidates of %d, want %d", i, got, n, kept)
				}
				if table.reach > vectorReach {
					continue
				}
				ids, want := make([]uint32, kept), make([]uint32, kept)
				found, other2 := k.find(ids, &b, table, kept), portable.find(want, &a, table, kept)
				if found != other2 || !slices.Equal(ids[:found], want[:found]) {
					t.Fatalf("table %d: found %d: %v, want %d: %v", i, found, ids[:found], other2, want[:found])
				}
			}
		}
		for n := 1; n < 20; n++ {
			text := make([]byte, 64*n)
			for i := range text {
				text[i] = byte(r.Uint32())
				if n%2 == 0 {
					text[i] &= 0x7f
				}
			}
			for _, marks := range []bool{false, true} {
				got, want := make([]mask, n), make([]mask, n)
				k.mark(got, string(text), marks)
				markPortable(want, string(text), marks)
				if !slices.Equal(got, want) {
					t.Fatalf("%d blocks, marks %v: other masks", n, marks)
				}
				if k.ends != nil {
					testEnds(t, k, string(text), got)
				}
			}
		}
	})
}

// testEnds compares where words end in blocks, and their hashes, with what splitWords does of one block after another. Parts of characters of
// several bytes count as those of words here.
func testEnds(t *testing.T, k kernels, text string, masks []mask) {
	t.Helper()
	const before = 9 // bytes, in which a word may have begun
	text = strings.Repeat("Q", before) + text + strings.Repeat(" ", 8)
	masks = append(masks, mask{})
	for _, fold := range []uint64{0, 0x20 * every} {
		for _, open := range []int{-1, 0} {
			if open >= 0 && masks[0].run&1 == 0 {
				continue // it has ended before
			}
			var want []uint64
			still := open
			for j := range len(masks) - 1 {
				first, last := masks[j].ends(still >= 0, masks[j+1])
				out, n := make([]uint64, 64), 0
				n, still = blockWords(out, text, before+64*j, still, first, last, fold)
				want = append(want, out[:n]...)
			}
			ends := make([][2]int32, 64*len(masks)+1)
			ends[0][0] = -before // if a word is open
			began, ended := k.ends(ends, masks, open+1)
			got := make([]uint64, ended)
			if ended > 0 {
				k.words(got, text, before, ends, fold)
			}
			if !slices.Equal(got, want) || began > ended != (still >= 0) || still >= 0 && before+int(ends[ended][0]) != still {
				t.Fatalf("%d blocks, fold %x, open %d: %d words end of %d, want %d and an end in %d", len(masks)-1, fold, open, ended, began, len(want), still)
			}
		}
	}
}

// What is found with a table is what Scan returns and the table has, in every path, and places are recorded for the same n-grams.
func TestFind(t *testing.T) {
	eachPath(t, func(t *testing.T, k kernels) {
		for _, s := range []Settings{{WordMin: 1, WordMax: 3}, {WordMin: 1, WordMax: 2, Punctuation: true}, {WordMin: 2, WordMax: 4, KeepCase: true, Punctuation: true}, {CharMin: 1, CharMax: 4}, {CharMin: 3, CharMax: 5}, {WordMin: 1, WordMax: 1, CharMin: 2, CharMax: 4}} {
			testFind(t, k, s, append(slices.Clone(texts), strings.Repeat("One two, three four-five. ", 500),
				strings.Repeat("x", 70000)+" y", strings.Repeat("a b ", 1100)+strings.Repeat("Wide", 30)+strings.Repeat(" c", 40)+"é"+strings.Repeat("(d)e", 300)))
		}
	})
}

func testFind(t *testing.T, k kernels, s Settings, texts []string) {
	t.Helper()
	scanner, recorder := NewScanner(s), NewScanner(s)
	scanner.kernels, recorder.kernels = k, portable
	recorder.RecordPlaces()
	var hashes []uint64
	for i, text := range texts {
		for j, h := range scanner.Scan(text) {
			if j%7 == i%7 {
				hashes = append(hashes, h)
			}
		}
	}
	table := tableOf(t, hashes, 40, 40)
	for _, text := range texts {
		all := slices.Clone(scanner.Scan(text))
		if !slices.Equal(all, recorder.Scan(text)) {
			t.Fatalf("%+v: other n-grams of %q with places", s, text)
		}
		if _, end := scanner.Range(Words(1)); s.WordMin == 1 && end != len(recorder.Tokens()) {
			t.Fatalf("%+v: %d places of words, want %d", s, len(recorder.Tokens()), end)
		}
		var want []uint32
		words := 0
		firstCharacter, _ := scanner.Range(Chars(1))
		for i, h := range all {
			if id, ok := table.Find(h); ok {
				want = append(want, id)
				if i < firstCharacter {
					words++
				}
			}
		}
		got := slices.Clone(scanner.FindWords(text, table))
		n := len(got)
		got = append(got, scanner.FindCharacters(text, table)...)
		if !slices.Equal(got, want) || n != words {
			t.Fatalf("%+v: %d n-grams of %q found, want %d", s, len(got), text, len(want))
		}
	}
}

// FuzzScan compares the words and characters of any bytes with their definition, in every path.
func FuzzScan(f *testing.F) {
	for _, text := range texts {
		f.Add(text, false, false)
		f.Add(text, true, true)
		f.Add(text, false, true)
	}
	f.Add(strings.Repeat("a", 63)+"é"+strings.Repeat("B ", 40)+"\xe6\x97", false, true)
	f.Fuzz(func(t *testing.T, text string, keepCase, punctuation bool) {
		s := Settings{WordMin: 1, WordMax: 2, CharMin: 1, CharMax: 2, KeepCase: keepCase, Punctuation: punctuation}
		for _, k := range available() {
			scanner := NewScanner(s)
			scanner.kernels = k
			hashes := scanner.Scan(text)
			from, to := scanner.Range(Words(1))
			want := words(s, strings.ToValidUTF8(text, " "))
			if to-from != len(want) {
				t.Fatalf("%s: %d words of %q, want %d", k.name, to-from, text, len(want))
			}
			for i, w := range want {
				if h := hash([]byte(w)); h != hashes[from+i] {
					t.Fatalf("%s: word %d of %q is not %q", k.name, i, text, w)
				}
			}
			from, to = scanner.Range(Chars(1))
			chars := characters(s, strings.ToValidUTF8(text, " "))
			if to-from != len(chars) {
				t.Fatalf("%s: %d characters of %q, want %d", k.name, to-from, text, len(chars))
			}
			for i, c := range chars {
				if r, _ := utf8.DecodeRuneInString(c); character(r) != hashes[from+i] {
					t.Fatalf("%s: character %d of %q is not %q", k.name, i, text, c)
				}
			}
			testFind(t, k, s, []string{text, text + " x " + text})
		}
	})
}

// A Counter counts and adds up what a map does.
func TestCounter(t *testing.T) {
	eachPath(t, func(t *testing.T, k kernels) {
		r := rand.New(rand.NewPCG(7, 8))
		const numbers = 5000
		c := NewCounter(numbers)
		c.kernels = k
		table := &Table{entries: make([]uint32, numbers)}
		var values [256]int32
		for i := range table.entries {
			table.entries[i] = r.Uint32()
		}
		for i := range values {
			values[i] = int32(r.Uint32())
		}
		for _, n := range []int{0, 1, 2, 7, 300, 4000, 4096, 4097, countMost, countMost + 1} {
			ids := make([]uint32, n)
			counts := map[uint32]uint32{}
			var order []uint32
			for i := range ids {
				ids[i] = r.Uint32N(min(numbers, uint32(3+n*n/8)))
				if i%3 == 0 {
					ids[i] = 17
				}
				if counts[ids[i]]++; counts[ids[i]] == 1 {
					order = append(order, ids[i])
				}
			}
			for range 2 {
				found := c.Count(ids)
				if len(found) != len(order) {
					t.Fatalf("%d distinct, want %d", len(found), len(order))
				}
				for i, x := range found {
					if x.ID != order[i] || x.N != min(counts[x.ID], MaxCount) {
						t.Fatalf("%d: %+v, want %d, %d", i, x, order[i], counts[order[i]])
					}
				}
				want := int64(0)
				for _, id := range order {
					want += int64(values[table.Entry(id)])
				}
				if sum, distinct := c.Sum(ids, table, &values); sum != want || distinct != len(order) {
					t.Fatalf("sum %d of %d, want %d of %d", sum, distinct, want, len(order))
				}
			}
		}
	})
}
