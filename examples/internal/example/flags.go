package example

import (
	"cmp"
	"errors"
	"flag"
	"math"
	"os"
)

// NoPatience is the value of -patience that stops no training early. 0 is another: stop at the first epoch that is no better.
const NoPatience = -1

// Flags are those that mean the same in all programs, besides [Saved].
type Flags struct {
	Threads               int
	Quiet                 bool
	Text                  string // of -try
	Try                   bool   // -try was given
	Report, History, Plot string
}

// Written are the names of the flags for files that are written, besides Saved's.
var Written = []string{"report", "history", "plot"}

// Add adds the flags to those of a program.
func (o *Flags) Add(f *flag.FlagSet) {
	f.IntVar(&o.Threads, "threads", 0, "workers that share a step, 0 for as many as pay; they change no bit of the result")
	f.BoolVar(&o.Quiet, "quiet", false, "print the results only")
	f.StringVar(&o.Text, "try", "", "a `text` to score after training")
	f.StringVar(&o.Report, "report", "", "write settings, times and results to this `file` as JSON")
	f.StringVar(&o.History, "history", "", "write the history to this `file` as CSV")
	f.StringVar(&o.Plot, "plot", "", "draw loss and accuracy into this `file`, PNG or SVG; - draws them as text (default: as text, unless -quiet)")
}

// Check refuses values that no run can use.
func (o *Flags) Check(given map[string]bool) error {
	o.Try = given["try"]
	return cmp.Or(
		CheckBound("threads", o.Threads, 0, 1024),
		CheckText(given, "report", o.Report),
		CheckText(given, "history", o.History),
		CheckText(given, "plot", o.Plot),
		CheckText(given, "try", o.Text),
	)
}

// CheckFiles finds out before a training, and not after it, that a file cannot be written: one of these flags, or of s. So
// does a result that would go nowhere, as -quiet's if the standard output is closed: it is an error unless there are files.
func (o *Flags) CheckFiles(s *Saved, p *Page) error {
	if f, ok := p.to.(*os.File); ok && o.Quiet && cmp.Or(o.Report, o.History, o.Plot, s.Save) == "" && nowhere(f) {
		return errors.New("the standard output is closed, and -quiet writes its results to nothing else (-report names a file for them)")
	}
	return cmp.Or(checkFile("report", o.Report), checkFile("history", o.History), s.CheckFile(), CheckPlot(o.Plot))
}

// CheckBound refuses the whole number of a flag with a UsageError when it is out of its range. Upper bounds keep a slip
// of the finger from asking for more memory than there is.
func CheckBound(flag string, value, low, high int) error {
	if value < low || value > high {
		return Usagef("-%s %d is not from %d to %d", flag, value, low, high)
	}
	return nil
}

// CheckPositive refuses a number that is no positive float32.
func CheckPositive(flag string, value float64) error {
	if v := float32(value); !(v > 0) || math.IsInf(float64(v), 0) {
		return Usagef("-%s %v is not a positive float32", flag, value)
	}
	return nil
}

// CheckText refuses a flag that was given without a value.
func CheckText(given map[string]bool, flag, value string) error {
	if given[flag] && value == "" {
		return Usagef("-%s is empty", flag)
	}
	return nil
}
