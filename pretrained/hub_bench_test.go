package pretrained

import (
	"context"
	"os"
	"testing"
)

// The folder that $LINNET_HUB_LARGE names holds a module of the size of nnlm-en-dim50: 963,812 rows of 50.
func BenchmarkHub(b *testing.B) {
	dir := os.Getenv("LINNET_HUB_LARGE")
	if dir == "" {
		b.Skip("LINNET_HUB_LARGE does not name the folder of a module")
	}
	b.Run("open", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := OpenHub(context.Background(), dir, HubOptions{}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("table", func(b *testing.B) {
		e, err := OpenHub(context.Background(), dir, HubOptions{})
		if err != nil {
			b.Fatal(err)
		}
		table := make([]float32, e.Rows()*e.Dim())
		b.SetBytes(int64(4 * len(table)))
		for b.Loop() {
			if err := e.ReadTable(context.Background(), table); err != nil {
				b.Fatal(err)
			}
		}
	})
}
