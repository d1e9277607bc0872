package classifier

import "github.com/linnet-ml/linnet/classifier/internal/selection"

// An Example is a text with its labels. A text has one label, or any number of them where texts may have several.
type Example struct {
	Text   string
	Labels []string
}

// Options are settings of [Train]. The zero value is what most users want.
type Options struct {
	// Seed chooses the order in which rows are learned and the rows of the sample that recipes are compared on.
	Seed uint64
	// MultiLabel makes a decision for every label of its own even though each example has exactly one. It is implied by an
	// example with none or with several.
	MultiLabel bool
	// MaxFeatures is the largest number of n-grams in the model. 0 means 300,000.
	MaxFeatures int
	// Work is how many n-grams of characters learning may read: three for each byte of text, 1 + n/4 times with n classes (n =
	// 1 for two). Where that is more, n-grams of characters are not tried. 0 means 64 Mi. It counts work instead of time, so
	// that results do not depend on the machine.
	Work int64

	// Goal is what the thresholds of labels are chosen for.
	Goal Goal
	// Positive is the one of two classes that Goal is for. "" means the second in ascending order, of which the scores are.
	Positive string
	// MinConfidence is the probability below which a text of one label has none: the Classifier does not know. 0 means that it
	// always answers.
	MinConfidence float64
}

func (o Options) maxFeatures() int {
	if o.MaxFeatures > 0 {
		return o.MaxFeatures
	}
	return 300_000
}

func (o Options) work() int64 {
	if o.Work > 0 {
		return o.Work
	}
	return selection.DefaultWork
}
