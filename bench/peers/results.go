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

	"github.com/linnet-ml/linnet/internal/atomicfile"
)

// part is what stands between two markers of RESULTS.md.
type part struct {
	begin, end, title, note string
	once                    bool // whether each program runs once
}

var (
	mainPart = part{begin: sectionBegin, end: sectionEnd, title: "linnet beside its peers"}
	// The second tutorial needs half a gigabyte of Python of its own, and is measured in fewer rounds.
	hubPart = part{
		begin: "<!-- begin: go run ./bench/peers -only hub -->", end: "<!-- end: go run ./bench/peers -only hub -->",
		title: "The second tutorial beside Keras", note: hubNote,
	}
	loadPart = part{
		begin: "<!-- begin: go run ./bench/peers -only load -->", end: "<!-- end: go run ./bench/peers -only load -->",
		title: "Saved models beside PyTorch, Keras and fastText", note: loadNote,
	}
)

// report is what the tables of a part are made of.
type report struct {
	part
	command, date, cpu, platform, goVersion, path, load, data string
	cores, rounds, epochs, threads                            int
	sections                                                  []section
	results                                                   []outcome // of the sections
	products                                                  *products // nil: not asked for
	curves                                                    []curvePoint
}

const (
	sectionBegin = "<!-- begin: go run ./bench/peers -->"
	sectionEnd   = "<!-- end: go run ./bench/peers -->"
)

// render writes a part of RESULTS.md, from its first marker to its last.
func render(r report) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n## %s\n\n", r.begin, r.title)
	if r.once {
		fmt.Fprintf(&b, "`%s`, %s. One run of each program, one after another, with %s to learn on.\n\n", r.command, r.date, plural(r.threads, "thread"))
	} else {
		b.WriteString(r.rounded())
	}
	if r.note != "" {
		fmt.Fprintf(&b, "%s\n\n", r.note)
	}
	fmt.Fprintf(&b, "- CPU: %s, %s, %s; load average %s at the start\n- Go %s\n- linnet's kernels: %s\n",
		r.cpu, plural(r.cores, "core"), r.platform, r.load, strings.TrimPrefix(r.goVersion, "go"), r.path)
	facts := map[string]string{}
	for _, o := range r.results {
		maps.Copy(facts, o.facts())
	}
	for _, name := range slices.Sorted(maps.Keys(facts)) {
		fmt.Fprintf(&b, "- %s %s\n", name, facts[name])
	}
	if r.products != nil && len(r.products.Rows) > 0 {
		fmt.Fprintf(&b, "- %s\n- %s\n", r.products.OpenBLAS, r.products.OneDNN)
	}
	if table := renderTargets(r); table != "" {
		fmt.Fprintf(&b, "\n### What is asked of linnet\n\n%s", table)
	}
	for i, s := range r.sections {
		title := s.title
		if s.key == "fit" && r.epochs != wholeEpochs {
			title = fmt.Sprintf("The first tutorial: %d epochs with validation", r.epochs)
		}
		fmt.Fprintf(&b, "\n### %s\n\n%s", title, renderSection(s, r.results[i]))
	}
	if r.products != nil {
		fmt.Fprintf(&b, "\n### Matrix products\n\n%s", renderProducts(r.products))
	}
	if len(r.curves) > 0 {
		fmt.Fprintf(&b, "\n### Cost against size\n\n%s\n\n%s", curvesNote, strings.TrimRight(renderCurves(r.curves), "\n")+"\n")
	}
	fmt.Fprintf(&b, "%s\n", r.end)
	return b.String()
}

const curvesNote = "linnet alone, a training step of the tutorial's network on made-up reviews, whose words occur as in a language; " +
	"where a table names no other size: batch 512, vocabulary 10,000, dimension 16, length 256, 1 thread. A unit of work is a float32 that a step " +
	"must read or write at least, or a multiplication of its dense layers; it costs more where the rows that move, with Adam's moments, " +
	"are too many for a cache. The prediction is of a batch, with bags ready."

// rounded says how a part of several rounds was measured.
func (r report) rounded() string {
	return fmt.Sprintf("`%s`, %s. %s of each program in turn, each begun by another; one thread unless said. Each round has its own seed.\n"+
		"Medians over the rounds, least and greatest in brackets; a ratio is taken in each round, then its median.\n\n",
		r.command, r.date, plural(r.rounds, "round"))
}

// renderSection is a table of a section's peers.
func renderSection(s section, o outcome) string {
	figures := slices.DeleteFunc(slices.Clone(s.figures), func(f figure) bool {
		return !slices.ContainsFunc(s.peers, func(p peer) bool { return o.values(p.key, f.key) != nil })
	})
	compared := func(f figure) bool { return f.ratio && o.values("linnet", f.key) != nil && len(s.peers) > 1 }
	var b strings.Builder
	head, rule := "| |", "| --- |"
	for _, f := range figures {
		head, rule = head+" "+f.title+" |", rule+" ---: |"
		if compared(f) {
			head, rule = head+" by linnet's |", rule+" ---: |"
		}
	}
	fmt.Fprintf(&b, "%s\n%s\n", head, rule)
	var notes []string
	for _, p := range s.peers {
		if why, ok := o.missing[p.key]; ok {
			notes = append(notes, fmt.Sprintf("%s is missing: %s.\n", p.title, why))
		}
		fmt.Fprintf(&b, "| %s |", p.title)
		for _, f := range figures {
			fmt.Fprintf(&b, " %s |", spread(o.values(p.key, f.key), f.digits))
			if compared(f) {
				cell := ""
				if ratios := o.ratios(p.key, "linnet", f.key); ratios != nil && p.key != "linnet" {
					cell = fmt.Sprintf("%.2f", median(ratios))
				}
				fmt.Fprintf(&b, " %s |", cell)
			}
		}
		b.WriteByte('\n')
	}
	if len(notes) > 0 {
		b.WriteString("\n" + strings.Join(notes, ""))
	}
	return b.String()
}

// renderProducts is bench/gemm's table.
func renderProducts(p *products) string {
	if p.missing != "" {
		return fmt.Sprintf("They are missing: %s.\n", p.missing)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "GFLOP/s of processor time on one thread, medians of %s in turn.\n\n", plural(p.Rounds, "round"))
	b.WriteString("| m × k × n | linnet | OpenBLAS | oneDNN | linnet by the faster |\n| --- | ---: | ---: | ---: | ---: |\n")
	for _, r := range p.Rows {
		flops := 2 * float64(r.M) * float64(r.K) * float64(r.N)
		fmt.Fprintf(&b, "| %s %d × %d × %d | %.1f | %.1f | %.1f | %.3f |\n", r.Form, r.M, r.K, r.N, flops/r.Linnet, flops/r.OpenBLASTime, flops/r.OneDNNTime, r.Ratio)
	}
	fmt.Fprintf(&b, "| geometric mean | | | | %.3f |\n", p.Mean)
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

// replacePart puts a part in the place of the file's earlier one, or at its end; the rest of the file stays.
func replacePart(file string, p part, text string) error {
	old, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	spliced, err := p.splice(string(old), text)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return atomicfile.Write(context.Background(), file, func(w io.Writer) error {
		_, err := io.WriteString(w, spliced)
		return err
	})
}

func (p part) splice(old, text string) (string, error) {
	before, rest, found := strings.Cut(old, p.begin+"\n")
	if !found {
		if old == "" {
			old = "# Results\n"
		}
		return strings.TrimRight(old, "\n") + "\n\n" + text, nil
	}
	_, after, found := strings.Cut(rest, p.end+"\n")
	if !found {
		return "", fmt.Errorf("%q has no %q", p.begin, p.end)
	}
	return before + text + after, nil
}
