package main

import (
	"cmp"
	"flag"
	"io"
	"math"

	"github.com/linnet-ml/linnet/datasets/imdb/fetch"
	"github.com/linnet-ml/linnet/examples/internal/example"
)

// options are the flags.
type options struct {
	data                      string
	words, maxlen, dim, units int
	lr                        float64
	loss, input, adam         string
	epochs, batch, patience   int
	seed                      uint64
	builtin                   bool // the reviews are those of the program: find says so
	example.Flags
	saved example.Saved
	set   *flag.FlagSet   // all flags
	given map[string]bool // those that were set
	fetch fetch.Options   // for -data download; no flag changes it
}

const (
	inputSequence = "sequence"
	inputMultiHot = "multihot"
	lossBCE       = "bce"
	lossMSE       = "mse"
	adamTextbook  = "textbook"
	adamKeras3    = "keras3"
)

func flags(o *options) *flag.FlagSet {
	f := flag.NewFlagSet(programName, flag.ContinueOnError)
	f.StringVar(&o.data, "data", "", "`where` the reviews are: a folder or file with imdb.npz, or builtin, or download to fetch them into the cache, 19 MB, unless they are there (default: the cache if complete, else builtin)")
	f.IntVar(&o.words, "words", 10000, "size of the vocabulary")
	f.IntVar(&o.maxlen, "maxlen", 256, "length that reviews are padded or cut to")
	f.IntVar(&o.dim, "dim", 16, "length of a word's vector")
	f.IntVar(&o.units, "units", 16, "hidden units")
	f.Float64Var(&o.lr, "lr", 0.001, "learning rate of Adam")
	f.StringVar(&o.adam, "adam", adamTextbook, "textbook, or keras3: square the gradient of each occurrence of a word by itself, as Keras 3 on TensorFlow does")
	f.StringVar(&o.loss, "loss", lossBCE, "bce (binary cross-entropy) or mse (mean squared error)")
	f.StringVar(&o.input, "input", inputSequence, "sequence (of words, averaged by an embedding) or multihot (a column for each word, and two hidden layers)")
	f.IntVar(&o.epochs, "epochs", 40, "epochs")
	f.IntVar(&o.batch, "batch", 512, "reviews in a step")
	f.IntVar(&o.patience, "patience", example.NoPatience, "stop after so many epochs without a better val_loss, and keep the best weights; 0 stops at the first that is no better, -1 never")
	f.Uint64Var(&o.seed, "seed", 1, "seed of all random numbers")
	o.Flags.Add(f)
	o.saved.Flags(f)
	return f
}

// settingFlags are the flags that a training which goes on must share with its beginning.
var settingFlags = []string{"words", "maxlen", "dim", "units", "lr", "adam", "loss", "input", "batch", "patience", "seed"}

// trainingFlags are those that say what is trained and how, or need a training.
var trainingFlags = []string{"words", "maxlen", "dim", "units", "lr", "adam", "loss", "input", "epochs", "patience", "seed", "history", "plot"}

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
	if err := o.saved.Check(o.set, o.given, trainingFlags, example.Written, []string{"data"}); err != nil {
		return err
	}
	if err := cmp.Or(
		example.CheckBound("words", o.words, 4, 100_000), // ids 0 to 3 are not words
		example.CheckBound("maxlen", o.maxlen, 1, 4096),
		example.CheckBound("dim", o.dim, 1, 1024),
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
	if o.loss != lossBCE && o.loss != lossMSE {
		return example.Usagef("-loss %q is neither %s nor %s", o.loss, lossBCE, lossMSE)
	}
	if o.adam != adamTextbook && o.adam != adamKeras3 {
		return example.Usagef("-adam %q is neither %s nor %s", o.adam, adamTextbook, adamKeras3)
	}
	switch o.input {
	case inputSequence:
	case inputMultiHot:
		for _, name := range []string{"maxlen", "dim", "adam"} {
			if o.given[name] {
				return example.Usagef("-%s says nothing of -input %s", name, inputMultiHot)
			}
		}
	default:
		return example.Usagef("-input %q is neither %s nor %s", o.input, inputSequence, inputMultiHot)
	}
	return cmp.Or(example.CheckText(o.given, "data", o.data), o.Flags.Check(o.given))
}
