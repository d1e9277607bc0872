package nn

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/tensor"
)

// SummaryOptions say what a summary shows.
type SummaryOptions struct {
	// LineLength is the width of the table in characters. The default is 76, what Keras makes of a terminal of 80. At
	// least 40 and at most 1,000 are taken.
	LineLength int
	// ShowTrainable adds a column that tells whether Fit changes the layer: Y, N, or - for a layer without parameters.
	ShowTrainable bool
	// Optimizer, when given, adds the numbers that it keeps in training to the count.
	Optimizer Optimizer
}

// Summary describes the model as Keras does, in the same words: a table of the layers with their output shapes and
// numbers of parameters, and the sums. The text ends with a line end.
func (m *Model) Summary() string { return m.SummaryWith(SummaryOptions{}) }

// SummaryWith is Summary with options.
func (m *Model) SummaryWith(o SummaryOptions) string {
	rows := make([]summaryRow, len(m.layers))
	for i, l := range m.layers {
		r := summaryRow{name: l.name, kind: l.kind, output: l.outputs[0].Shape.String(), trainable: "-"}
		n := 0
		for _, p := range m.params() {
			if !strings.HasPrefix(p.Name(), l.name+"/") {
				continue
			}
			n += p.Size()
			if p.Trainable() {
				r.trainable = "Y"
			} else if r.trainable == "-" {
				r.trainable = "N"
			}
		}
		r.parameters = grouped(n)
		rows[i] = r
	}
	return summary(m.name, rows, m.params(), o)
}

// Summary describes the layers before Build, when their shapes and numbers of parameters are not known.
func (s *Sequential) Summary() string {
	b := plan.NewBuilder(context.Background(), plan.BuilderOptions{Dry: true})
	rows := make([]summaryRow, len(s.Layers))
	for i, l := range s.Layers {
		if isNil(l) {
			rows[i] = summaryRow{name: "nil", kind: "?", output: "?", parameters: "0"}
			continue
		}
		name := ""
		if node, err := b.Node(l); err == nil {
			name = node.Name()
		} else if named, ok := l.(plan.NamedLayer); ok { // Build reports the error
			name = named.LayerName()
		}
		rows[i] = summaryRow{name: name, kind: l.Kind(), output: "?", parameters: "0"}
		if mayHaveParameters(l) {
			rows[i].parameters = "0 (unbuilt)"
		}
	}
	return summary(s.name(), rows, nil, SummaryOptions{})
}

// mayHaveParameters builds a layer by itself, without memory for parameters, behind the first kind of input that it
// takes.
func mayHaveParameters(l Layer) bool {
	for _, in := range []plan.Signature{
		{Type: tensor.TypeInt32, Shape: tensor.Shape{tensor.Unknown, 8}},
		{Type: tensor.TypeFloat32, Shape: tensor.Shape{tensor.Unknown, 8}},
		{Type: tensor.TypeFloat32, Shape: tensor.Shape{tensor.Unknown, 8, 8}},
		{Type: tensor.TypeFloat32, Shape: tensor.Shape{tensor.Unknown, 8, 8, 8}},
		{Type: tensor.TypeString, Shape: tensor.Shape{tensor.Unknown}},
	} {
		b := plan.NewBuilder(context.Background(), plan.BuilderOptions{Dry: true})
		if params, err := parametersOf(b, l, in); err == nil {
			return params > 0
		}
	}
	return true
}

// parametersOf builds a layer and counts its parameters.
func parametersOf(b *plan.Builder, l Layer, in plan.Signature) (n int, err error) {
	defer recovering(&err)
	node, err := b.Node(l)
	if err != nil {
		return 0, err
	}
	out, err := node.Apply(b.Input(in))
	if err != nil {
		return 0, err
	}
	p, err := b.Finish(out...)
	if err != nil {
		return 0, err
	}
	return len(p.Params), nil
}

type summaryRow struct {
	name, kind, output, parameters, trainable string
}

// summary lays the table out as the library rich does for Keras (keras/src/utils/summary_utils.py).
func summary(model string, rows []summaryRow, params []*plan.Parameter, o SummaryOptions) string {
	header := []string{"Layer (type)", "Output Shape", "Param #"}
	positions := []float64{0.45, 0.80, 1.0}
	if o.ShowTrainable {
		header = append(header, "Trainable")
		for i := range positions {
			positions[i] *= 0.90
		}
		positions = append(positions, 1.0)
	}
	t := table{widths: columnWidths(positions, o.LineLength)}

	var b strings.Builder
	b.WriteString("Model: \"" + model + "\"\n")
	t.rule(&b, "┏━┳┓")
	t.row(&b, "┃", header)
	t.rule(&b, "┡━╇┩")
	for i, r := range rows {
		if i > 0 {
			t.rule(&b, "├─┼┤")
		}
		t.row(&b, "│", []string{r.name + " (" + r.kind + ")", r.output, r.parameters, r.trainable}[:len(header)])
	}
	t.rule(&b, "└─┴┘")

	trainable, fixed := 0, 0
	for _, p := range params {
		if p.Trainable() {
			trainable += p.Size()
		} else {
			fixed += p.Size()
		}
	}
	const float32Bytes = 4
	slots, slotBytes := 0, 0
	if rule, ok := ruleOf(o.Optimizer); ok {
		// Keras counts the learning rate and, as an int64, the number of the step.
		slots = trainable*len(rule.Slots) + len(rule.Scalars) + 2
		slotBytes = slots*float32Bytes + 4
	}
	line := func(name string, n, bytes int) {
		fmt.Fprintf(&b, " %s params: %s (%s)\n", name, grouped(n), memory(bytes))
	}
	line("Total", trainable+fixed+slots, (trainable+fixed)*float32Bytes+slotBytes)
	line("Trainable", trainable, trainable*float32Bytes)
	line("Non-trainable", fixed, fixed*float32Bytes)
	if o.Optimizer != nil {
		line("Optimizer", slots, slotBytes)
	}
	return b.String()
}

// ruleOf is the optimizer's rule, if it has one whose settings are right.
func ruleOf(o Optimizer) (rule plan.Rule, ok bool) {
	if isNil(o) {
		return rule, false
	}
	err := guard(func() (err error) {
		rule, err = o.Rule()
		return err
	})
	return rule, err == nil
}

// grouped writes a number with commas: 160,289.
func grouped(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// memory writes a number of bytes in units of 1024: 626.13 KB.
func memory(bytes int) string {
	units := []string{"B", "KB", "MB", "GB", "TB", "PB"}
	size := float64(bytes)
	for size >= 1024 && len(units) > 1 {
		size /= 1024
		units = units[1:]
	}
	return fmt.Sprintf("%.2f %s", size, units[0])
}

// table is a table with borders. The first two columns are aligned left, the third right, the fourth in the middle.
type table struct {
	widths []int // within the borders, a space on either side included
}

// columnWidths makes columns that end at the given parts of the line. Keras asks rich for these widths without borders
// and spaces, 3n+1 characters more than there is room for, which rich takes evenly from all columns.
func columnWidths(positions []float64, line int) []int {
	const standard, least, most = 76, 40, 1000
	if line == 0 {
		line = standard
	}
	line = min(max(line, least), most)
	widths := make([]int, len(positions))
	at, excess := 0, 3*len(positions)+1
	for i, p := range positions {
		end := int(p * float64(line))
		less := int(math.RoundToEven(float64(excess) / float64(len(positions)-i)))
		widths[i] = end - at + 2 - less
		at, excess = end, excess-less
	}
	return widths
}

// rule writes a line of the four given characters: left, line, crossing, right.
func (t *table) rule(b *strings.Builder, characters string) {
	c := []rune(characters)
	for i, w := range t.widths {
		b.WriteRune(c[min(i, 1)*2])
		for range w {
			b.WriteRune(c[1])
		}
	}
	b.WriteRune(c[3])
	b.WriteByte('\n')
}

// row writes the cells of a row, on as many lines as the longest needs.
func (t *table) row(b *strings.Builder, border string, cells []string) {
	lines := make([][]string, len(cells))
	height := 1
	for i, c := range cells {
		lines[i] = wrap(c, t.widths[i]-2)
		height = max(height, len(lines[i]))
	}
	for k := range height {
		for i := range cells {
			text := ""
			if k < len(lines[i]) {
				text = lines[i][k]
			}
			space := t.widths[i] - 2 - utf8.RuneCountInString(text)
			left := 0
			switch i {
			case 2:
				left = space
			case 3:
				left = space / 2
			}
			b.WriteString(border)
			b.WriteString(strings.Repeat(" ", left+1))
			b.WriteString(text)
			b.WriteString(strings.Repeat(" ", space-left+1))
		}
		b.WriteString(border)
		b.WriteByte('\n')
	}
}

// wrap breaks a text at its spaces into lines of at most width characters, and cuts longer words off.
func wrap(s string, width int) []string {
	var lines []string
	used := 0
	for word := range strings.FieldsFuncSeq(s, unicode.IsSpace) {
		n := utf8.RuneCountInString(word)
		if used > 0 && used+1+n <= width {
			lines[len(lines)-1] += " " + word
			used += 1 + n
			continue
		}
		used = n
		if n > width {
			word = string([]rune(word)[:width-1]) + "…"
		}
		lines = append(lines, word)
	}
	return lines
}
