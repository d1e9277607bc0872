package beam

import (
	"context"
	"errors"
	"fmt"
	"reflect"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"
	"github.com/linnet-ml/linnet/classifier"
)

func init() {
	register.DoFn3x1[context.Context, string, func(Label), error](&ClassifyFn{})
	register.Emitter1[Label]()
	beam.RegisterType(reflect.TypeFor[Label]())
}

// Label is what a classifier says about a text.
type Label struct {
	Text string
	// Label is the most probable class, or "" if the classifier gives none.
	Label string
	// Probability is that of Label; without a label that of the most probable class.
	Probability float32
	// Labels has all labels, where a text may have several; else Label alone, if there is one.
	Labels []string
	// Scores has the probability of each class, in the order of the classifier's classes.
	Scores []float32
}

// ClassifyFn is a DoFn from texts to their labels. Its exported fields travel to the workers.
type ClassifyFn struct {
	// Path is where the file of the classifier is on the workers.
	Path string

	classifier *classifier.Classifier
}

// Setup loads the classifier.
func (f *ClassifyFn) Setup(ctx context.Context) error {
	c, err := classifier.Load(ctx, f.Path)
	if err != nil {
		return fmt.Errorf("beam: the classifier cannot be loaded: %w", err)
	}
	f.classifier = c
	return nil
}

// ProcessElement emits the label of a text.
func (f *ClassifyFn) ProcessElement(_ context.Context, text string, emit func(Label)) error {
	if f.classifier == nil {
		return errors.New("beam: ProcessElement before Setup")
	}
	r := f.classifier.Classify(text)
	emit(Label{Text: text, Label: r.Label, Probability: r.Probability, Labels: r.Labels, Scores: r.Scores})
	return nil
}

// Teardown lets go of the classifier.
func (f *ClassifyFn) Teardown() error {
	f.classifier = nil
	return nil
}

// Classify labels a collection of texts (string) with the classifier in the file at path. It returns a collection of [Label], which has,
// as all collections, no order.
func Classify(s beam.Scope, texts beam.PCollection, path string) beam.PCollection {
	return beam.ParDo(s.Scope("linnet.Classify"), &ClassifyFn{Path: path}, texts)
}
