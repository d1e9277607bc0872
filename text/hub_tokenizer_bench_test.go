package text_test

import (
	"archive/tar"
	"bufio"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/linnet-ml/linnet/internal/shared"
	"github.com/linnet-ml/linnet/text"
)

// realTexts are the first n reviews of the real archive.
func realTexts(tb testing.TB, n int) (texts []string, size int) {
	tb.Helper()
	f, err := os.Open(shared.Path(tb, "data/imdb/aclImdb_labeled.tar.gz"))
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		tb.Fatal(err)
	}
	for archive := tar.NewReader(z); len(texts) < n; {
		h, err := archive.Next()
		if err != nil {
			tb.Fatal(err)
		}
		if strings.Contains(h.Name, "/pos/") || strings.Contains(h.Name, "/neg/") {
			b, err := io.ReadAll(archive)
			if err != nil {
				tb.Fatal(err)
			}
			texts = append(texts, string(b))
			size += len(b)
		}
	}
	return texts, size
}

// realVocabulary has the words of the real GloVe file, most frequent first, and so many made-up ones after them that there
// are as many as in nnlm-en-dim50.
func realVocabulary(tb testing.TB) *text.Vocabulary {
	tb.Helper()
	f, err := os.Open(shared.Path(tb, "data/embeddings/glove.6B.100d.imdb-vocab.txt.gz"))
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		tb.Fatal(err)
	}
	var b text.VocabularyBuilder
	for r := bufio.NewReader(z); ; {
		line, err := r.ReadString('\n')
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			tb.Fatal(err)
		}
		word, _, _ := strings.Cut(line, " ")
		b.Add([]byte(word))
	}
	for i := 0; b.Len() < 963_812; i++ {
		b.Add(fmt.Appendf(nil, "\u00a4%d", i))
	}
	v, err := b.Vocabulary(context.Background())
	if err != nil {
		tb.Fatal(err)
	}
	return v
}

// BenchmarkHubTokenizer measures one core on real reviews, with a vocabulary as large as nnlm-en-dim50's.
func BenchmarkHubTokenizer(b *testing.B) {
	texts, size := realTexts(b, 10_000)
	v := realVocabulary(b)
	for _, o := range []text.HubTokenizerOptions{{}, {Lower: true}, {Lower: true, OOVBuckets: 1000}} {
		b.Run(fmt.Sprintf("lower=%t/buckets=%d", o.Lower, max(o.OOVBuckets, 1)), func(b *testing.B) {
			z := hubTokenizer(b, v, o)
			b.SetBytes(int64(size))
			b.ReportAllocs()
			var ids []int32
			n := 0
			for b.Loop() {
				n = 0
				for _, s := range texts {
					ids, _ = z.AppendIDs(context.Background(), ids[:0], s)
					n += len(ids)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/token")
		})
	}
}
