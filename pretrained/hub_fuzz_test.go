package pretrained

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/linnet-ml/linnet/internal/boundary"
	"github.com/linnet-ml/linnet/internal/savedmodel"
)

// Whatever a graph holds, it is recognised or refused without a panic, and the search ends.
func FuzzRecognise(f *testing.F) {
	dir := moduleZip(f)
	for _, name := range []string{"divided", "v1", "tf1", "parts"} {
		b, err := os.ReadFile(filepath.Join(dir, name, "saved_model.pb"))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
		for changed := range boundary.Protobuf(b, 1009) {
			f.Add(changed)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := savedmodel.Parse(b)
		if err != nil {
			return
		}
		rule, err := recognise(m)
		if err == nil && (len(rule.variables) == 0 || rule.tokens == "" && len(m.Assets) == 0 || rule.tokenizer.OOVBuckets < 1) {
			t.Errorf("recognised %+v", rule)
		}
	})
}
