package text_test

import (
	"testing"

	"github.com/linnet-ml/linnet/text"
)

func TestCombiner(t *testing.T) {
	for c, name := range map[text.Combiner]string{text.CombinerDefault: "default", text.Sqrtn: "sqrtn", text.Mean: "mean", text.Sum: "sum"} {
		if c.String() != name {
			t.Errorf("%s, want %s", c, name)
		}
		if got, err := text.ParseCombiner(name); got != c || err != nil {
			t.Errorf("%s is %v, %v", name, got, err)
		}
	}
	if got := text.Combiner(9).String(); got != "Combiner(9)" {
		t.Error(got)
	}
	if _, err := text.ParseCombiner("max"); err == nil {
		t.Error(`"max" is taken for a combiner`)
	}
}
