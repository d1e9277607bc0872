package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/linnet-ml/linnet/classifier"
	"github.com/linnet-ml/linnet/internal/atomicfile"
	"github.com/linnet-ml/linnet/model"
	"github.com/spf13/cobra"
)

func newQuantize() *cobra.Command {
	var output, to, size string
	var exceptions []string
	cmd := &cobra.Command{
		Use:   "quantize FILE -o FILE",
		Short: "Write a model with smaller weights",
		Long: `Quantize writes a smaller copy of a model.

A classifier's weights have 8 bits already. --size says how many bytes its file may have: a
network is left out first, if there is one, then the n-grams with the smallest weights. What the
smaller one reaches is not known: thresholds, and the accuracy that inspect tells, stay as they were.

Of other models the weights take fewer bytes each, and what that changed is said: int8 takes a quarter of float32, float16
and bfloat16 half. Biases and other lists of numbers stay as they are unless --parameter names them. A training state is
left out: training goes on from the file it was saved in.

FILE and the copy may be the same file: it is replaced as a whole.`,
		Example: "  linnet quantize network.linnet -o small.linnet\n  linnet quantize mail.linnet -o small.linnet --size 600KB\n  linnet quantize network.linnet -o small.linnet --to float16 --parameter 'text_embedding/*=int8'",
		Args:    arguments(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o, err := convertOptions(to, exceptions)
			if err != nil {
				return err
			}
			if output == "" {
				return usagef("where to? -o FILE is missing")
			}
			if output == "-" {
				return usagef("-o -: a model is written to a file, not to the standard output")
			}
			if err := atomicfile.Check(output); err != nil {
				return usageError{err}
			}
			if size != "" {
				n, err := parseBytes(size)
				if err != nil {
					return err
				}
				err = shrink(cmd.Context(), args[0], output, n, cmd.OutOrStdout())
				if err != nil && isNetwork(cmd.Context(), args[0]) {
					return usagef("%s is a model of a network: --size is for classifiers, and --to says how its weights are stored", args[0])
				}
				return err
			}
			err = quantize(cmd.Context(), args[0], output, o, cmd.OutOrStdout())
			if err != nil && isClassifier(cmd.Context(), args[0]) {
				return usagef("%s is a classifier, whose weights have 8 bits already: --size says how many bytes its file may have", args[0])
			}
			return err
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", "", "the file of the copy")
	cmd.Flags().StringVar(&size, "size", "", "the most `bytes` that a classifier's file may have, such as 600KB or 2MB")
	cmd.Flags().StringVar(&to, "to", model.Int8.String(), "how weights are stored: "+storageNames())
	cmd.Flags().StringArrayVar(&exceptions, "parameter", nil, "`PATTERN=STORAGE` for parameters of some names; may be repeated, the first that matches counts")
	cmd.MarkFlagsMutuallyExclusive("size", "to")
	cmd.MarkFlagsMutuallyExclusive("size", "parameter")
	return cmd
}

var storages = [...]model.Storage{model.Float32, model.Float16, model.BFloat16, model.Int8}

func storageNames() string {
	var names []string
	for _, s := range storages {
		names = append(names, s.String())
	}
	return strings.Join(names, ", ")
}

func convertOptions(to string, exceptions []string) (o model.ConvertOptions, err error) {
	if o.Storage, err = storage("--to", to); err != nil {
		return o, err
	}
	for _, e := range exceptions {
		pattern, name, ok := cut(e)
		if _, err := path.Match(pattern, ""); !ok || err != nil {
			return o, usagef("--parameter %.40q is not PATTERN=STORAGE", e)
		}
		s, err := storage("--parameter", name)
		if err != nil {
			return o, err
		}
		o.Parameters = append(o.Parameters, model.ParameterStorage{Name: pattern, Storage: s})
	}
	return o, nil
}

// cut splits at the last =, since a pattern may have some.
func cut(text string) (before, after string, ok bool) {
	i := strings.LastIndexByte(text, '=')
	if i < 1 {
		return "", "", false
	}
	return text[:i], text[i+1:], true
}

func storage(flag, name string) (model.Storage, error) {
	for _, s := range storages {
		if s.String() == name {
			return s, nil
		}
	}
	return 0, usagef("%s: %.40q is no storage; there are %s", flag, name, storageNames())
}

func quantize(ctx context.Context, from, to string, o model.ConvertOptions, stdout io.Writer) (err error) {
	file, err := model.Load(ctx, from, model.LoadOptions{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	m, differences, err := model.Convert(ctx, file.Model, o)
	if err != nil {
		err = fmt.Errorf("%s: %w", from, err)
		if errors.Is(err, model.ErrNoParameter) {
			return usageError{err}
		}
		return err
	}
	if err := model.Save(ctx, to, m, model.SaveOptions{Info: file.Info}); err != nil {
		return err
	}
	w := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', 0)
	var before, after int64
	fmt.Fprintln(w, "parameter\tstorage\tbefore\tafter\tlargest difference\tlargest magnitude")
	for _, d := range differences {
		before, after = before+d.Before, after+d.After
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%.3g\t%.3g\n", visible(d.Parameter), d.Storage, bytesText(d.Before), bytesText(d.After), d.Largest, d.Magnitude)
	}
	fmt.Fprintf(w, "weights\t\t%s\t%s\n", bytesText(before), bytesText(after))
	return w.Flush()
}

// isClassifier reports whether the file at path has a classifier.
func isClassifier(ctx context.Context, path string) bool {
	_, err := classifier.Load(ctx, path)
	return err == nil
}

// isNetwork reports whether the file at path has a model of a network.
func isNetwork(ctx context.Context, path string) bool {
	file, err := model.Load(ctx, path, model.LoadOptions{})
	if err != nil {
		return false
	}
	file.Close()
	return true
}

// parseBytes reads a number of bytes: 1500, 600KB, 2.5MB.
func parseBytes(text string) (int64, error) {
	number, unit := strings.ToUpper(strings.TrimSpace(text)), 1.0
	for suffix, n := range map[string]float64{"KB": 1e3, "MB": 1e6, "GB": 1e9} {
		if short, ok := strings.CutSuffix(number, suffix); ok {
			number, unit = strings.TrimSpace(short), n
		}
	}
	v, err := strconv.ParseFloat(number, 64)
	if err != nil || !(v*unit >= 1) || v*unit > 1e15 {
		return 0, usagef("--size: %.40q is no number of bytes, such as 600KB or 2MB", text)
	}
	return int64(v * unit), nil
}

// notMeasured is said of a classifier that lost a part.
const notMeasured = "Its thresholds, and the accuracy that inspect tells, are those of the classifier before: linnet evaluate measures it"

// shrink writes a smaller copy of a classifier.
func shrink(ctx context.Context, from, to string, size int64, stdout io.Writer) error {
	c, err := classifier.Load(ctx, from)
	if err != nil {
		return err
	}
	small, err := c.Shrink(ctx, size)
	if errors.Is(err, classifier.ErrTooSmall) {
		return usagef("--size: %s: %s", visible(from), strings.TrimPrefix(err.Error(), "classifier: "))
	}
	if err != nil {
		return fmt.Errorf("%s: %w", from, err)
	}
	if err := small.Save(ctx, to); err != nil {
		return err
	}
	info, err := os.Stat(to)
	if err != nil {
		return err
	}
	network := ""
	if c.Parts().Network != nil && small.Parts().Network == nil {
		network = ", without the network"
	}
	_, err = fmt.Fprintf(stdout, "%s: %s, %s of %s%s\n", visible(to), bytesText(info.Size()), grouped(len(small.Parts().Hashes)), plural(len(c.Parts().Hashes), "n-gram"), network)
	if err == nil && small != c {
		_, err = fmt.Fprintln(stdout, notMeasured)
	}
	return err
}
