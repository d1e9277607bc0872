package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/linnet-ml/linnet/classifier"
	"github.com/linnet-ml/linnet/classifier/evaluation"
)

// The names, for -only, of what is measured of classifiers. Only -only measures it, and each has a part of the results for
// itself.
const (
	classifyKey     = "classify"
	classifyRowsKey = "classify-rows"
	classifySizeKey = "classify-size"
	classifyTimeKey = "classify-time"
)

var classifyKeys = []string{classifyKey, classifyRowsKey, classifySizeKey, classifyTimeKey}

// The values of -part.
const (
	heldOutPart = "held-out"
	testPart    = "test"
)

const classifyNote = "Every program learns from the same file in the form in which the data came: reading, vectorising and writing the model count. " +
	"linnet's time is that of the process, without an option unless said; of the Python programs the imports do not count. " +
	"scikit-learn's model is a pickle of vectoriser and model. " +
	"A prediction is from the raw text on one thread, files and models in memory: the mean over all texts, where a program has a call for many at once " +
	"in one call, and one text at a time. All answers are judged by the same code: F1 is that of the second of two classes, the calibration error has 15 bins " +
	"of the same number of answers. A LinearSVC gives no probabilities; fastText's above 1 count as 1. An MB is 1,000,000 bytes."

const heldOutNote = "Held out is a fifth of the training rows of each data set, the same in each run; the programs learn from the rest. " +
	"Test data is not read."

const testNote = "The programs learn from all training rows and are asked about the test rows, which no choice was made on."

// classifyPartOf is where the results of a name and of a part of the data stand.
func classifyPartOf(name, data string) part {
	command := "go run ./bench/peers -only " + name
	note, title := heldOutNote, map[string]string{
		classifyKey:     "Classifiers of texts beside scikit-learn and fastText: held-out training rows",
		classifyRowsKey: "Classifiers: accuracy against the number of training rows",
		classifySizeKey: "Classifiers: accuracy against the size of the file",
		classifyTimeKey: "Classifiers: accuracy against the time budget",
	}[name]
	if data == testPart {
		command += " -part test"
		note, title = testNote, "Classifiers of texts beside scikit-learn and fastText: test rows"
	}
	return part{
		begin: "<!-- begin: " + command + " -->", end: "<!-- end: " + command + " -->", title: title,
		note: classifyNote + "\n\n" + note, once: true,
	}
}

// linnetRun is a way to call linnet train.
type linnetRun struct {
	key, title string
	args       []string
}

// budgets are those of the time curve. "" is a training without an option.
var budgets = []string{"", "15s", "30s", "60s", "120s"}

// sizes are those of the size curve, as linnet quantize reads them.
var sizes = []string{"100KB", "200KB", "400KB", "600KB", "1MB", "2MB", "4MB"}

// rowCounts are those of the curve of training rows.
var rowCounts = []int{100, 300, 1000, 3000, 10000, 20000}

const wholeBudget = "120s"

// budget is the time budget of the main tables.
func (b *bench) budget() string {
	if b.quick {
		return "2s"
	}
	return wholeBudget
}

// linnetRuns are the ways in which linnet learns from d.
func (b *bench) linnetRuns(d dataset) []linnetRun {
	runs := []linnetRun{{key: "linnet", title: "linnet train"}}
	if d.key == "imdb" {
		runs = append(runs, linnetRun{"linnet-budget", "linnet train --budget " + b.budget(), []string{"--budget", b.budget()}})
	}
	if b.linnetArgs != "" {
		runs = append(runs, linnetRun{"linnet-extra", "linnet train " + b.linnetArgs, strings.Fields(b.linnetArgs)})
	}
	return runs
}

// recipeTitles has the peers' ways to learn, by their names in scripts/classify.py.
var recipeTitles = map[string]string{
	"svc":        "scikit-learn: TF-IDF of words 1–2, LinearSVC",
	"svc-cnb":    "scikit-learn: the same with C 0.3, averaged with complement naive Bayes",
	"svc-chars":  "scikit-learn: TF-IDF of characters 2–4 with their case, LinearSVC",
	"svc-labels": "scikit-learn: TF-IDF of words, a balanced LinearSVC a label",
	"nblr":       "scikit-learn: words 1–3 weighted by naive Bayes, LogisticRegression (liblinear, dual)",
	"fasttext":   "fastText: wordNgrams 2, epoch 25, lr 0.5, dim 50, shuffled",
}

// packagesOf are the Python packages of a recipe.
func packagesOf(recipe string) []string {
	if recipe == "fasttext" {
		return []string{"fasttext-wheel", "numpy"}
	}
	return []string{"scikit-learn", "numpy"}
}

// The figures of a training and what it gave.
var classifyFigures = []figure{
	{"train_s", "train, s", 2, true},
	{"cpu_s", "processor, s", 2, false},
	{"file_mb", "file, MB", 3, false},
	{"predict_us", "predict a text, µs", 1, true},
	{"predict_one_us", "one at a time, µs", 1, false},
	{"accuracy", "accuracy", 4, false},
	{"macro_f1", "macro-F1", 4, false},
	{"f1", "F1", 4, false},
	{"calibration_error", "calibration error", 4, false},
}

// goals are thresholds that linnet is asked for.
var goals = []struct {
	key, data, flag string
	asked           float64
}{
	{"linnet-spam-precision", "spam", "--precision", 0.95},
	{"linnet-spam-recall", "spam", "--recall", 0.95},
	{"linnet-imdb-precision", "imdb", "--precision", 0.95},
	{"linnet-imdb-recall", "imdb", "--recall", 0.95},
}

// classifySections are classifiers in linnet and in peers.
func (b *bench) classifySections() []section {
	var list []section
	for _, d := range datasets {
		s := section{key: classifyKey + "-" + d.key, title: d.title, figures: classifyFigures}
		for _, r := range b.linnetRuns(d) {
			s.peers = append(s.peers, peer{r.key, r.title, nil, b.learnLinnet(d.key, r.args, true)})
		}
		for _, r := range d.recipes {
			s.peers = append(s.peers, peer{r, recipeTitles[r], packagesOf(r), b.learnScript(d.key, r)})
		}
		list = append(list, s)
	}
	list = append(list, b.goalSection())

	rows := section{key: classifyRowsKey, title: "Reviews: accuracy on 5,000 held-out ones", figures: classifyFigures}
	for _, n := range rowCounts {
		data, title := rowsOf("imdb", n), fmt.Sprintf("%d rows, ", n)
		rows.peers = append(rows.peers, peer{fmt.Sprintf("linnet-%d", n), title + "linnet train", nil, b.learnLinnet(data, nil, false)})
		for _, r := range []string{"svc", "nblr", "fasttext"} {
			rows.peers = append(rows.peers, peer{fmt.Sprintf("%s-%d", r, n), title + recipeTitles[r], packagesOf(r), b.learnScript(data, r)})
		}
	}
	list = append(list, rows)

	for _, d := range datasets {
		if d.key != "imdb" && d.key != "20ng" {
			continue
		}
		s := section{key: classifySizeKey + "-" + d.key, title: d.title + ": linnet quantize --size", figures: []figure{
			{"file_mb", "file, MB", 3, false}, {"accuracy", "accuracy", 4, false}, {"lost", "accuracy lost", 4, false},
			{"macro_f1", "macro-F1", 4, false}, {"calibration_error", "calibration error", 4, false},
		}}
		s.peers = append(s.peers, peer{"size-trained", "as trained", nil, b.quantized(d.key, "")})
		for _, size := range sizes {
			s.peers = append(s.peers, peer{"size-" + size, size, nil, b.quantized(d.key, size)})
		}
		list = append(list, s)
	}

	budget := section{key: classifyTimeKey, title: "Reviews: linnet train --budget", figures: classifyFigures}
	for _, t := range budgets {
		key, title, args := "time-"+t, t, []string{"--budget", t}
		if t == "" {
			key, title, args = "time-none", "no option", nil
		}
		budget.peers = append(budget.peers, peer{key, title, nil, b.learnLinnet("imdb", args, false)})
	}
	return append(list, budget)
}

// goalSection checks that a threshold reaches on other rows what it was chosen for.
func (b *bench) goalSection() section {
	s := section{key: classifyKey + "-goals", title: "Thresholds for a goal, with intervals of 95 % (Wilson)", figures: []figure{
		{"asked", "asked for", 2, false}, {"reached", "reached", 4, false}, {"low", "at least", 4, false}, {"high", "at most", 4, false},
		{"short", "short beyond chance", 4, false}, {"other", "recall or precision beside it", 4, false},
	}}
	for _, g := range goals {
		title := fmt.Sprintf("%s, linnet train %s %.2f", g.data, g.flag, g.asked)
		s.peers = append(s.peers, peer{g.key, title, nil, func(ctx context.Context, _ int) (measurement, error) {
			_, r, err := b.learned(ctx, g.data, []string{g.flag, strconv.FormatFloat(g.asked, 'g', -1, 64)})
			if err != nil {
				return measurement{}, err
			}
			return goalReached(g.flag, g.asked, r)
		}})
	}
	return s
}

// goalReached compares the second of two classes with what was asked for.
func goalReached(flag string, asked float64, r *evaluation.Report) (measurement, error) {
	if len(r.Classes) != 2 {
		return measurement{}, fmt.Errorf("a goal with %d classes", len(r.Classes))
	}
	c := r.Classes[1]
	reached, other, of := c.Precision, c.Recall, c.Given
	if flag == "--recall" {
		reached, other, of = c.Recall, c.Precision, c.True
	}
	low, high := wilson(reached, of)
	return measurement{figures: map[string]float64{
		"asked": asked, "reached": reached, "low": low, "high": high, "other": other, "short": max(0, asked-high),
	}}, nil
}

// wilson is the interval of 95 % of a share among n.
func wilson(share float64, n int) (low, high float64) {
	if n == 0 {
		return 0, 1
	}
	const z = 1.959964
	k := float64(n)
	middle := (share + z*z/(2*k)) / (1 + z*z/k)
	half := z / (1 + z*z/k) * math.Sqrt(share*(1-share)/k+z*z/(4*k*k))
	return max(0, middle-half), min(1, middle+half)
}

// prepareClassify builds the programs and writes the data. It returns why peers are missing, by their keys.
func (b *bench) prepareClassify(ctx context.Context, sections []section) (missing map[string]string, err error) {
	programs := map[string]string{"measure": "./bench/peers/linnet"}
	if b.linnet == "" {
		programs["linnet"] = "./cmd/linnet"
	}
	if err := b.build(ctx, programs); err != nil {
		return nil, err
	}
	help, err := b.start(ctx, 1, b.linnetProgram(), "train", "--help")
	if err != nil {
		return nil, err
	}
	// A budget that linnet does not know must not pass for a training without one.
	budget := bytes.Contains(help, []byte("--budget"))
	for _, s := range sections {
		if s.name() == classifyKey && !budget && slices.ContainsFunc(s.peers, func(p peer) bool { return p.key == "linnet-budget" }) {
			return nil, errors.New("linnet train has no --budget, which the peer linnet-budget needs (-only can leave that peer out)")
		}
	}
	if err := b.copyScripts(); err != nil {
		return nil, err
	}
	if b.data, err = b.prepareData(ctx, sections); err != nil {
		return nil, err
	}
	if missing, err = b.missingPeers(ctx, sections); err != nil {
		return nil, err
	}
	for _, s := range sections {
		if s.key != classifyTimeKey || budget {
			continue
		}
		for _, p := range s.peers {
			if p.key != "time-none" {
				fmt.Fprintf(b.log, "%s: %s is left out: linnet train has no --budget\n", s.key, p.key)
				missing[p.key] = "linnet train has no --budget"
			}
		}
	}
	return missing, nil
}

// linnetProgram is the command that is measured.
func (b *bench) linnetProgram() string {
	if b.linnet != "" {
		return b.linnet
	}
	return b.program("linnet")
}

// learnLinnet learns a classifier with linnet train.
func (b *bench) learnLinnet(data string, args []string, say bool) func(context.Context, int) (measurement, error) {
	return func(ctx context.Context, _ int) (measurement, error) {
		m, r, err := b.learned(ctx, data, args)
		if err != nil {
			return m, err
		}
		if say && len(args) == 0 {
			m.facts["linnet's choice for "+data+":"] = m.facts["recipe"]
		}
		delete(m.facts, "recipe")
		judged(m.figures, r, true)
		return m, nil
	}
}

// learned learns a classifier with linnet train, and asks it about the texts.
func (b *bench) learned(ctx context.Context, data string, args []string) (measurement, *evaluation.Report, error) {
	d := b.data[data]
	model := filepath.Join(b.scratch, "learned.linnet")
	out, whole, err := b.timed(ctx, b.threads, b.linnetProgram(), append([]string{"train", d.train, "-o", model, "--json"}, args...)...)
	if err != nil {
		return measurement{}, nil, err
	}
	m, err := parseTrained(out, d.rows)
	if err != nil {
		return m, nil, err
	}
	m.figures["train_s"], m.figures["cpu_s"] = whole["process_s"], whole["cpu_s"]
	r, err := b.ask(ctx, m, d, model)
	return m, r, err
}

// parseTrained reads what linnet train --json prints.
func parseTrained(out []byte, rows int) (measurement, error) {
	var t struct {
		Bytes  *float64           `json:"bytes"`
		Report *classifier.Report `json:"report"`
	}
	if err := json.Unmarshal(out, &t); err != nil {
		return measurement{}, fmt.Errorf("linnet train --json: %w: %.200q", err, out)
	}
	if t.Bytes == nil || t.Report == nil || t.Report.Best.Recipe == "" {
		return measurement{}, fmt.Errorf("linnet train --json lacks a field: %.200q", out)
	}
	if t.Report.Rows != rows {
		return measurement{}, fmt.Errorf("linnet learned from %d rows of %d", t.Report.Rows, rows)
	}
	return measurement{map[string]float64{"file_mb": *t.Bytes / 1e6}, map[string]string{"recipe": t.Report.Best.Recipe}}, nil
}

// ask has linnet label the texts.
func (b *bench) ask(ctx context.Context, m measurement, d data, model string) (*evaluation.Report, error) {
	answers := filepath.Join(b.scratch, "answers.jsonl")
	asked, err := b.jsonOf(ctx, 1, b.program("measure"), "-what", "classify", "-model", model, "-texts", d.texts, "-answers", answers)
	if err != nil {
		return nil, err
	}
	m.with(asked.figures)
	r, _, err := readAnswers(ctx, answers, d.truth)
	return r, err
}

// quantized makes linnet's classifier smaller; "" leaves it as it is.
func (b *bench) quantized(data, size string) func(context.Context, int) (measurement, error) {
	return func(ctx context.Context, _ int) (measurement, error) {
		d := b.data[data]
		whole := filepath.Join(b.scratch, data+".whole.linnet")
		if _, err := os.Stat(whole); errors.Is(err, fs.ErrNotExist) {
			if _, err := b.start(ctx, b.threads, b.linnetProgram(), "train", d.train, "-o", whole); err != nil {
				return measurement{}, err
			}
		}
		m := measurement{map[string]float64{}, map[string]string{}}
		model := whole
		if size != "" {
			model = filepath.Join(b.scratch, "small.linnet")
			if _, err := b.start(ctx, 1, b.linnetProgram(), "quantize", whole, "-o", model, "--size", size); err != nil {
				return measurement{}, err
			}
		}
		info, err := os.Stat(model)
		if err != nil {
			return measurement{}, err
		}
		r, err := b.ask(ctx, m, d, model)
		if err != nil {
			return measurement{}, err
		}
		judged(m.figures, r, true)
		m.figures["file_mb"] = float64(info.Size()) / 1e6
		if size == "" {
			b.wholeAccuracy[data] = r.Accuracy
		} else if all, ok := b.wholeAccuracy[data]; ok {
			m.figures["lost"] = all - r.Accuracy
		}
		return m, nil
	}
}

// learnScript learns a peer's classifier and asks it about the texts.
func (b *bench) learnScript(data, recipe string) func(context.Context, int) (measurement, error) {
	return func(ctx context.Context, seed int) (measurement, error) {
		d := b.data[data]
		script, model, answers := filepath.Join(b.scratch, "scripts", "classify.py"), filepath.Join(b.scratch, "learned.peer"), filepath.Join(b.scratch, "answers.jsonl")
		defer os.Remove(model) // fastText's has 400 MB
		args := func(what string, paths ...string) []string {
			return append(append([]string{script, recipe, what}, paths...), "--threads", strconv.Itoa(b.threads), "--seed", strconv.Itoa(seed))
		}
		out, _, err := b.timed(ctx, b.threads, pythonIn(b.venv), args("train", d.train, model)...)
		if err != nil {
			return measurement{}, err
		}
		m, err := parseFigures(out)
		if err != nil {
			return m, err
		}
		for _, name := range []string{"train_s", "cpu_s", "rows", "bytes"} {
			if _, ok := m.figures[name]; !ok {
				return m, fmt.Errorf("the result lacks %s: %.200s", name, lastLines(string(out), 1))
			}
		}
		if got := m.figures["rows"]; got != float64(d.rows) {
			return m, fmt.Errorf("it learned from %v rows of %d", got, d.rows)
		}
		m.figures["file_mb"] = m.figures["bytes"] / 1e6
		if err := os.Remove(answers); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return m, err
		}
		asked, err := b.jsonOf(ctx, 1, pythonIn(b.venv), args("predict", model, d.texts, answers)...)
		if err != nil {
			return m, err
		}
		m.with(asked.figures)
		r, probable, err := readAnswers(ctx, answers, d.truth)
		if err != nil {
			return m, err
		}
		judged(m.figures, r, probable)
		return m, nil
	}
}

// judged adds a report's figures. Without probabilities there is no calibration error.
func judged(figures map[string]float64, r *evaluation.Report, probable bool) {
	figures["accuracy"], figures["macro_f1"] = r.Accuracy, r.MacroF1
	if r.Confusion != nil && len(r.Classes) == 2 {
		figures["f1"] = r.Classes[1].F1
	}
	if probable {
		figures["calibration_error"] = r.CalibrationError
	}
}

// readAnswers reads what a program said about texts, and measures it. It tells whether there are probabilities.
func readAnswers(ctx context.Context, path string, truth [][]string) (r *evaluation.Report, probable bool, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, false, err
	}
	a, probable, err := parseAnswers(text, truth)
	if err != nil {
		return nil, false, fmt.Errorf("answers: %w", err)
	}
	r, err = evaluation.Measure(ctx, a, evaluation.Options{Resamples: 1, Mistakes: -1})
	return r, probable, err
}

// parseAnswers reads a line with the classes, then a line for each text.
func parseAnswers(text []byte, truth [][]string) (a *evaluation.Answers, probable bool, err error) {
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, 1<<24)
	next := func(v any) error {
		if !lines.Scan() {
			if err := lines.Err(); err != nil {
				return err
			}
			return errors.New("they end early")
		}
		return json.Unmarshal(lines.Bytes(), v)
	}
	var head struct {
		Classes []string `json:"classes"`
		Several bool     `json:"several"`
	}
	if err := next(&head); err != nil {
		return nil, false, err
	}
	number := map[string]int32{}
	for i, name := range head.Classes {
		number[name] = int32(i)
	}
	a = &evaluation.Answers{Classes: head.Classes, Several: head.Several}
	numbers := func(labels []string, unknown bool) ([]int32, error) {
		list := []int32{}
		for _, name := range labels {
			n, ok := number[name]
			switch {
			case ok:
				list = append(list, n)
			case !unknown:
				return nil, fmt.Errorf("the label %q is none of the classes", name)
			default:
				n = evaluation.Unknown
				list = append(list, n)
			}
		}
		slices.Sort(list)
		return list, nil
	}
	for i, labels := range truth {
		var row struct {
			Given         []string  `json:"given"`
			Probabilities []float64 `json:"probabilities"`
		}
		if err := next(&row); err != nil {
			return nil, false, fmt.Errorf("text %d of %d: %w", i+1, len(truth), err)
		}
		given, err := numbers(row.Given, false)
		if err != nil {
			return nil, false, fmt.Errorf("text %d: %w", i+1, err)
		}
		known, _ := numbers(labels, true)
		a.True, a.Given = append(a.True, known), append(a.Given, given)
		if probable = row.Probabilities != nil; !probable {
			row.Probabilities = make([]float64, len(head.Classes))
		}
		if len(row.Probabilities) != len(head.Classes) {
			return nil, false, fmt.Errorf("text %d has %d probabilities for %d classes", i+1, len(row.Probabilities), len(head.Classes))
		}
		for _, p := range row.Probabilities {
			a.Probabilities = append(a.Probabilities, float32(p))
		}
	}
	if lines.Scan() {
		return nil, false, fmt.Errorf("more than %d texts have one", len(truth))
	}
	return a, probable, nil
}
