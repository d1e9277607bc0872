package textdir

import (
	"errors"
	"fmt"

	"github.com/linnet-ml/linnet/internal/shown"
	"github.com/linnet-ml/linnet/tensor"
)

var errNoLabels = errors.New("textdir: the data set was read without labels")

// IntLabels returns the labels in an array of shape (n,), as a loss over classes wants them (label_mode="int").
func (d *Dataset) IntLabels() (*tensor.Int32, error) {
	if d == nil || d.Labels == nil {
		return nil, errNoLabels
	}
	return tensor.Of(d.Labels)
}

// BinaryLabels returns the labels, 0 and 1, in an array of shape (n, 1), as a loss over one probability wants them
// (label_mode="binary"). It is an error when there are not exactly two classes.
func (d *Dataset) BinaryLabels() (*tensor.Float32, error) {
	if d == nil || d.Labels == nil {
		return nil, errNoLabels
	}
	if len(d.Classes) != 2 {
		return nil, fmt.Errorf("textdir: binary labels need exactly 2 classes, and there are %d: %q", len(d.Classes), d.Classes)
	}
	data := make([]float32, len(d.Labels))
	for i, label := range d.Labels {
		if label != 0 && label != 1 {
			return nil, fmt.Errorf("textdir: %s has the label %d, which is neither 0 nor 1", shown.Name(d.Names[i]), label)
		}
		data[i] = float32(label)
	}
	return tensor.Of(data, len(data), 1)
}

// CategoricalLabels returns the labels in an array of shape (n, classes) with a 1 in the column of the class and 0 in
// the others (label_mode="categorical"). A label that is no column is an error; Keras gives it a row of zeros.
func (d *Dataset) CategoricalLabels() (*tensor.Float32, error) {
	if d == nil || d.Labels == nil {
		return nil, errNoLabels
	}
	columns := len(d.Classes)
	x, err := tensor.New[float32](len(d.Labels), columns)
	if err != nil {
		return nil, fmt.Errorf("textdir: %w", err)
	}
	for i, label := range d.Labels {
		if label < 0 || int(label) >= columns {
			return nil, fmt.Errorf("textdir: %s has the label %d, but there are %d classes, from 0 on", shown.Name(d.Names[i]), label, columns)
		}
		x.Row(i)[label] = 1
	}
	return x, nil
}
