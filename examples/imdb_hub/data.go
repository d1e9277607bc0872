package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"unicode"

	"github.com/linnet-ml/linnet/datasets/imdb"
	"github.com/linnet-ml/linnet/datasets/imdb/builtin"
	"github.com/linnet-ml/linnet/datasets/imdb/fetch"
	"github.com/linnet-ml/linnet/internal/download"
	"github.com/linnet-ml/linnet/pretrained"
	builtinmodule "github.com/linnet-ml/linnet/pretrained/builtin"
	modules "github.com/linnet-ml/linnet/pretrained/fetch"
)

const (
	builtinName  = "builtin"
	downloadName = "download"

	// getTexts tells how to come by the texts themselves.
	getTexts = `These are the reviews' words in no order, each cut to its last 256: the texts
are not ours to ship, and the sum of words' vectors knows no order. For the texts
themselves add -data download (84 MB), or name a folder with aclImdb_v1.tar.gz.`

	// builtinModule is the name of the module that is part of the program, tutorialModule that of the tutorial's.
	builtinModule  = "glove-imdb-50"
	tutorialModule = "nnlm-en-dim50"

	// getModule tells how to come by the tutorial's module.
	getModule = `This module is part of the program. For the tutorial's own add
-module https://tfhub.dev/google/nnlm-en-dim50/2, which downloads it.`
)

// loadTexts reads the reviews from where -data says. Its string says where that was.
func loadTexts(ctx context.Context, o *options, progress io.Writer) (train, test *imdb.TextSplit, where string, err error) {
	path := o.data
	switch o.data {
	case builtinName:
		train, test, err = builtin.Texts()
		return train, test, builtinName, err
	case downloadName:
		report, end := downloads(progress)
		path, err = fetch.Texts(ctx, fetch.Options{Mirror: o.mirror, AllowUnverified: o.mirror != "", Progress: report})
		end()
	case "":
		path, err = imdb.FindTexts("")
		if errors.Is(err, fs.ErrNotExist) {
			train, test, err = builtin.Texts()
			return train, test, builtinName, err
		}
	}
	if err == nil {
		train, test, err = imdb.LoadTexts(ctx, imdb.TextOptions{Path: path})
	}
	return train, test, path, err
}

// openModule opens the text embedding that -module names.
func openModule(ctx context.Context, o *options, progress io.Writer) (*pretrained.Embedding, error) {
	switch {
	case o.module == builtinName:
		return builtinmodule.Open()
	case o.module == "":
		m, err := pretrained.OpenModule(tutorialModule, pretrained.HubOptions{})
		if errors.Is(err, fs.ErrNotExist) {
			return builtinmodule.Open()
		}
		return m, err
	case strings.Contains(o.module, "://"): // asked for from the network
		report, end := downloads(progress)
		_, err := modules.Module(ctx, o.module, modules.Options{Mirror: o.mirror, Progress: report})
		end()
		if err != nil {
			return nil, err
		}
		return pretrained.OpenModule(o.module, pretrained.HubOptions{})
	}
	info, err := os.Stat(o.module)
	switch {
	case err == nil && info.IsDir():
		return pretrained.OpenHub(o.module, pretrained.HubOptions{})
	case err == nil:
		// Tables of word vectors know small letters only.
		return pretrained.OpenVectors(o.module, pretrained.VectorOptions{Lower: true})
	case !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	m, found := pretrained.OpenModule(o.module, pretrained.HubOptions{})
	if errors.Is(found, fs.ErrNotExist) {
		return nil, fmt.Errorf("-module %s: no such file or folder, and no such module: %w", o.module, found)
	}
	return m, found
}

// downloads returns what reports a download to w, which may be nil, and what ends its last line.
func downloads(w io.Writer) (report func(name string, done, total int64), end func()) {
	if w == nil {
		return nil, func() {}
	}
	p := download.NewPrinter(w)
	return p.Report, p.End
}

// printable is a text as a terminal may show it: what would move the cursor or more is replaced.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' {
			return ' '
		}
		if !unicode.IsPrint(r) {
			return unicode.ReplacementChar
		}
		return r
	}, s)
}
