package metrics

import (
	"errors"
	"fmt"
	"math"

	"github.com/linnet-ml/linnet/nn/plan"
)

// denseLabels gives labels one element for each element of the output. Labels that are numbers of classes become vectors
// with a single 1, or without any if the output has no such class.
type denseLabels struct {
	classes int // 0: the labels have these elements
	memory  []float32
}

// labelsOf refuses labels that are neither of the output's shape nor numbers of its classes.
func labelsOf(metric string, info plan.MetricInfo) (denseLabels, error) {
	if info.Output.Size() <= 0 {
		return denseLabels{}, errShapes(metric, info)
	}
	if sameShape(info.Output, info.Labels) {
		return denseLabels{}, nil
	}
	last := len(info.Output) - 1
	if last < 0 || info.Output[last] < 2 || !sameShape(info.Output[:last], info.Labels) {
		return denseLabels{}, errShapes(metric, info)
	}
	return denseLabels{classes: info.Output[last]}, nil
}

// CheckLabel refuses labels that are neither 0 nor 1, or that are the number of no class.
func (d *denseLabels) CheckLabel(label float32) error {
	switch {
	case d.classes > 0:
		return d.checkClass(label)
	case label == 0 || label == 1:
		return nil
	}
	return errors.New("the metric is for labels 0 and 1, and takes others for 1")
}

// checkClass refuses labels that are the number of no class.
func (d *denseLabels) checkClass(label float32) error {
	if c := classOf(label, d.classes); c >= 0 && float64(label) == math.Trunc(float64(label)) {
		return nil
	}
	return fmt.Errorf("the metric is for numbers of classes, from 0 to %d", d.classes-1)
}

// dense returns labels as the output has its elements. What it returns is overwritten by the next call.
func (d *denseLabels) dense(labels []float32) []float32 {
	if d.classes == 0 {
		return labels
	}
	n := len(labels) * d.classes
	if cap(d.memory) < n {
		d.memory = make([]float32, n)
	}
	all := d.memory[:n]
	clear(all)
	for i, y := range labels {
		if c := classOf(y, d.classes); c >= 0 {
			all[i*d.classes+c] = 1
		}
	}
	return all
}

// classOf is the class that a label is the number of, or -1. A fraction is dropped, as in Keras.
func classOf(label float32, classes int) int {
	if label >= 0 && label <= 1<<24 && int(label) < classes {
		return int(label)
	}
	return -1
}
