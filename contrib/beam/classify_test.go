package beam_test

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/testing/passert"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/testing/ptest"
	"github.com/linnet-ml/linnet/classifier"
	linnetbeam "github.com/linnet-ml/linnet/contrib/beam"
)

func init() { register.Function1x1(shown) }

func TestMain(m *testing.M) { ptest.Main(m) } // on Prism

// shown is all that is in a label, in a line.
func shown(l linnetbeam.Label) string {
	return fmt.Sprintf("%s: %s %v %v %v", l.Text, l.Label, l.Probability, l.Labels, l.Scores)
}

// trained is a classifier of lovely and dull films, and its file.
func trained(t *testing.T) (*classifier.Classifier, string) {
	t.Helper()
	var examples []classifier.Example
	for i := range 20 {
		word, label := []string{"lovely", "dull"}[i%2], []string{"positive", "negative"}[i%2]
		examples = append(examples, classifier.Example{Text: fmt.Sprintf("a %s film number %d", word, i/2), Labels: []string{label}})
	}
	c, err := classifier.Train(t.Context(), examples, classifier.Options{})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "films.linnet")
	if err := c.Save(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	return c, path
}

// Each text of a pipeline has the label that the classifier gives it, and all its probabilities.
func TestClassify(t *testing.T) {
	c, path := trained(t)
	texts := []string{"", "a lovely film", "a dull film", "☃ of neither"}
	for i := range 500 {
		texts = append(texts, fmt.Sprintf("film number %d%s%s", i, strings.Repeat(" lovely", i%7), strings.Repeat(" dull", i%5)))
	}
	var want []any
	for _, text := range texts {
		r := c.Classify(text)
		want = append(want, shown(linnetbeam.Label{Text: text, Label: r.Label, Probability: r.Probability, Labels: r.Labels, Scores: r.Scores}))
	}
	if !slices.ContainsFunc(want, func(w any) bool { return strings.Contains(w.(string), "negative") }) {
		t.Fatal("no text is negative")
	}
	p, s, in := ptest.CreateList(texts)
	labels := linnetbeam.Classify(s, in, path)
	passert.Equals(s, beam.ParDo(s, shown, labels), want...)
	if err := ptest.Run(p); err != nil {
		t.Fatal(err)
	}
}

// A file that is not there fails the pipeline, and the error names it.
func TestClassifyMissing(t *testing.T) {
	p, s, in := ptest.CreateList([]string{"a lovely film"})
	linnetbeam.Classify(s, in, filepath.Join(t.TempDir(), "missing.linnet"))
	if err := ptest.Run(p); err == nil || !strings.Contains(err.Error(), "missing.linnet") {
		t.Errorf("the error is %v", err)
	}
}

// An instance classifies between Setup and Teardown alone.
func TestClassifyFn(t *testing.T) {
	_, path := trained(t)
	f := &linnetbeam.ClassifyFn{Path: path}
	emitted := 0
	process := func() error {
		return f.ProcessElement(context.Background(), "a lovely film", func(linnetbeam.Label) { emitted++ })
	}
	if err := process(); err == nil {
		t.Error("it classifies before Setup")
	}
	if err := f.Setup(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := process(); err != nil || emitted != 1 {
		t.Errorf("%v, %d emitted", err, emitted)
	}
	if err := f.Teardown(); err != nil {
		t.Fatal(err)
	}
	if err := process(); err == nil {
		t.Error("it classifies after Teardown")
	}
}
