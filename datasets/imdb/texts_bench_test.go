package imdb

import (
	"testing"

	"github.com/linnet-ml/linnet/internal/shared"
)

func BenchmarkLoadTexts(b *testing.B) {
	o := TextOptions{Path: shared.Path(b, "data/imdb/aclImdb_labeled.tar.gz")}
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := LoadTexts(b.Context(), o); err != nil {
			b.Fatal(err)
		}
	}
}
