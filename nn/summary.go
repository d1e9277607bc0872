package nn

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/linnet-ml/linnet/internal/shown"
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/tensor"
)

// SummaryOptions say what a summary shows.
type SummaryOptions struct {
	// LineLength is the width of the table in characters, 40 to 1000; a number outside is taken for the nearest of them.
	// The default is 76, what Keras makes of a terminal of 80.
	LineLength int
	// ShowTrainable adds a column that tells whether Fit changes the layer: Y, N, or - for a layer without parameters.
	ShowTrainable bool
	// Optimizer, when given, adds the numbers that it keeps in training to the count.
	Optimizer Optimizer
}

// Summary describes the model as Keras does, in the same words: a table of the layers with their output shapes and
// numbers of parameters, and the sums. A graph whose layers do not simply follow one another has a column for what each
// layer reads: "tokens[0][0]" is the first output of the first use of the layer tokens. The text ends with a line end.
func (m *Model) Summary() string { return m.SummaryWith(SummaryOptions{}) }

// SummaryWith is Summary with options.
func (m *Model) SummaryWith(o SummaryOptions) string {
	if _, ok := m.spec.(*Graph); ok {
		ops := m.summaryOps()
		rows := make([]summaryRow, len(ops))
		for i := range ops {
			rows[i] = m.summaryRow(ops[i].name, ops[i].kind, ops[i].shapes)
			rows[i].connected = connections(&ops[i])
		}
		return summary(m.name, rows, m.params(), !chain(ops), o)
	}
	rows := make([]summaryRow, len(m.layers))
	for i, l := range m.layers {
		rows[i] = m.summaryRow(l.name, l.kind, shapesOf(l.outputs))
	}
	return summary(m.name, rows, m.params(), false, o)
}

// summaryRow describes a layer.
func (m *Model) summaryRow(name, kind string, shapes []tensor.Shape) summaryRow {
	r := summaryRow{name: name, kind: kind, output: shapes[0].String(), trainable: "-"}
	if len(shapes) > 1 {
		all := make([]string, len(shapes))
		for i, s := range shapes {
			all[i] = s.String()
		}
		r.output = "[" + strings.Join(all, ", ") + "]"
	}
	n := 0
	for _, p := range m.params() {
		if !strings.HasPrefix(p.Name(), name+"/") {
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
	return r
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
	return summary(s.name(), rows, nil, false, SummaryOptions{})
}

// mayHaveParameters builds a layer by itself, without memory for parameters, after the first kind of input that it
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
	name, kind, output, parameters, connected, trainable string
}

// summary lays the table out as the library rich does for Keras (keras/src/utils/summary_utils.py).
func summary(model string, rows []summaryRow, params []*plan.Parameter, connected bool, o SummaryOptions) string {
	columns := []column{{"Layer (type)", left, 0.45}, {"Output Shape", left, 0.80}, {"Param #", right, 1}}
	if connected {
		columns = []column{{"Layer (type)", left, 0.3}, {"Output Shape", left, 0.56}, {"Param #", right, 0.74}, {"Connected to", left, 1}}
	}
	if o.ShowTrainable {
		for i := range columns {
			columns[i].end *= 0.90
		}
		columns = append(columns, column{"Trainable", middle, 1})
	}
	body := make([][]string, len(rows))
	for i, r := range rows {
		body[i] = []string{shown.Text(r.name + " (" + r.kind + ")"), r.output, r.parameters}
		if connected {
			body[i] = append(body[i], shown.Text(r.connected))
		}
		if o.ShowTrainable {
			body[i] = append(body[i], r.trainable)
		}
	}
	t := table{columns, columnWidths(columns, o.LineLength)}
	t.wholeNumbers(body)
	header := make([]string, len(columns))
	for i, c := range columns {
		header[i] = c.header
	}

	var b strings.Builder
	b.WriteString("Model: \"" + shown.Text(model) + "\"\n")
	t.rule(&b, "┏━┳┓")
	t.row(&b, "┃", header)
	t.rule(&b, "┡━╇┩")
	for i, cells := range body {
		if i > 0 {
			t.rule(&b, "├─┼┤")
		}
		t.row(&b, "│", cells)
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
