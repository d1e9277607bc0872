package main

import (
	"cmp"
	"flag"
	"io"
	"math"
	"os"

	"github.com/linnet-ml/linnet/examples/internal/example"
	"github.com/linnet-ml/linnet/text"
)

// options are the flags.
type options struct {
	data, module, combiner  string
	trainable               bool
	units                   int
	lr, scale               float64
	epochs, batch, patience int
	seed                    uint64
	builtin                 bool // the reviews are those of the program: find says so
	example.Flags
	mirror string // where downloads come from; no flag changes it
	saved  example.Saved
	set    *flag.FlagSet   // all flags
	given  map[string]bool // those that were set
}

func flags(o *options) *flag.FlagSet {
	f := flag.NewFlagSet(programName, flag.ContinueOnError)
	f.StringVar(&o.data, "data", "", "`where` the reviews are: a folder or file with aclImdb_v1.tar.gz, or builtin, or download to fetch them into the cache, 84 MB, unless they are there (default: the cache if it has them, else builtin)")
	f.StringVar(&o.module, "module", "", "`where` the text embedding is: a folder with a SavedModel, a name (nnlm-en-dim50, PUBLISHER/NAME/VERSION, or Kaggle's), a URL of tfhub.dev or Kaggle, which is downloaded unless it is there, a file of vectors (GloVe, word2vec, fastText; as it is, or packed by gzip, zstd, bzip2 or zip), or builtin (default: nnlm-en-dim50 if the cache has it, else builtin)")
	f.BoolVar(&o.trainable, "trainable", true, "train the embedding too")
	f.StringVar(&o.combiner, "combiner", "", "sqrtn, mean or sum: how the vectors of a text's words make one (default: the module's)")
	f.Float64Var(&o.scale, "scale", 0, "what the vectors of a file are multiplied by (default: 0.1 if they are trained, else 1)")
	f.IntVar(&o.units, "units", 16, "hidden units")
	f.Float64Var(&o.lr, "lr", 0.001, "learning rate of Adam")
	f.IntVar(&o.epochs, "epochs", 40, "epochs")
	f.IntVar(&o.batch, "batch", 512, "reviews in a step")
	f.IntVar(&o.patience, "patience", 3, "train once more, stop after so many epochs without a better val_loss, and keep the best weights; 0 stops at the first that is no better, -1 never: there is no second training then")
	f.Uint64Var(&o.seed, "seed", 1, "seed of all random numbers")
	o.Flags.Add(f)
	o.saved.Flags(f)
	return f
}

// settingFlags are the flags that a training which goes on must share with its beginning. The second training must share
// -patience, too, and both what moduleSettings says.
var settingFlags = []string{"trainable", "combiner", "units", "lr", "batch", "seed"}

// trainingFlags are those that say what is trained and how, or need a training.
var trainingFlags = []string{"module", "trainable", "combiner", "scale", "units", "lr", "epochs", "patience", "seed", "history", "plot"}

// parseOptions reads the flags. For -h it writes them to help and returns flag.ErrHelp.
func parseOptions(args []string, help io.Writer) (*options, error) {
	o := &options{given: map[string]bool{}}
	f := flags(o)
	o.set = f
	if err := example.Parse(f, args, help); err != nil {
		return nil, err
	}
	f.Visit(func(f *flag.Flag) { o.given[f.Name] = true })
	return o, o.check()
}

// check refuses values that no run can use.
func (o *options) check() error {
	if err := o.saved.Check(o.set, o.given, trainingFlags, example.Written, []string{"data", "module"}); err != nil {
		return err
	}
	if err := cmp.Or(
		example.CheckBound("units", o.units, 1, 4096),
		example.CheckBound("epochs", o.epochs, 1, 1_000_000),
		example.CheckBound("batch", o.batch, 1, trainRows-validationRows),
		example.CheckBound("patience", o.patience, example.NoPatience, math.MaxInt32),
	); err != nil {
		return err
	}
	if err := example.CheckPositive("lr", o.lr); err != nil {
		return err
	}
	if o.given["scale"] {
		if err := example.CheckPositive("scale", o.scale); err != nil {
			return err
		}
	}
	if err := cmp.Or(
		example.CheckText(o.given, "data", o.data),
		example.CheckText(o.given, "module", o.module),
		example.CheckText(o.given, "combiner", o.combiner),
		o.Flags.Check(o.given),
	); err != nil {
		return err
	}
	if _, ok := combinerOf(o.combiner); !ok {
		return example.Usagef("-combiner %q is none of sqrtn, mean and sum", o.combiner)
	}
	return o.checkScale()
}

// trainedScale is -scale's default for vectors that are trained. GloVe's are 5 to 6 long, ten times as long as those that
// a network begins with, and it must unlearn them: with 0.1 the lowest val_loss of film reviews is 0.268 in place of 0.280.
const trainedScale = 0.1

// checkScale sees to it that scale is a number that counts.
func (o *options) checkScale() error {
	info, err := os.Stat(o.module)
	file := err == nil && !info.IsDir()
	switch {
	case o.given["scale"] && !file:
		return example.Usagef("-scale is for a file of vectors, which -module %q is not", o.module)
	case o.given["scale"]:
	case file && o.trainable:
		o.scale = trainedScale
	default:
		o.scale = 1
	}
	return nil
}

// combinerOf is what -combiner names.
func combinerOf(name string) (c text.Combiner, ok bool) {
	switch name {
	case "":
		return text.CombinerDefault, true
	case "sqrtn":
		return text.Sqrtn, true
	case "mean":
		return text.Mean, true
	case "sum":
		return text.Sum, true
	}
	return text.CombinerDefault, false
}
