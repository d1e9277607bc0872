package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/linnet-ml/linnet/classifier"
	"github.com/linnet-ml/linnet/datasets/texts"
)

// Rows that are learned from in memory are not kept a second time, even if they can be read once only.
func TestContinueKeepsNoCopy(t *testing.T) {
	ctx := t.Context()
	for _, once := range []bool{false, true} {
		source, err := texts.Open(ctx, "-", texts.Options{Stdin: strings.NewReader("text,label\na,x\nb,y\n")})
		if err != nil {
			t.Fatal(err)
		}
		d := &trainingData{ctx: ctx, path: "-", source: source, notes: io.Discard, once: once}
		n := 0
		for _, err := range d.examples(ctx) {
			if n++; err != nil {
				t.Fatal(err)
			}
		}
		if n != 2 || (d.spooled == nil) != once {
			t.Errorf("%d rows; read once: %v, a copy: %v", n, once, d.spooled != nil)
		}
	}
}

// What further training says is what happened.
func TestWriteFurther(t *testing.T) {
	for _, v := range []struct {
		last classifier.Continuation
		want string
	}{
		{classifier.Continuation{Rows: 30, Held: 6, Before: 0.5, After: 0.5}, "nothing was learned from 30 rows more: no learning rate made the log loss on 6 rows held out, 0.5000, less\n"},
		{classifier.Continuation{Rows: 30, Held: 6, Added: 7, Epochs: 2, Before: 0.5, After: 0.25, Stopped: true}, "interrupted: not all learning rates were compared\nlearned from 30 rows more, with 7 n-grams that are new\n  log loss on 6 rows held out: 0.5000 before, 0.2500 after\n"},
		{classifier.Continuation{Rows: 3, Epochs: 5}, "learned from 3 rows more, with 0 n-grams that are new\n"},
	} {
		var b strings.Builder
		r := &trained{File: "x", Report: &classifier.Report{Continued: []classifier.Continuation{{}, v.last}}}
		if err := r.writeFurther(&b); err != nil || !strings.HasPrefix(b.String(), v.want+"x: ") {
			t.Errorf("%q, %v, want %q", b.String(), err, v.want)
		}
	}
}

// An interrupt hides no other error.
func TestExitOfInterrupt(t *testing.T) {
	full := errors.New("no space left on device")
	for _, v := range []struct {
		err  error
		want string
	}{
		{context.Canceled, "linnet: interrupted\n"},
		{fmt.Errorf("x: %w", context.Canceled), "linnet: interrupted\n"},
		{errors.Join(context.Canceled, context.Canceled), "linnet: interrupted\n"},
		{errors.Join(full, context.Canceled), "linnet: interrupted\nno space left on device\n"},
	} {
		var b strings.Builder
		if code := exit(v.err, &b); code != exitInterrupted || b.String() != v.want {
			t.Errorf("%v: code %d, %q, want %q", v.err, code, b.String(), v.want)
		}
	}
}

// After a Ctrl-C it is said once that something is kept, and not before there is something.
func TestKeepNote(t *testing.T) {
	for further, phases := range map[bool][2][]classifier.Phase{
		false: {{classifier.PhaseReading, classifier.PhaseComparing}, {classifier.PhaseCounting, classifier.PhaseLearning}},
		true:  {{classifier.PhaseCounting, classifier.PhaseRates}, {classifier.PhaseLearning, classifier.PhaseLearning}},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		var b strings.Builder
		note := keepNote(ctx, &b, nil, further)
		for _, p := range phases[1] {
			note(classifier.Progress{Phase: p})
		}
		cancel()
		for _, p := range phases[0] {
			note(classifier.Progress{Phase: p})
		}
		if b.Len() > 0 {
			t.Errorf("further %v: %q before there is something to keep", further, b.String())
		}
		for _, p := range phases[1] {
			note(classifier.Progress{Phase: p})
		}
		if b.String() != keeping {
			t.Errorf("further %v: %q", further, b.String())
		}
	}
}
