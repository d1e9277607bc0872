package main

import (
	"fmt"
	"slices"
	"strings"
)

// target is what is asked of one figure: to be so many times smaller than a rival's, or no more than so much.
type target struct {
	section, what string
	peer, figure  string
	rival         string  // another peer of the section; none: most counts
	rivalFigure   string  // of the rival, where it is another one
	least         float64 // the rival's figure by this one, at least
	most          float64
	floor         float64 // the figure, at least
	test          bool    // asked of the test part of the data alone
	unit          string
}

// targets are those that linnet was built for, on a Zen 5 with AVX-512 and 2 cores.
var targets = []target{
	{section: "fit", what: "fit, beside Keras", peer: "linnet", figure: "fit_s", rival: "keras", least: 60},
	{section: "fit", what: "fit, beside PyTorch's mean", peer: "linnet", figure: "fit_s", rival: "torch-mean", least: 18},
	{section: "fit", what: "fit, beside PyTorch's bag", peer: "linnet", figure: "fit_s", rival: "torch-bag", least: 18},
	{section: "fit", what: "fit, beside torch.compile without its compiling", peer: "linnet", figure: "fit_s", rival: "torch-compile", least: 14},
	{section: "fit", what: "fit, beside plain Go loops", peer: "linnet", figure: "fit_s", rival: "plain", least: 9},
	{section: "fit", what: "fit", peer: "linnet", figure: "fit_s", most: 0.30, unit: "s"},
	{section: "fit", what: "fit, 2 threads beside 1", peer: "linnet-2", figure: "fit_s", rival: "linnet", least: 1.5},
	{section: "fit", what: "the same, every core taken by others", peer: "linnet-2-busy", figure: "fit_s", rival: "linnet-busy", least: 1 / 1.1},
	{section: "inference", what: "evaluate 25,000 padded reviews", peer: "linnet", figure: "evaluate_ms", most: 13, unit: "ms"},
	{section: "inference", what: "the same with bags ready", peer: "linnet", figure: "evaluate_bags_ms", most: 3.5, unit: "ms"},
	{section: "inference", what: "predict one review", peer: "linnet", figure: "predict_us", most: 0.7, unit: "µs"},
	{section: "inference", what: "allocations of a prediction", peer: "linnet", figure: "predict_allocations", most: 0},
	{section: "table", what: "a step with the large table", peer: "linnet", figure: "step_ms", most: 5, unit: "ms"},
	{section: hubKey, what: "an epoch with validation, beside Keras", peer: "linnet", figure: "epoch_s", rival: "keras", least: 40},
	{section: hubKey, what: "the same, 2 threads of each", peer: "linnet-2", figure: "epoch_s", rival: "keras-2", least: 40},
	{section: hubKey, what: "evaluate 25,000 texts whose ids are ready, beside Keras", peer: "linnet", figure: "evaluate_ids_s", rival: "keras", rivalFigure: "evaluate_s", least: 10},
	{section: hubKey, what: "the same, 2 threads of each", peer: "linnet-2", figure: "evaluate_ids_s", rival: "keras-2", rivalFigure: "evaluate_s", least: 10},
	{section: hubKey, what: "evaluate 25,000 texts, tokenising in, beside Keras", peer: "linnet", figure: "evaluate_s", rival: "keras", least: 10},
	{section: hubKey, what: "the same, 2 threads of each", peer: "linnet-2", figure: "evaluate_s", rival: "keras-2", least: 10},
	{section: hubKey, what: "peak memory", peer: "linnet", figure: "peak_mb", most: 700, unit: "MB"},
	{section: hubKey, what: "the same, 2 threads", peer: "linnet-2", figure: "peak_mb", most: 700, unit: "MB"},
	{section: hubKey, what: "open the module", peer: "linnet", figure: "open_s", most: 0.5, unit: "s"},
	{section: hubKey, what: "the same, 2 threads", peer: "linnet-2", figure: "open_s", most: 0.5, unit: "s"},
	{section: hubKey, what: "open the module and read its table", peer: "linnet", figure: "open_read_s", most: 0.5, unit: "s"},
	{section: hubKey, what: "the same, 2 threads", peer: "linnet-2", figure: "open_read_s", most: 0.5, unit: "s"},
	{section: loadOpenKey, what: "open a file of 200 MB", peer: "linnet", figure: "open_ms", most: 5, unit: "ms"},
	{section: loadOpenKey, what: "heap that opening it takes", peer: "linnet", figure: "heap_mb", most: 2, unit: "MB"},
	{section: "classify-r8", what: "R8: accuracy", peer: "linnet", figure: "accuracy", floor: 0.976, test: true},
	{section: "classify-20ng", what: "20 Newsgroups: accuracy", peer: "linnet", figure: "accuracy", floor: 0.872, test: true},
	{section: "classify-20ng", what: "20 Newsgroups: calibration error", peer: "linnet", figure: "calibration_error", most: 0.02},
	{section: "classify-spam", what: "spam: accuracy", peer: "linnet", figure: "accuracy", floor: 0.991, test: true},
	{section: "classify-spam", what: "spam: F1", peer: "linnet", figure: "f1", floor: 0.986, test: true},
	{section: "classify-corn-grain", what: "corn and grain: macro-F1", peer: "linnet", figure: "macro_f1", floor: 0.85, test: true},
	{section: "classify-imdb", what: "reviews: accuracy", peer: "linnet", figure: "accuracy", floor: 0.916, test: true},
	{section: "classify-imdb", what: "reviews: accuracy with a budget", peer: "linnet-budget", figure: "accuracy", floor: 0.921, test: true},
	{section: "classify-imdb", what: "reviews: training, beside fastText", peer: "linnet", figure: "train_s", rival: "fasttext", least: 1},
	{section: "classify-imdb", what: "reviews: file", peer: "linnet", figure: "file_mb", most: 4, unit: "MB"},
	{section: "classify-imdb", what: "reviews: calibration error", peer: "linnet", figure: "calibration_error", most: 0.02},
	{section: "classify-imdb", what: "predict a review with words alone", peer: "linnet", figure: "predict_us", most: 6, unit: "µs"},
	{section: "classify-goals", what: "spam, a precision of 0.95: short beyond chance", peer: "linnet-spam-precision", figure: "short"},
	{section: "classify-goals", what: "spam, a recall of 0.95: short beyond chance", peer: "linnet-spam-recall", figure: "short"},
	{section: "classify-goals", what: "reviews, a precision of 0.95: short beyond chance", peer: "linnet-imdb-precision", figure: "short"},
	{section: "classify-goals", what: "reviews, a recall of 0.95: short beyond chance", peer: "linnet-imdb-recall", figure: "short"},
	{section: "serve-8", what: "single reviews, 8 connections: a request (40 µs are 25,000 a second)", peer: "linnet", figure: "request_us", most: 40, unit: "µs"},
	{section: "serve-8", what: "the same: p99", peer: "linnet", figure: "p99_ms", most: 5, unit: "ms"},
	{section: "serve-8", what: "the same, beside FastAPI", peer: "linnet", figure: "request_us", rival: "fastapi", least: 10},
	{section: "serve-8", what: "the same, beside FastAPI with a worker a core", peer: "linnet", figure: "request_us", rival: "fastapi-workers", least: 10},
	{section: serveSoakKey, what: "full load: errors", peer: "linnet", figure: "errors"},
	{section: serveSoakKey, what: "full load: memory after the first minute", peer: "linnet", figure: "rss_grown", most: 10, unit: "% more"},
	{section: serveSoakKey, what: "full load: goroutines left after the drain", peer: "linnet", figure: "left"},
	{section: "classify-size-imdb", what: "reviews: accuracy lost in 600 KB", peer: "size-600KB", figure: "lost", most: 0.004},
}

// The targets of matrix products, in speed by the faster peer's.
const (
	leastProduct     = 0.97
	leastProductMean = 1.0
)

// renderTargets is a table of what was asked for and what was reached, for the sections that were measured.
func renderTargets(r report) string {
	var rows strings.Builder
	for _, t := range targets {
		i := slices.IndexFunc(r.sections, func(s section) bool { return s.key == t.section })
		if i < 0 || t.test && r.data != testPart {
			continue
		}
		asked, reached, met := t.judge(r.results[i])
		fmt.Fprintf(&rows, "| %s | %s | %s | %s |\n", t.what, asked, reached, met)
	}
	if r.products != nil {
		what := [2]string{"matrix products, the slowest beside the faster of OpenBLAS and oneDNN", "matrix products, geometric mean"}
		name, worst := r.products.worst()
		for i, c := range []struct{ got, least float64 }{{worst, leastProduct}, {r.products.Mean, leastProductMean}} {
			reached, met := "not measured", "–"
			if len(r.products.Rows) > 0 {
				if reached = fmt.Sprintf("%.3f", c.got); i == 0 {
					reached += " (" + name + ")"
				}
				met = verdict(c.least / c.got)
			}
			fmt.Fprintf(&rows, "| %s | at least %.2f | %s | %s |\n", what[i], c.least, reached, met)
		}
	}
	if rows.Len() == 0 {
		return ""
	}
	return "| | asked for | reached | met |\n| --- | --- | --- | --- |\n" + rows.String()
}

// judge compares with what was measured.
func (t target) judge(o outcome) (asked, reached, met string) {
	if t.rival != "" {
		asked = fmt.Sprintf("at least %.3g times as fast", t.least)
		figure := t.figure
		if t.rivalFigure != "" {
			figure = t.rivalFigure
		}
		ratios := ratiosOf(o.values(t.rival, figure), o.values(t.peer, t.figure))
		if ratios == nil {
			return asked, "not measured", "–"
		}
		return asked, spread(ratios, 2), verdict(t.least / median(ratios))
	}
	if t.floor > 0 {
		asked = fmt.Sprintf("at least %.3g", t.floor)
		list := o.values(t.peer, t.figure)
		if list == nil {
			return asked, "not measured", "–"
		}
		met = "yes"
		if v := median(list); v < t.floor {
			met = fmt.Sprintf("no: %.4f short", t.floor-v)
		}
		return asked, spread(list, 4), met
	}
	asked = strings.TrimSpace(fmt.Sprintf("at most %.3g %s", t.most, t.unit))
	list := o.values(t.peer, t.figure)
	if list == nil {
		return asked, "not measured", "–"
	}
	reached = strings.TrimSpace(spread(list, 3) + " " + t.unit)
	if v := median(list); t.most > 0 {
		met = verdict(v / t.most)
	} else if met = "yes"; v > 0 {
		met = "no"
	}
	return asked, reached, met
}

// verdict says whether a cost is within its limit, of which it is the given part, or by how much it is not.
func verdict(part float64) string {
	if part <= 1 {
		return "yes"
	}
	return fmt.Sprintf("no: %.2f times the limit", part)
}
