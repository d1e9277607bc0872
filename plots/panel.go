package plots

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/linnet-ml/linnet/history"
	"github.com/linnet-ml/linnet/internal/shown"
)

// Panel is one diagram: a number over the epochs, of the training and of the validation data.
type Panel struct {
	// Title stands above the diagram, and Label at its vertical axis.
	Title, Label string
	// Epochs are the numbers of the epochs, counted from 0 and ascending; the axis counts them from 1. The default is
	// 0, 1, 2 and so on.
	Epochs []int
	// Training is drawn as dots, Validation as a line. One of the two may be without values.
	Training, Validation Curve
	// Better says which values of Validation are better; the first best one is marked. Without a direction none is.
	Better history.Direction
}

// Curve is a row of numbers, one an epoch. Those that are NaN, infinite, or beyond 1e300 are gaps.
type Curve struct {
	// Name stands in the legend.
	Name   string
	Values []float64
}

const (
	validationPrefix = "val_"

	// largest is the largest value that is drawn. Up to here no sum of two values overflows.
	largest = 1e300
	// maxPanels bounds the memory that a picture takes.
	maxPanels = 64
)

// ErrNotLogged is wrapped by the error for the name of a log that a history does not have.
var ErrNotLogged = errors.New("not in the history")

// Panels returns a panel for each name that h has logged, of the values of the name and of "val_" + name: "loss",
// "accuracy". Without names it returns all, in the order of h.Names. It is an error when h has no epoch, or nothing of a
// name.
//
// Titles and legends are those of the Keras tutorials: "Training and validation loss", "Training acc". The history's
// directions say which values are better. For a name without one, lower is better for what is called a loss or an error,
// and higher for accuracies, AUC, precision and recall. Nothing is marked for other names; set Better where it matters.
func Panels(h *history.History, names ...string) ([]Panel, error) {
	if h == nil || len(h.Epochs) == 0 {
		return nil, errors.New("plots: the history has no epochs")
	}
	if len(names) == 0 {
		for _, n := range h.Names() {
			if n = strings.TrimPrefix(n, validationPrefix); !slices.Contains(names, n) {
				names = append(names, n)
			}
		}
		if len(names) == 0 {
			return nil, errors.New("plots: the history has epochs, but nothing was logged")
		}
	}
	panels := make([]Panel, len(names))
	for i, n := range names {
		training, validation := h.Values(n), h.Values(validationPrefix+n)
		if training == nil && validation == nil {
			return nil, fmt.Errorf("plots: %q is %w; there are %s", n, ErrNotLogged, shown.Names(h.Names()))
		}
		panels[i] = panel(n, h.Epochs, training, validation)
		// The Fit knew its metrics better than a name does.
		for _, name := range []string{n, validationPrefix + n} {
			if d := h.Direction(name); d != history.NoDirection {
				panels[i].Better = d
			}
		}
		if err := panels[i].check(); err != nil {
			return nil, fmt.Errorf("plots: the history's %q: %w", n, err)
		}
	}
	return panels, nil
}

// panel names the parts of a diagram after what was logged.
func panel(name string, epochs []int, training, validation []float64) Panel {
	words := strings.ReplaceAll(name, "_", " ")
	short := words
	if name == "accuracy" {
		short = "acc" // as the tutorials do
	}
	p := Panel{
		Label:      capital(words),
		Epochs:     epochs,
		Training:   Curve{"Training " + short, training},
		Validation: Curve{"Validation " + short, validation},
		Better:     direction(name),
	}
	switch {
	case training == nil:
		p.Title = "Validation " + words
	case validation != nil:
		p.Title = "Training and validation " + words
	case name == "learning_rate" || name == "lr": // a setting, which no data has
		p.Title, p.Training.Name = p.Label, p.Label
	default:
		p.Title = "Training " + words
	}
	return p
}

// direction tells which values are better, as far as a name does.
func direction(name string) history.Direction {
	words := strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return r == '_' || r == ' ' || r == '-' })
	if len(words) == 0 {
		return history.NoDirection
	}
	switch words[len(words)-1] {
	case "loss", "error", "crossentropy", "mae", "mse", "mape", "msle", "rmse", "perplexity":
		return history.LowerIsBetter
	case "accuracy", "acc", "auc", "precision", "recall", "f1":
		return history.HigherIsBetter
	}
	return history.NoDirection
}

func capital(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	if n == 0 {
		return s
	}
	return string(unicode.ToUpper(r)) + s[n:]
}

// check finds what cannot be drawn.
func (p *Panel) check() error {
	n := max(len(p.Training.Values), len(p.Validation.Values))
	if p.Epochs != nil {
		n = len(p.Epochs)
	}
	if n == 0 {
		return errors.New("there are no epochs")
	}
	for _, c := range []Curve{p.Training, p.Validation} {
		if len(c.Values) != 0 && len(c.Values) != n {
			return fmt.Errorf("%q has %d values for %d epochs", c.Name, len(c.Values), n)
		}
	}
	if len(p.Training.Values) == 0 && len(p.Validation.Values) == 0 {
		return errors.New("there are no values")
	}
	for i, e := range p.Epochs {
		if e < 0 || e == math.MaxInt {
			return fmt.Errorf("epoch %d at place %d is not one that can be counted from 1", e, i)
		}
		if i > 0 && e <= p.Epochs[i-1] {
			return fmt.Errorf("epoch %d at place %d follows epoch %d: they must ascend", e, i, p.Epochs[i-1])
		}
	}
	if p.Better < history.NoDirection || p.Better > history.HigherIsBetter {
		return fmt.Errorf("direction %d of Better is none", p.Better)
	}
	return nil
}

func check(panels []Panel) error {
	if len(panels) == 0 {
		return errors.New("plots: there are no panels")
	}
	if len(panels) > maxPanels {
		return fmt.Errorf("plots: %d panels are more than %d", len(panels), maxPanels)
	}
	for i := range panels {
		if err := panels[i].check(); err != nil {
			return fmt.Errorf("plots: panel %d (%q): %w", i, panels[i].Title, err)
		}
	}
	return nil
}

// point is a value and its epoch counted from 1. A gap has NaN.
type point struct{ x, y float64 }

func (p point) gap() bool { return math.IsNaN(p.y) }

// points returns the curve's values with their epochs.
func (p *Panel) points(c Curve) []point {
	out := make([]point, len(c.Values))
	for i, v := range c.Values {
		if !(math.Abs(v) <= largest) {
			v = math.NaN()
		}
		out[i] = point{p.epoch(i), v}
	}
	return out
}

// epoch is the number, counted from 1, of the epoch at a place.
func (p *Panel) epoch(place int) float64 {
	if p.Epochs == nil {
		return float64(place) + 1
	}
	return float64(p.Epochs[place]) + 1
}

// best returns the first best value of the validation data.
func best(validation []point, better history.Direction) (best point, found bool) {
	for _, p := range validation {
		switch {
		case better == history.NoDirection || p.gap():
		case !found, better == history.LowerIsBetter && p.y < best.y, better == history.HigherIsBetter && p.y > best.y:
			best, found = p, true
		}
	}
	return best, found
}

// bestName is what the legend says of the mark.
func bestName(p point, better history.Direction) string {
	word := "Lowest"
	if better == history.HigherIsBetter {
		word = "Highest"
	}
	return fmt.Sprintf("%s: %s, epoch %.0f", word, history.FormatLog(p.y), p.x)
}

// allGaps tells whether curves have no value that can be drawn.
func allGaps(curves ...[]point) bool {
	for _, c := range curves {
		if slices.ContainsFunc(c, func(p point) bool { return !p.gap() }) {
			return false
		}
	}
	return true
}

// thin drops points that share one of the given number of columns with others and change nothing in it: the first, the
// lowest, the highest and the last one stay. A million epochs then make a picture no larger than some thousand.
func thin(points []point, columns int) []point {
	if len(points) <= 4*columns {
		return points
	}
	first, span := points[0].x, points[len(points)-1].x-points[0].x
	column := func(p point) int { return int((p.x - first) / span * float64(columns)) }
	var out []point
	for i := 0; i < len(points); {
		c, end := column(points[i]), i+1
		low, high := i, i
		gap := points[i].gap()
		for ; end < len(points) && column(points[end]) == c && points[end].gap() == gap; end++ {
			if points[end].y < points[low].y {
				low = end
			}
			if points[end].y > points[high].y {
				high = end
			}
		}
		places := []int{i, low, high, end - 1}
		slices.Sort(places)
		for _, k := range slices.Compact(places) {
			out = append(out, points[k])
		}
		i = end
	}
	return out
}

// plain is s on one line, with everything escaped that steers a terminal or is no text.
func plain(s string) string { return shown.Text(s) }
