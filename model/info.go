package model

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/linnet-ml/linnet/history"
	"github.com/linnet-ml/linnet/internal/strictjson"
	"github.com/linnet-ml/linnet/nn"
)

// Info is what a file says about a model. All of it may be missing.
type Info struct {
	// Labels are the names of the classes, by the name of the output ("output" in a Sequential): as many as the output has
	// columns, or the two classes, negative first, of an output with one column.
	Labels map[string][]string `json:"labels,omitempty"`
	// Thresholds, by the name of the output, are the probabilities from which on a class counts: one for each column.
	Thresholds map[string][]float64 `json:"thresholds,omitempty"`
	// History is the log of the training. Without one, that of SaveOptions.State is saved.
	History *history.History `json:"-"`
	// Metadata are texts of one's own, such as a license or a version of the data. Keys that begin with "linnet." are
	// linnet's.
	Metadata map[string]string `json:"-"`
}

// check refuses what does not go with the model.
func (i *Info) check(m *nn.Model) error {
	for _, name := range slices.Sorted(maps.Keys(i.Labels)) {
		columns, err := columnsOf(m, name)
		if err != nil {
			return fmt.Errorf("labels: %w", err)
		}
		labels := i.Labels[name]
		if n := len(labels); n != columns && !(columns == 1 && n == 2) {
			return fmt.Errorf("output %q has %d columns and %d labels", name, columns, n)
		}
		seen := make(map[string]bool, len(labels))
		for k, label := range labels {
			if !utf8.ValidString(label) {
				return fmt.Errorf("label %d of output %q, %s, is not UTF-8", k, name, strictjson.Quote(label))
			}
			if seen[label] {
				return fmt.Errorf("output %q has two labels %s", name, strictjson.Quote(label))
			}
			seen[label] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(i.Thresholds)) {
		columns, err := columnsOf(m, name)
		if err != nil {
			return fmt.Errorf("thresholds: %w", err)
		}
		if n := len(i.Thresholds[name]); n != columns {
			return fmt.Errorf("output %q has %d columns and %d thresholds", name, columns, n)
		}
		for k, v := range i.Thresholds[name] {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return fmt.Errorf("threshold %d of output %q is %v", k, name, v)
			}
		}
	}
	for _, key := range slices.Sorted(maps.Keys(i.Metadata)) {
		if strings.HasPrefix(key, reserved) {
			return fmt.Errorf("the metadata %s begin with %q, which is linnet's", strictjson.Quote(key), reserved)
		}
		if !utf8.ValidString(key) || !utf8.ValidString(i.Metadata[key]) {
			return fmt.Errorf("the metadata %s are not UTF-8", strictjson.Quote(key))
		}
	}
	return nil
}

// columnsOf is the number of columns of an output.
func columnsOf(m *nn.Model, name string) (int, error) {
	shape := m.OutputShape(name)
	if shape == nil {
		return 0, fmt.Errorf("the model has no output %s; there are %q", strictjson.Quote(name), m.OutputNames())
	}
	if len(shape) < 2 {
		return 1, nil
	}
	return shape[len(shape)-1], nil
}
