package beam_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/runners/prism"
	"github.com/linnet-ml/linnet/classifier"
	linnetbeam "github.com/linnet-ml/linnet/contrib/beam"
)

func init() { register.Function1x0(printLabel) }

func printLabel(l linnetbeam.Label) { fmt.Printf("%s: %s\n", l.Text, l.Label) }

func Example() {
	ctx := context.Background()
	var examples []classifier.Example
	for range 10 {
		examples = append(examples, classifier.Example{Text: "a lovely film", Labels: []string{"positive"}}, classifier.Example{Text: "a dull film", Labels: []string{"negative"}})
	}
	c, err := classifier.Train(ctx, examples, classifier.Options{})
	if err != nil {
		log.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "films.linnet")
	if err := c.Save(ctx, path); err != nil {
		log.Fatal(err)
	}

	p, s := beam.NewPipelineWithRoot()
	texts := beam.Create(s, "what a lovely film", "so dull")
	beam.ParDo0(s, printLabel, linnetbeam.Classify(s, texts, path))
	if _, err := prism.Execute(ctx, p); err != nil {
		log.Fatal(err)
	}
	// Unordered output:
	// what a lovely film: positive
	// so dull: negative
}
