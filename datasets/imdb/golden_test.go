package imdb

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/linnet-ml/linnet/internal/numpy"
	"github.com/linnet-ml/linnet/internal/ratio"
	"github.com/linnet-ml/linnet/internal/shared"
)

// goldenCase is a case of the recorded imdb_data.json: what Keras itself made of the real reviews.
type goldenCase struct {
	Name   string
	Kind   string
	Config config
	Train  goldenSplit
	Test   goldenSplit

	// of kind decode and word_index
	Words       int
	SHA256UTF8  string         `json:"sha256_utf8"`
	FirstTen    []string       `json:"first_ten"`
	LastTen     []string       `json:"last_ten"`
	Probes      map[string]int `json:"probes"`
	WordsSHA256 string         `json:"sha256_words_by_id_newline_joined_utf8"`
}

type goldenSplit struct {
	Rows          int
	IDs           int     `json:"ids"`
	IDsSHA256     string  `json:"sha256_ids_int32le"`
	LengthsSHA256 string  `json:"sha256_lengths_int32le"`
	LabelsSHA256  string  `json:"sha256_labels_int32le"`
	FirstRow      []int32 `json:"first_row"`
	FirstLabels   []int32 `json:"first_20_labels"`

	// of kind shuffle
	First20 []int32 `json:"first_20"`
	Last5   []int32 `json:"last_5"`
	SHA256  string  `json:"sha256_int32le"`
}

func golden(t *testing.T, kind string) []goldenCase {
	t.Helper()
	data, err := os.ReadFile(shared.Path(t, "golden/imdb_data.json"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Cases []json.RawMessage }
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	var cases []goldenCase
	for _, raw := range file.Cases {
		var head struct{ Kind string }
		if err := json.Unmarshal(raw, &head); err != nil {
			t.Fatal(err)
		}
		if head.Kind != kind {
			continue
		}
		var c goldenCase
		if err := json.Unmarshal(raw, &c); err != nil {
			t.Fatal(err)
		}
		cases = append(cases, c)
	}
	if len(cases) == 0 {
		t.Fatalf("no cases of kind %s", kind)
	}
	return cases
}

func sum(values ...[]int32) string {
	h := sha256.New()
	for _, v := range values {
		b := make([]byte, 0, 4*len(v))
		for _, x := range v {
			b = binary.LittleEndian.AppendUint32(b, uint32(x))
		}
		h.Write(b)
	}
	return hex.EncodeToString(h.Sum(nil))
}

func (want goldenSplit) compare(t *testing.T, got *Split) {
	t.Helper()
	lengths, ids := []int32{}, 0
	for _, r := range got.Reviews {
		lengths = append(lengths, int32(len(r)))
		ids += len(r)
	}
	if len(got.Reviews) != want.Rows || ids != want.IDs {
		t.Errorf("%d reviews of %d ids, want %d of %d", len(got.Reviews), ids, want.Rows, want.IDs)
	}
	if want.FirstRow != nil {
		if d := cmp.Diff(want.FirstRow, got.Reviews[0]); d != "" {
			t.Errorf("first review: %s", d)
		}
	}
	if d := cmp.Diff(want.FirstLabels, got.Labels[:20]); d != "" {
		t.Errorf("first labels: %s", d)
	}
	if sum(lengths) != want.LengthsSHA256 {
		t.Error("the lengths are other ones")
	}
	if sum(got.Reviews...) != want.IDsSHA256 {
		t.Error("the ids are other ones")
	}
	if sum(got.Labels) != want.LabelsSHA256 {
		t.Error("the labels are other ones")
	}
}

func TestGoldenLoad(t *testing.T) {
	file := shared.Path(t, "data/imdb/imdb.npz")
	raw, err := readReviews(context.Background(), file, true, ratio.Limit{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range golden(t, "load_data") {
		t.Run(strings.TrimPrefix(c.Name, "load_data/"), func(t *testing.T) {
			s, err := c.Config.options().settings()
			if err != nil {
				t.Fatal(err)
			}
			train, test, err := s.prepare(raw)
			if err != nil {
				t.Fatal(err)
			}
			c.Train.compare(t, train)
			c.Test.compare(t, test)
		})
	}
}

func TestGoldenShuffle(t *testing.T) {
	for _, c := range golden(t, "shuffle") {
		random := numpy.NewRandomState(uint32(*c.Config["seed"]))
		for i, want := range []goldenSplit{c.Train, c.Test} {
			p := random.Permutation(*c.Config["n"])
			if !slices.Equal(p[:20], want.First20) || !slices.Equal(p[len(p)-5:], want.Last5) || sum(p) != want.SHA256 {
				t.Errorf("%s: order %d begins %v, want %v", c.Name, i, p[:20], want.First20)
			}
		}
	}
}

func TestGoldenWords(t *testing.T) {
	o := Options{Path: shared.Path(t, "data/imdb"), NumWords: 10000}
	index, err := WordIndex(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range golden(t, "word_index") {
		decoder := NewDecoder(index)
		if len(index) != c.Words {
			t.Errorf("%d words, want %d", len(index), c.Words)
		}
		for i := range 10 {
			if w, _ := decoder.Word(int32(i + 1 + 3)); w != c.FirstTen[i] {
				t.Errorf("word %d is %q, want %q", i+1, w, c.FirstTen[i])
			}
			last := c.Words - 9 + i
			if w, _ := decoder.Word(int32(last + 3)); w != c.LastTen[i] {
				t.Errorf("word %d is %q, want %q", last, w, c.LastTen[i])
			}
		}
		for word, rank := range c.Probes {
			if index[word] != rank {
				t.Errorf("%q has rank %d, want %d", word, index[word], rank)
			}
		}
		if digest, _ := indexDigest(index); digest != c.WordsSHA256 {
			t.Error("the words are other ones")
		}
	}
	train, _, err := Load(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range golden(t, "decode") {
		sum := sha256.Sum256([]byte(Decode(train.Reviews[*c.Config["row"]], index)))
		if hex.EncodeToString(sum[:]) != c.SHA256UTF8 {
			t.Errorf("%s: another text", c.Name)
		}
	}
}

func BenchmarkLoad(b *testing.B) {
	o := Options{Path: shared.Path(b, "data/imdb"), NumWords: 10000}
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := Load(context.Background(), o); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkWordIndex(b *testing.B) {
	o := Options{Path: shared.Path(b, "data/imdb")}
	for b.Loop() {
		if _, err := WordIndex(context.Background(), o); err != nil {
			b.Fatal(err)
		}
	}
}
