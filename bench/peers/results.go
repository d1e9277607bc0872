package main

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"slices"
	"strings"
)

// rows are the figures in the table's order.
var rows = []struct {
	key, title string
	digits     int
	ratio      bool // whether it is a cost to be compared
}{
	{"fit_s", "fit with validation, s", 3, true},
	{"epoch_median_s", "an epoch (median), s", 4, true},
	{"evaluate_s", "evaluate 25,000 reviews, s", 4, true},
	{"load_pad_s", "read and pad the data, s", 3, true},
	{"process_s", "whole process, s", 2, true},
	{"test_accuracy", "test accuracy", 4, false},
}

// report is what the table is made of.
type report struct {
	command, date, cpu, platform, goVersion string
	cores, rounds, epochs, threads          int
	peers                                   []peer
	results                                 map[string][]measurement
}

const (
	sectionBegin = "<!-- begin: go run ./bench/peers -->"
	sectionEnd   = "<!-- end: go run ./bench/peers -->"
)

// render writes the section of RESULTS.md, from its first marker to its last.
func render(r report) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n## linnet beside its peers\n\n", sectionBegin)
	fmt.Fprintf(&b, "`%s`, %s. %d epochs of 512, %s, %s of each program in turn; each round has its own seed.\n",
		r.command, r.date, r.epochs, plural(r.threads, "thread"), plural(r.rounds, "round"))
	fmt.Fprintf(&b, "Medians over the rounds, least and greatest in brackets; a ratio is taken in each round, then its median.\n\n")
	fmt.Fprintf(&b, "- CPU: %s, %s, %s\n- Go %s\n", r.cpu, plural(r.cores, "core"), r.platform, strings.TrimPrefix(r.goVersion, "go"))
	facts := map[string]string{}
	for _, runs := range r.results {
		for _, m := range runs {
			maps.Copy(facts, m.facts)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(facts)) {
		fmt.Fprintf(&b, "- %s %s\n", name, facts[name])
	}

	compared := slices.DeleteFunc(slices.Clone(rivals), func(v rival) bool {
		return r.results["linnet"] == nil || !slices.ContainsFunc(v.peers, func(key string) bool { return r.results[key] != nil })
	})
	b.WriteString("\n| |")
	for _, p := range r.peers {
		fmt.Fprintf(&b, " %s |", p.title)
	}
	for _, v := range compared {
		fmt.Fprintf(&b, " %s / linnet |", v.title)
	}
	b.WriteString("\n| --- |" + strings.Repeat(" ---: |", len(r.peers)+len(compared)) + "\n")
	for _, row := range rows {
		fmt.Fprintf(&b, "| %s |", row.title)
		for _, p := range r.peers {
			fmt.Fprintf(&b, " %s |", spread(values(r.results[p.key], row.key), row.digits))
		}
		for _, v := range compared {
			cell := ""
			if x := ratio(r.results, v, row.key); row.ratio && !math.IsNaN(x) {
				cell = fmt.Sprintf("%.1f", x)
			}
			fmt.Fprintf(&b, " %s |", cell)
		}
		b.WriteByte('\n')
	}
	fmt.Fprintf(&b, "%s\n", sectionEnd)
	return b.String()
}

// spread is "median (least–greatest)".
func spread(list []float64, digits int) string {
	switch len(list) {
	case 0:
		return "–"
	case 1:
		return fmt.Sprintf("%.*f", digits, list[0])
	}
	return fmt.Sprintf("%.*f (%.*f–%.*f)", digits, median(list), digits, slices.Min(list), digits, slices.Max(list))
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// replaceSection puts the section in the place of the file's earlier one, or at its end; the rest of the file stays.
func replaceSection(file, section string) error {
	old, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	text, err := spliceSection(string(old), section)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	temporary := file + ".tmp"
	if err := os.WriteFile(temporary, []byte(text), 0o644); err != nil {
		return err
	}
	return os.Rename(temporary, file)
}

func spliceSection(old, section string) (string, error) {
	before, rest, found := strings.Cut(old, sectionBegin+"\n")
	if !found {
		if old == "" {
			old = "# Results\n"
		}
		return strings.TrimRight(old, "\n") + "\n\n" + section, nil
	}
	_, after, found := strings.Cut(rest, sectionEnd+"\n")
	if !found {
		return "", fmt.Errorf("%q has no %q", sectionBegin, sectionEnd)
	}
	return before + section + after, nil
}
