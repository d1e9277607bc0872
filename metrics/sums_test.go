package metrics_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/linnet-ml/linnet/metrics"
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/tensor"
)

// A run that goes on in the middle of an epoch has the bits of one that was not interrupted, with every metric.
func TestSumsGoOn(t *testing.T) {
	const rows = 30
	one, three := tensor.Shape{1}, tensor.Shape{3}
	var tested []string
	for _, test := range []struct {
		m              plan.Metric
		output, labels tensor.Shape
	}{
		{metrics.Accuracy{}, one, one},
		{metrics.Accuracy{}, three, one},
		{metrics.Accuracy{}, three, three},
		{metrics.BinaryAccuracy{}, one, one},
		{metrics.BinaryAccuracy{}, three, three},
		{metrics.CategoricalAccuracy{}, three, three},
		{metrics.SparseCategoricalAccuracy{}, three, one},
		{metrics.Mean{}, three, one},
		{metrics.ExactAccuracy{}, tensor.Shape{}, tensor.Shape{}},
		{metrics.AUC{}, one, one},
		{metrics.AUC{Curve: metrics.PR, NumThresholds: 7}, three, three},
		{metrics.AUC{MultiLabel: true, Thresholds: []float32{0.4, 0.1}}, three, three},
		{metrics.BinaryCrossentropy{}, three, three},
		{metrics.CategoricalCrossentropy{LabelSmoothing: 0.1}, three, three},
		{metrics.SparseCategoricalCrossentropy{}, three, one},
		{metrics.F1Score{}, three, three},
		{metrics.F1Score{Average: metrics.Weighted}, three, one},
		{metrics.FBetaScore{Average: metrics.Micro, Beta: 2}, three, three},
		{metrics.Precision{}, one, one},
		{metrics.Precision{Thresholds: []float32{0.3, 0.6}}, three, one},
		{metrics.Recall{TopK: 2}, three, three},
		{metrics.TruePositives{}, one, one},
		{metrics.FalsePositives{}, one, one},
		{metrics.TrueNegatives{}, one, one},
		{metrics.FalseNegatives{}, one, one},
		{metrics.MeanAbsoluteError{}, three, three},
		{metrics.MeanSquaredError{}, three, three},
		{metrics.RootMeanSquaredError{}, three, three},
		{metrics.TopKCategoricalAccuracy{K: 2}, three, three},
		{metrics.SparseTopKCategoricalAccuracy{K: 2}, three, one},
	} {
		tested = append(tested, reflect.TypeOf(test.m).Name())
		x, y := test.output.Size(), test.labels.Size()
		output, labels, weights := make([]float32, rows*x), make([]float32, rows*y), make([]float32, rows)
		for i := range output {
			output[i] = float32(i*37%101) / 101
		}
		for i := range labels {
			labels[i] = float32(i % 2)
		}
		for i := range weights {
			weights[i] = 0.1 + float32(i%7)/6
		}
		start := func() plan.Accumulator {
			a, err := test.m.Start(plan.MetricInfo{Output: test.output, Labels: test.labels})
			if err != nil {
				t.Fatal(err)
			}
			return a
		}
		const half = rows / 2
		whole, first, second := start(), start(), start()
		for _, a := range []plan.Accumulator{whole, first} {
			a.Add(labels[:half*y], output[:half*x], weights[:half])
		}
		second.Add(labels, output, nil) // what an earlier epoch left
		if err := second.SetSums(first.Sums()); err != nil {
			t.Fatal(err)
		}
		if first.Result() != second.Result() {
			t.Errorf("%+v: %v, with the sums of another %v", test.m, first.Result(), second.Result())
		}
		for _, a := range []plan.Accumulator{whole, second} {
			a.Add(labels[half*y:], output[half*x:], weights[half:])
		}
		if whole.Result() != second.Result() || whole.Result() == first.Result() {
			t.Errorf("%+v: %v in one run, %v in two, %v half-way", test.m, whole.Result(), second.Result(), first.Result())
		}
		for _, sums := range [][]float64{nil, {1}, {1, 2, 3}} {
			if err := second.SetSums(sums); err == nil {
				t.Errorf("%+v takes %d sums", test.m, len(sums))
			}
		}
		if whole.Result() != second.Result() {
			t.Errorf("%+v: sums that are refused change the result", test.m)
		}
	}
	for _, kind := range kinds(t) {
		if !slices.Contains(tested, kind) {
			t.Errorf("no row for %s", kind)
		}
	}
}

// kinds lists the package's types with a method Start.
func kinds(t *testing.T) []string {
	var list []string
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv != nil && f.Name.Name == "Start" {
				list = append(list, f.Recv.List[0].Type.(*ast.Ident).Name)
			}
		}
	}
	if len(list) == 0 {
		t.Fatal("no metrics found")
	}
	return list
}
