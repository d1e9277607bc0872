package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

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
against it. The base and all contributions add up to the score. The class is the most probable one unless --class names
another.`,
		Example: "  linnet explain reviews.linnet 'a lovely film'\n  linnet explain reviews.linnet 'a lovely film' --class negative",
		Args:    arguments(2, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := classifier.Load(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			e, err := c.Explain(args[1], class)
			if err != nil {
				return err
			}
			x := newExplained(&e, args[1])
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
	Class  string           `json:"class"`
	Score  float32          `json:"score"`
	Base   float32          `json:"base"`
	Tokens []explainedToken `json:"tokens"`
}

type explainedToken struct {
	Text         string  `json:"text"`
	Start        int     `json:"start"` // its bytes in the text
	End          int     `json:"end"`
	Contribution float32 `json:"contribution"`
}

func newExplained(e *classifier.Explanation, text string) *explained {
	x := &explained{Class: e.Class, Score: e.Logit, Base: e.Base, Tokens: []explainedToken{}}
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
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "%s: score %+.4f\n", shown(x.Class), x.Score)
	fmt.Fprintf(w, "base\t%+.4f\n", x.Base)
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
		fmt.Fprintf(w, "%s\t%+.4f\t%s\n", shown(t.Text), t.Contribution, bar)
	}
	return w.Flush()
}
