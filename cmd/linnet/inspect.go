package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/linnet-ml/linnet/classifier"
	"github.com/linnet-ml/linnet/history"
	"github.com/linnet-ml/linnet/model"
	"github.com/linnet-ml/linnet/tensor"
	"github.com/spf13/cobra"
)

func newInspect() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "inspect FILE",
		Short: "Say what is in a model file",
		Long: `Inspect says what is in a model file. Of a classifier: the classes, the n-grams and how it was found. Of another model: its
layers, inputs, outputs and labels, how its weights are stored, the end of its training, and the texts that were saved with
it. Of a safetensors file without a model it lists the tensors.`,
		Example: "  linnet inspect reviews.linnet\n  linnet inspect reviews.linnet --json",
		Args:    arguments(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			i, err := inspect(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			if asJSON {
				return i.writeJSON(cmd.OutOrStdout())
			}
			return i.write(cmd.OutOrStdout())
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}

// inspection is what inspect finds.
type inspection struct {
	File   string          `json:"file"`
	Bytes  int64           `json:"bytes"`
	Format string          `json:"format,omitempty"` // of the model; empty for a safetensors file without one
	Model  *inspectedModel `json:"model,omitempty"`
	// Classifier is what there is in the place of a model.
	Classifier *inspectedClassifier `json:"classifier,omitempty"`
	Tensors    []inspectedTensor    `json:"tensors"`
	History    *history.History     `json:"history,omitempty"`
	State      bool                 `json:"training_state"`
	Metadata   map[string]string    `json:"metadata,omitempty"`
}

// inspectedClassifier is a classifier and how it was found.
type inspectedClassifier struct {
	classifier.Spec
	Features int                `json:"features"`
	Report   *classifier.Report `json:"report,omitempty"`
}

type inspectedModel struct {
	Name       string          `json:"name"`
	Parameters int             `json:"parameters"`
	Inputs     []inspectedPort `json:"inputs"`
	Outputs    []inspectedPort `json:"outputs"`
	summary    string
}

// inspectedPort is an input or an output.
type inspectedPort struct {
	Name       string       `json:"name"`
	Type       string       `json:"type"` // int32, float32, sparse or string
	Shape      tensor.Shape `json:"shape"`
	Labels     []string     `json:"labels,omitempty"`
	Thresholds []float64    `json:"thresholds,omitempty"`
}

type inspectedTensor struct {
	Name  string       `json:"name"`
	DType string       `json:"dtype"`
	Shape tensor.Shape `json:"shape"`
}

func inspect(ctx context.Context, path string) (_ *inspection, err error) {
	if path == "-" {
		return nil, usagef("inspect reads a file, not the standard input")
	}
	tensors, err := model.OpenTensors(ctx, path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, tensors.Close()) }()
	i := &inspection{File: path}
	if info, err := os.Stat(path); err != nil {
		return nil, err
	} else {
		i.Bytes = info.Size()
	}
	for _, name := range tensors.Names() {
		t := inspectedTensor{Name: name}
		if t.DType, err = tensors.DType(name); err != nil {
			return nil, err
		}
		if t.Shape, err = tensors.Shape(name); err != nil {
			return nil, err
		}
		i.Tensors = append(i.Tensors, t)
	}
	i.Format = tensors.Metadata()["linnet.format"]
	if i.Format == "" {
		i.Metadata = tensors.Metadata()
		return i, nil
	}
	if _, ok := tensors.Metadata()["linnet.classifier"]; ok {
		c, err := classifier.Load(ctx, path)
		if err != nil {
			return nil, err
		}
		i.Classifier = &inspectedClassifier{c.Parts().Spec, len(c.Parts().Hashes), c.Report()}
		return i, nil
	}
	file, err := model.Load(ctx, path, model.LoadOptions{})
	if err != nil {
		return nil, err
	}
	m := file.Model
	i.Model = &inspectedModel{Name: m.Name(), Parameters: m.ParameterCount(), summary: m.Summary()}
	for _, name := range m.InputNames() {
		i.Model.Inputs = append(i.Model.Inputs, inspectedPort{Name: name, Type: m.InputType(name).String(), Shape: m.InputShape(name)})
	}
	for _, name := range m.OutputNames() {
		i.Model.Outputs = append(i.Model.Outputs, inspectedPort{name, tensor.TypeFloat32.String(), m.OutputShape(name), file.Info.Labels[name], file.Info.Thresholds[name]})
	}
	i.History, i.State, i.Metadata = file.Info.History, file.HasState(), file.Info.Metadata
	return i, file.Close()
}

func (i *inspection) writeJSON(w io.Writer) error {
	return writeJSON(w, i)
}

func (i *inspection) write(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s", visible(i.File), bytesText(i.Bytes))
	switch {
	case i.Classifier != nil:
		fmt.Fprintf(&b, ", a classifier, format %s\n", i.Format)
		i.Classifier.write(&b)
	case i.Model == nil:
		b.WriteString(", a safetensors file without a model\n")
		for _, t := range i.Tensors {
			fmt.Fprintf(&b, "  %s  %s %s\n", visible(t.Name), t.DType, t.Shape)
		}
	default:
		fmt.Fprintf(&b, ", a model, format %s\n\n%s\n", i.Format, i.Model.summary)
		for _, p := range i.Model.Inputs {
			fmt.Fprintf(&b, "Input %s: %s %s\n", visible(p.Name), p.Type, p.Shape)
		}
		for _, p := range i.Model.Outputs {
			fmt.Fprintf(&b, "Output %s: %s %s\n", visible(p.Name), p.Type, p.Shape)
			p.writeLabels(&b)
		}
		fmt.Fprintf(&b, "Stored as: %s\n", i.storages())
		i.writeWeights(&b)
		if h := i.History; h != nil && len(h.Epochs) > 0 {
			last := len(h.Epochs) - 1
			fmt.Fprintf(&b, "Trained: %s; the last", plural(len(h.Epochs), "epoch"))
			for _, name := range h.Names() {
				fmt.Fprintf(&b, " - %s: %s", visible(name), history.FormatLog(h.Values(name)[last]))
			}
			b.WriteByte('\n')
		}
		if i.State {
			b.WriteString("It has the state of its training, which can go on.\n")
		}
	}
	for _, key := range slices.Sorted(maps.Keys(i.Metadata)) {
		fmt.Fprintf(&b, "%s: %s\n", visible(key), visible(i.Metadata[key]))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (c *inspectedClassifier) write(b *strings.Builder) {
	fmt.Fprintf(b, "%s:", plural(len(c.Classes), "class"))
	for k, name := range c.Classes {
		if k == 50 {
			fmt.Fprintf(b, " and %d more", len(c.Classes)-k)
			break
		}
		if k > 0 {
			b.WriteByte(',')
		}
		b.WriteString(" " + visible(name))
	}
	b.WriteByte('\n')
	if c.MultiLabel {
		b.WriteString("A text may have several of them, or none.\n")
	}
	if c.MinConfidence > 0 {
		fmt.Fprintf(b, "A text whose probability is below %g has no label.\n", c.MinConfidence)
	}
	var lengths []string
	for _, l := range []struct {
		least, most int
		unit        string
	}{{c.WordMin, c.WordMax, "word"}, {c.CharMin, c.CharMax, "character"}} {
		switch {
		case l.most == 0: // there are none
		case l.least == l.most:
			lengths = append(lengths, plural(l.most, l.unit))
		default:
			lengths = append(lengths, fmt.Sprintf("%d to %s", l.least, plural(l.most, l.unit)))
		}
	}
	fmt.Fprintf(b, "%s of %s\n", plural(c.Features, "n-gram"), strings.Join(lengths, " and of "))
	if c.NetworkUnits > 0 {
		fmt.Fprintf(b, "A network of %s over regions of 3 and of 20 words\n", plural(2*c.NetworkUnits, "unit"))
	}
	if r := c.Report; r != nil {
		fmt.Fprintf(b, "Learned from %s: %s\n", plural(r.Rows, "row"), visible(r.Best.Recipe))
		if r.Shrunk > 0 {
			network := ""
			if n := r.Network; n != nil && !n.Kept && r.Best.Recipe == n.Average.Recipe {
				network = " and the network"
			}
			fmt.Fprintf(b, "Made smaller since, without a measurement; with %s%s it reached:\n", plural(r.Shrunk, "n-gram"), network)
		}
		fmt.Fprintf(b, "Accuracy %.4f ± %.4f on %s held out\n", r.Best.Accuracy, r.Best.AccuracyError, plural(r.Best.Rows, "row"))
		if r.Network != nil {
			writeNetwork(b, r.Network)
		}
		writeLabelGoals(b, r.Labels)
	}
}

// writeLabels writes a line for each class. One threshold for two classes is that of the second.
func (p *inspectedPort) writeLabels(b *strings.Builder) {
	for k, label := range p.Labels {
		fmt.Fprintf(b, "  %s", visible(label))
		if at := k - len(p.Labels) + len(p.Thresholds); at >= 0 && len(p.Thresholds) > 0 {
			fmt.Fprintf(b, " from %g on", p.Thresholds[at])
		}
		b.WriteByte('\n')
	}
	if len(p.Labels) == 0 && len(p.Thresholds) > 0 {
		fmt.Fprintf(b, "  thresholds %v\n", p.Thresholds)
	}
}

// mostWeights is how many parameters are listed.
const mostWeights = 100

// writeWeights lists the parameters, whose names quantize takes.
func (i *inspection) writeWeights(b *strings.Builder) {
	n := 0
	for _, t := range i.Tensors {
		if strings.HasPrefix(t.Name, "linnet.") {
			continue
		}
		if n++; n <= mostWeights {
			fmt.Fprintf(b, "  %s  %s %s\n", visible(t.Name), t.DType, t.Shape)
		}
	}
	if n > mostWeights {
		fmt.Fprintf(b, "  and %d more\n", n-mostWeights)
	}
}

// storages counts the weights by the type of their elements.
func (i *inspection) storages() string {
	count := map[string]int{}
	for _, t := range i.Tensors {
		if !strings.HasPrefix(t.Name, "linnet.") {
			count[t.DType]++
		}
	}
	var list []string
	for _, dtype := range slices.Sorted(maps.Keys(count)) {
		list = append(list, fmt.Sprintf("%s (%d)", dtype, count[dtype]))
	}
	return strings.Join(list, ", ")
}
