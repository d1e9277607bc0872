package main

import (
	"cmp"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"iter"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/linnet-ml/linnet/classifier"
	"github.com/linnet-ml/linnet/internal/atomicfile"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// A job is one training of a sweep.
type job struct {
	Args       []string `json:"args"`
	File       string   `json:"file"`
	ReportFile string   `json:"report_file"`
}

// An axis is an option and the values that a sweep gives it.
type axis struct {
	name   string
	values []string
}

// mostJobs is the largest number of jobs of a sweep.
const mostJobs = 100_000

// unvaried are the flags of train that a sweep sets itself or that are not about the classifier.
var unvaried = []string{"help", "json", "keep-partial", "output", "report", "sweep"}

// parseAxis parses an option of a sweep, "seed=1,2,3", for the command train as it was called.
func parseAxis(cmd *cobra.Command, text string) (axis, error) {
	name, list, _ := strings.Cut(text, "=")
	if cmd.Flags().Lookup(name) == nil || slices.Contains(unvaried, name) {
		return axis{}, usagef("--sweep %.40q: train has no option %.40q that can vary; write --sweep seed=1,2,3", text, name)
	}
	if cmd.Flags().Changed(name) {
		return axis{}, usagef("--sweep %.40q: --%s is given beside it", text, name)
	}
	records := csv.NewReader(strings.NewReader(list))
	values, err := records.Read()
	if err != nil {
		return axis{}, usagef("--sweep %.40q has no values, or quotes that do not fit", text)
	}
	if _, err := records.Read(); err != io.EOF {
		return axis{}, usagef("--sweep %.40q has several lines", text)
	}
	for i, v := range values {
		if err := newTrain().Flags().Set(name, v); err != nil {
			return axis{}, usagef("--sweep %s=%.40q: %s (%s --help lists the flags)", name, v, valueProblem(err), cmd.CommandPath())
		}
		if slices.Contains(values[:i], v) {
			return axis{}, usagef("--sweep %.40q has the value %.40q twice", text, v)
		}
	}
	return axis{name, values}, nil
}

// sweep returns the jobs of a sweep. The values of the last option vary fastest.
func sweep(cmd *cobra.Command, data, output string, options []string) ([]job, error) {
	if data == "-" {
		return nil, usagef("--sweep: each job reads DATA, and the standard input can be read once")
	}
	var axes []axis
	n := 1
	for _, text := range options {
		a, err := parseAxis(cmd, text)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(axes, func(other axis) bool { return other.name == a.name }) {
			return nil, usagef("--sweep %.40q: %s is there twice; put all values into one list", text, a.name)
		}
		axes = append(axes, a)
		if n *= len(a.values); n > mostJobs {
			return nil, usagef("--sweep: these are more than %s jobs", grouped(mostJobs))
		}
	}
	if strings.HasPrefix(data, "-") {
		data = "./" + data // and no flag
	}
	base := []string{"linnet", "train", data}
	cmd.Flags().Visit(func(f *pflag.Flag) {
		if !slices.Contains(unvaried, f.Name) {
			base = append(base, "--"+f.Name+"="+f.Value.String())
		}
	})
	ending := filepath.Ext(output)
	stem := strings.TrimSuffix(output, ending)
	jobs := make([]job, n)
	for i := range jobs {
		name := fmt.Sprintf("%s-%0*d", stem, len(fmt.Sprint(n)), i+1)
		j := &jobs[i]
		j.File, j.ReportFile = name+ending, name+".json"
		j.Args = slices.Clone(base)
		rest := i
		values := make([]string, len(axes))
		for k, a := range slices.Backward(axes) {
			values[k] = "--" + a.name + "=" + a.values[rest%len(a.values)]
			rest /= len(a.values)
		}
		j.Args = append(append(j.Args, values...), "--output="+j.File, "--report="+j.ReportFile)
		if err := checkTraining(j.Args[2:]); err != nil {
			return nil, usagef("--sweep, %s: %v", strings.Join(values, " "), err)
		}
	}
	return jobs, nil
}

// checkTraining returns the error that train has with these arguments before it reads anything.
func checkTraining(args []string) error {
	var o classifier.Options
	var data dataFlags
	cmd := newTrainOf(&o, &data)
	(&cobra.Command{Use: "linnet"}).AddCommand(cmd) // whose errors name both
	if err := cmd.ParseFlags(args); err != nil {
		return flagError(cmd, err)
	}
	if err := cmp.Or(checkTogether(cmd), checkFileFlags(cmd), refuseKept(cmd)); err != nil {
		return err
	}
	if _, err := data.options(); err != nil {
		return err
	}
	errUnread := errors.New("the options are possible")
	_, err := classifier.TrainSource(context.Background(), func(context.Context) iter.Seq2[classifier.Example, error] {
		return func(yield func(classifier.Example, error) bool) { yield(classifier.Example{}, errUnread) }
	}, o)
	if errors.Is(err, errUnread) {
		return nil
	}
	return locatedAt("", err, func(int) (place, bool) { return place{}, false })
}

// writeJobs writes the jobs, each as a line for a shell, or as JSON.
func writeJobs(w io.Writer, jobs []job, asJSON bool) error {
	for _, j := range jobs {
		if asJSON {
			if err := writeJSON(w, j); err != nil {
				return err
			}
			continue
		}
		words := make([]string, len(j.Args))
		for i, a := range j.Args {
			if strings.ContainsFunc(a, func(r rune) bool { return !unicode.IsPrint(r) }) {
				return usagef("--sweep: %.60q is no part of a line; --json writes it", a)
			}
			words[i] = quoted(a)
		}
		if _, err := io.WriteString(w, strings.Join(words, " ")+"\n"); err != nil {
			return err
		}
	}
	return nil
}

var plainWord = regexp.MustCompile(`^[A-Za-z0-9_%+=:,./-]+$`)

// quoted is a word for a POSIX shell.
func quoted(word string) string {
	if plainWord.MatchString(word) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// checkReportFile returns an error if a report cannot or must not be written to a file.
func checkReportFile(report, data, output string) error {
	if sameFile(report, data) {
		return usagef("--report %s would replace the data", report)
	}
	if filepath.Clean(report) == filepath.Clean(output) || sameFile(report, output) {
		return usagef("--report %s is the file of the classifier", report)
	}
	if err := atomicfile.Check(report); err != nil {
		return usageError{err}
	}
	return nil
}

// given are the options of a training that were set, for its report.
func given(cmd *cobra.Command) map[string]string {
	options := map[string]string{}
	cmd.Flags().Visit(func(f *pflag.Flag) {
		if !slices.Contains(unvaried, f.Name) {
			options[f.Name] = f.Value.String()
		}
	})
	return options
}
