package text_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/linnet-ml/linnet/text"
	"pgregory.net/rapid"
)

// A vocabulary knows its words and no others, of whatever length, those among them that differ in one byte.
func TestVocabulary(t *testing.T) {
	word := rapid.Custom(func(t *rapid.T) string {
		w := rapid.SliceOfN(rapid.SampledFrom([]byte("ab\x00\xff\n ")), 0, 40).Draw(t, "word")
		return string(w)
	})
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.SliceOfDistinct(word, func(w string) string { return w }).Draw(t, "words")
		v, err := text.NewVocabulary(context.Background(), words)
		if err != nil {
			t.Fatal(err)
		}
		if v.Len() != len(words) {
			t.Fatalf("%d words, want %d", v.Len(), len(words))
		}
		want := map[string]int{}
		for i, w := range words {
			want[w] = i
			if got, ok := v.Word(int32(i)); got != w || !ok {
				t.Fatalf("word %d is %q, %t, want %q", i, got, ok, w)
			}
		}
		ask := append([]string(nil), words...)
		ask = append(ask, rapid.SliceOf(word).Draw(t, "others")...)
		for _, w := range words {
			ask = append(ask, w+"\x00", w+"a", strings.TrimSuffix(w, "\x00"), w[:len(w)/2])
			if len(w) > 0 {
				ask = append(ask, w[1:], "z"+w[1:], w[:len(w)-1]+"z")
			}
		}
		for _, w := range ask {
			id, known := want[w]
			if got, ok := v.ID(w); int(got) != id || ok != known {
				t.Fatalf("%q has id %d, %t, want %d, %t", w, got, ok, id, known)
			}
		}
		for _, id := range []int32{-1, int32(len(words)), 1<<31 - 1, -1 << 31} {
			if w, ok := v.Word(id); w != "" || ok {
				t.Fatalf("id %d of %d words is %q, %t", id, len(words), w, ok)
			}
		}
	})
}

// made are n distinct words of lengths as words have.
func made(n int) []string {
	words := make([]string, n)
	for i := range words {
		words[i] = fmt.Sprintf("%x", uint64(i)*0x9e3779b97f4a7c15>>(i%56))[:1] + fmt.Sprint(i)
	}
	return words
}

// In a vocabulary of many words the slots of the table hold little of each hash.
func TestBigVocabulary(t *testing.T) {
	words := made(300_000)
	v, err := text.NewVocabulary(context.Background(), words)
	if err != nil {
		t.Fatal(err)
	}
	for i, w := range words {
		if id, ok := v.ID(w); int(id) != i || !ok {
			t.Fatalf("%q has id %d, %t, want %d", w, id, ok, i)
		}
		if id, ok := v.ID(w + "."); ok {
			t.Fatalf("%q, which is not there, has id %d", w+".", id)
		}
	}
}

func TestVocabularyDuplicate(t *testing.T) {
	words := append(made(1000), "twice", "other", "twice")
	_, err := text.NewVocabulary(context.Background(), words)
	var twice *text.DuplicateError
	if !errors.As(err, &twice) || twice.Word != "twice" || twice.First != 1000 || twice.Second != 1002 {
		t.Fatal(err)
	}
	if want := `text: words 1000 and 1002 of the vocabulary are both "twice"`; err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}

func TestZeroVocabulary(t *testing.T) {
	empty, err := text.NewVocabulary(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range []*text.Vocabulary{{}, empty} {
		if _, ok := v.ID(""); ok || v.Len() != 0 {
			t.Errorf("a vocabulary without words has %d", v.Len())
		}
		if _, ok := v.Word(0); ok {
			t.Error("a vocabulary without words has one with id 0")
		}
	}
}

func TestVocabularyBuilder(t *testing.T) {
	var b text.VocabularyBuilder
	word := []byte("one")
	b.Add(word)
	copy(word, "two")
	b.Add(word)
	if b.Len() != 2 {
		t.Fatalf("%d words, want 2", b.Len())
	}
	v, err := b.Vocabulary(context.Background())
	if err != nil || b.Len() != 0 {
		t.Fatal(err, b.Len())
	}
	again, err := b.Vocabulary(context.Background())
	if err != nil || again.Len() != 0 {
		t.Fatal(err, again.Len())
	}
	if id, ok := v.ID("two"); id != 1 || !ok {
		t.Errorf("id %d, %t", id, ok)
	}
}

func TestReadVocabulary(t *testing.T) {
	long := strings.Repeat("x", 1<<16-1)
	for _, c := range []struct {
		file string
		want []string
	}{
		{"", nil},
		{"\n", []string{""}},
		{"a\nb", []string{"a", "b"}},
		{"a\nb\n", []string{"a", "b"}},
		{"a\r\n\n b \n\xff\x00", []string{"a", "", " b ", "\xff\x00"}},
		{"\ufeffa\r\n\ufeffb\r\r\nc\rd\r", []string{"a", "\ufeffb\r", "c\rd"}},
		{"\ufeff\n", []string{""}},
		{long + "\na\n", []string{long, "a"}},
	} {
		v, err := text.ReadVocabulary(context.Background(), iotest.HalfReader(strings.NewReader(c.file)))
		if err != nil {
			t.Errorf("%.20q: %v", c.file, err)
			continue
		}
		if v.Len() != len(c.want) {
			t.Errorf("%.20q: %d words, want %d", c.file, v.Len(), len(c.want))
		}
		for i, w := range c.want {
			if got, _ := v.Word(int32(i)); got != w {
				t.Errorf("%.20q: word %d is %.20q, want %.20q", c.file, i, got, w)
			}
		}
	}
	broken := io.MultiReader(strings.NewReader("a\nb\nc"), iotest.ErrReader(errors.New("a cut cable")))
	for _, c := range []struct {
		file io.Reader
		want string
	}{
		{strings.NewReader("a\nb\na\n"), `text: lines 1 and 3 of the vocabulary are both "a"`},
		{strings.NewReader("a\n" + long + "x\n"), "text: line 2 of the vocabulary is longer than 65535 bytes"},
		{strings.NewReader("a\n" + long + "x"), "text: line 2 of the vocabulary is longer than 65535 bytes"},
		{broken, "text: line 3 of the vocabulary: a cut cable"},
		// Words of UTF-16 would never be met.
		{strings.NewReader("\xff\xfea\x00\n\x00b\x00\n\x00"), "text: line 1 of the vocabulary begins with the byte order mark of UTF-16: the file must be in UTF-8"},
		{strings.NewReader("\xfe\xff\x00a\x00\n"), "text: line 1 of the vocabulary begins with the byte order mark of UTF-16: the file must be in UTF-8"},
	} {
		if v, err := text.ReadVocabulary(context.Background(), c.file); v != nil || err == nil || err.Error() != c.want {
			t.Errorf("%v, want %s", err, c.want)
		}
	}
}

// FuzzReadVocabulary compares with the lines that strings.Split finds.
func FuzzReadVocabulary(f *testing.F) {
	for _, file := range []string{"", "\n", "\ufeffthe\r\nfilm\r\n", "the\nfilm\r\n\nwas", "a\nb\na\n", "a\n\n\n", "\xff\x00\n \n\t\n", "a\n\xff\xfe\n", "\xff\xfea\x00\n\x00", "a b\n" + strings.Repeat("x", 1<<16)} {
		f.Add(file)
	}
	f.Fuzz(func(t *testing.T, file string) {
		lines := strings.Split(file, "\n")
		if lines[len(lines)-1] == "" {
			lines = lines[:len(lines)-1]
		}
		places, bad := map[string]int{}, false
		for i, line := range lines {
			long := len(line) >= 1<<16
			if i == 0 {
				bad = bad || strings.HasPrefix(line, "\xff\xfe") || strings.HasPrefix(line, "\xfe\xff")
				line = strings.TrimPrefix(line, "\ufeff")
			}
			line = strings.TrimSuffix(line, "\r")
			lines[i] = line
			_, twice := places[line]
			bad = bad || twice || long
			places[line] = i
		}
		v, err := text.ReadVocabulary(context.Background(), strings.NewReader(file))
		if bad {
			if v != nil || err == nil || !strings.HasPrefix(err.Error(), "text: line") {
				t.Fatalf("%v, want the error of a line", err)
			}
			return
		}
		if err != nil || v.Len() != len(lines) {
			t.Fatalf("%d words, %v, want %d", v.Len(), err, len(lines))
		}
		for i, line := range lines {
			id, ok := v.ID(line)
			word, _ := v.Word(int32(i))
			if int(id) != i || !ok || word != line {
				t.Fatalf("word %d %q has id %d, %t; want %q", i, word, id, ok, line)
			}
		}
	})
}

func TestVocabularyDoesNotAllocate(t *testing.T) {
	v, err := text.NewVocabulary(context.Background(), []string{"a", "longer than eight bytes", "longer than eight bytes, and than sixteen"})
	if err != nil {
		t.Fatal(err)
	}
	words := []string{"", "a", "bc", "longer than eight bytes", "longer than sixteen bytes", "longer than eight bytes, and than sixteen"}
	found := 0
	if n := testing.AllocsPerRun(100, func() {
		for _, w := range words {
			if id, ok := v.ID(w); ok {
				word, _ := v.Word(id)
				found += len(word)
			}
		}
	}); n != 0 || found == 0 {
		t.Errorf("%v allocations to look up words", n)
	}
}

func BenchmarkNewVocabulary(b *testing.B) {
	words := made(1_000_000)
	for b.Loop() {
		if _, err := text.NewVocabulary(context.Background(), words); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkReadVocabulary(b *testing.B) {
	file := strings.Join(made(1_000_000), "\n")
	b.SetBytes(int64(len(file)))
	for b.Loop() {
		if _, err := text.ReadVocabulary(context.Background(), strings.NewReader(file)); err != nil {
			b.Fatal(err)
		}
	}
}

func ExampleVocabulary() {
	v, err := text.ReadVocabulary(context.Background(), strings.NewReader("the\nfilm\nwas\n"))
	if err != nil {
		panic(err)
	}
	id, ok := v.ID("film")
	fmt.Println(v.Len(), id, ok)
	word, _ := v.Word(2)
	fmt.Println(word)

	_, err = text.NewVocabulary(context.Background(), []string{"the", "film", "the"})
	fmt.Println(err)
	// Output:
	// 3 1 true
	// was
	// text: words 0 and 2 of the vocabulary are both "the"
}
