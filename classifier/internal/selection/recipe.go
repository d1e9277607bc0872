package selection

import (
	"fmt"
	"strings"

	"github.com/linnet-ml/linnet/classifier/internal/features"
)

// A Recipe is how a classifier is learned.
type Recipe struct {
	Features features.Settings
	// NaiveBayes gives each n-gram the value 1 and lets it cost the less to use the more naive Bayes makes of it; else
	// values are TF-IDF.
	NaiveBayes bool
	C          float32 // how much an error costs, beside the weights' length
	Balanced   bool    // errors of rare classes cost more, so that all classes together cost the same
	Complement float32 // how much complement naive Bayes has to say, beside 1 for the linear model
}

// Weighting is the weighting of counts.
func (r Recipe) Weighting() features.Weighting {
	if r.NaiveBayes {
		return features.Binary
	}
	return features.TFIDF
}

// String describes the recipe in a line.
func (r Recipe) String() string {
	var b strings.Builder
	f := r.Features
	if f.WordMax > 0 {
		fmt.Fprintf(&b, "words %d-%d, ", f.WordMin, f.WordMax)
	}
	if f.CharMax > 0 {
		fmt.Fprintf(&b, "characters %d-%d, ", f.CharMin, f.CharMax)
	}
	if f.KeepCase {
		b.WriteString("case kept, ")
	}
	if f.Punctuation {
		b.WriteString("punctuation, ")
	}
	if r.NaiveBayes {
		b.WriteString("naive-Bayes weights")
	} else {
		b.WriteString("TF-IDF")
	}
	fmt.Fprintf(&b, ", C %g", r.C)
	if r.Balanced {
		b.WriteString(", balanced classes")
	}
	if r.Complement > 0 {
		fmt.Fprintf(&b, ", averaged with complement naive Bayes (%g)", r.Complement)
	}
	return b.String()
}

func (r Recipe) withoutComplement() Recipe {
	r.Complement = 0
	return r
}

// cost is about how many n-grams a byte of text has: what learning and answering take time in proportion to.
func (r Recipe) cost() int {
	n := 0
	if f := r.Features; f.WordMax > 0 {
		n += f.WordMax - f.WordMin + 1
	}
	if f := r.Features; f.CharMax > 0 {
		n += 5 * (f.CharMax - f.CharMin + 1)
	}
	return n
}
