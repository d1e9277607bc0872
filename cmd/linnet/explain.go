package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/linnet-ml/linnet/classifier"
	"github.com/spf13/cobra"
)

func newExplain() *cobra.Command {
	var class string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "explain FILE TEXT",
		Short: "Say which words decide a label",
		Long: `Explain says what each word of a text contributes to the score of a class: positive numbers speak for it, negative ones
against it. The base and all contributions add up to the score, from which the probability is computed. The class is the
label of the text, or the most probable one, unless --class names another.
A classifier that was learned with a budget may have a network, whose part of the score is shared among words approximately;
that is said.`,
		Example: "  linnet explain reviews.linnet 'a lovely film'\n  linnet explain reviews.linnet 'a lovely film' --class negative",
		Args:    arguments(2, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := classifier.Load(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			e, err := c.Explain(args[1], class)
			if errors.Is(err, classifier.ErrUnknownClass) {
				return usagef("there is no class %.40q; the classes are %s", class, shownAll(c.Classes()))
			} else if err != nil {
				return err
			}
			x := newExplained(&e, args[1])
			x.Probability = c.Classify(args[1]).Scores[slices.Index(c.Classes(), x.Class)]
			if asJSON {
				return writeJSON(cmd.OutOrStdout(), x)
			}
			return x.write(cmd.OutOrStdout())
		},
	}
	cmd.Flags().StringVar(&class, "class", "", "the class to explain")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}

// explained is what explain says.
type explained struct {
	Class       string  `json:"class"`
	Probability float32 `json:"probability"`
	Score       float32 `json:"score"`
	Base        float32 `json:"base"`
	// Approximate says that the score is not a sum over words.
	Approximate bool             `json:"approximate"`
	Unknown     bool             `json:"unknown,omitempty"` // nothing in the text is known
	Tokens      []explainedToken `json:"tokens"`
}

type explainedToken struct {
	Text         string  `json:"text"`
	Start        int     `json:"start"` // its bytes in the text
	End          int     `json:"end"`
	Contribution float32 `json:"contribution"`
}

func newExplained(e *classifier.Explanation, text string) *explained {
	x := &explained{Class: e.Class, Score: e.Logit, Base: e.Base, Approximate: e.Approximate, Unknown: e.Unknown, Tokens: []explainedToken{}}
	for _, t := range e.Tokens {
		x.Tokens = append(x.Tokens, explainedToken{text[t.Start:t.End], t.Start, t.End, t.Contribution})
	}
	return x
}

// barWidth is the length of the longest bar.
const barWidth = 20

func (x *explained) write(to io.Writer) error {
	largest := float32(0)
	for _, t := range x.Tokens {
		largest = max(largest, t.Contribution, -t.Contribution)
	}
	if _, err := fmt.Fprintf(to, "%s: probability %.4f, score %+.4f\n", visible(x.Class), x.Probability, x.Score); err != nil {
		return err
	}
	if x.Unknown {
		if _, err := fmt.Fprintln(to, "nothing in the text is known: this is the share of the class in the training data"); err != nil {
			return err
		}
	}
	if x.Approximate {
		if _, err := fmt.Fprintln(to, "approximate: a network has a part of the score, which is more than a sum over words"); err != nil {
			return err
		}
	}
	rows := table{}
	rows.add("(base)", fmt.Sprintf("%+.4f", x.Base), "")
	for _, t := range x.Tokens {
		bar := ""
		if largest > 0 {
			length := int(float64(barWidth)*float64(max(t.Contribution, -t.Contribution))/float64(largest) + 0.5)
			sign := "+"
			if t.Contribution < 0 {
				sign = "-"
			}
			bar = strings.Repeat(sign, length)
		}
		rows.add(visible(t.Text), fmt.Sprintf("%+.4f", t.Contribution), bar)
	}
	return rows.write(to, "lrl")
}
