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
	"github.com/linnet-ml/linnet/internal/shown"
	"github.com/linnet-ml/linnet/internal/tfhub"
	"github.com/linnet-ml/linnet/pretrained"
	builtinmodule "github.com/linnet-ml/linnet/pretrained/builtin"
	modules "github.com/linnet-ml/linnet/pretrained/fetch"
)

const (
	builtinName  = "builtin"
	downloadName = "download"

	// getTexts tells how to come by the texts themselves.
	getTexts = "These are the last 256 words of each review, in no order: the texts are not ours to ship, and the sum of words' vectors " +
		"knows no order. For the texts say -data download (84 MB, once), or name a folder with aclImdb_v1.tar.gz by -data."

	// builtinModule is the name of the module that is part of the program, tutorialModule that of the tutorial's.
	builtinModule  = "glove-imdb-50"
	tutorialModule = "nnlm-en-dim50"

	// getModule tells how to come by the tutorial's module.
	getModule = "This module is part of the program. For the tutorial's own say -module https://tfhub.dev/google/nnlm-en-dim50/2 " +
		"(downloads it once; the table has 193 MB), or name its folder by -module."
)

// find finds out, before anything is read, where the reviews and the module are that -data and -module name: files must be
// there. What is named and must be downloaded is not looked for.
func find(o *options) error {
	switch o.data {
	case downloadName:
	case builtinName:
		o.builtin = true
	default:
		_, err := imdb.FindTexts(o.data)
		o.builtin = o.data == "" && errors.Is(err, fs.ErrNotExist)
		switch {
		case err == nil || o.builtin:
		case o.data == "":
			return err
		default:
			return fmt.Errorf("-data: %w", err)
		}
	}
	if o.module == "" || o.module == builtinName {
		return nil
	}
	if err := findNamed(o.module); err != nil {
		return fmt.Errorf("-module: %w", err)
	}
	return nil
}

// findNamed finds out whether a module can be opened or, if it goes by a URL, asked for.
func findNamed(module string) error {
	_, err := pretrained.FindModule(module)
	missing := errors.Is(err, pretrained.ErrModuleNotFound)
	if strings.Contains(module, "://") {
		if missing { // then it is downloaded
			return nil
		}
		return err
	}
	if _, err := os.Stat(module); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	switch {
	case missing:
		return fmt.Errorf("%w; %s", err, howToGet(module))
	case err != nil:
		return fmt.Errorf("no file or folder is called %s, and %w", module, err)
	}
	return nil
}

// howToGet says how to come by a module that goes by a name.
func howToGet(name string) string {
	m, err := tfhub.Parse(name)
	switch {
	case err != nil: // its caller has found that out
		return err.Error()
	case m.Path == "":
		return fmt.Sprintf("kagglehub.model_download(%q) in Python downloads it", m.Kaggle)
	}
	return fmt.Sprintf("-module %s downloads it", m.URL())
}

// loadTexts reads the reviews from where -data says. Its string says where that was.
func loadTexts(ctx context.Context, o *options, progress io.Writer) (train, test *imdb.TextSplit, where string, err error) {
	if o.builtin {
		train, test, err = builtin.Texts()
		return train, test, builtinName, err
	}
	path := o.data
	switch o.data {
	case downloadName:
		report, end := downloads(progress)
		path, err = fetch.Texts(ctx, fetch.Options{Mirror: o.mirror, AllowUnverified: o.mirror != "", Progress: report})
		end()
		if err != nil {
			return nil, nil, "", fmt.Errorf("-data %s: %w; -data %s needs no network", o.data, err, builtinName)
		}
	case "":
		path, err = imdb.FindTexts("")
	}
	if err == nil {
		train, test, err = imdb.LoadTexts(ctx, imdb.TextOptions{Path: path})
	}
	if err != nil && o.data != "" {
		err = fmt.Errorf("-data: %w", err)
	}
	return train, test, path, err
}

// openModule opens the text embedding that -module names.
func openModule(ctx context.Context, o *options, progress io.Writer) (*pretrained.Embedding, error) {
	switch o.module {
	case builtinName:
		return builtinmodule.Open()
	case "":
		m, err := pretrained.OpenModule(ctx, tutorialModule, pretrained.HubOptions{})
		if errors.Is(err, pretrained.ErrModuleNotFound) {
			return builtinmodule.Open()
		}
		return m, err
	}
	m, err := openNamed(ctx, o, progress)
	if err != nil {
		return nil, fmt.Errorf("-module: %w", err)
	}
	return m, nil
}

// openNamed opens a module by its URL, its place or its name.
func openNamed(ctx context.Context, o *options, progress io.Writer) (*pretrained.Embedding, error) {
	if strings.Contains(o.module, "://") { // this asks for the network
		m, err := pretrained.OpenModule(ctx, o.module, pretrained.HubOptions{})
		if !errors.Is(err, pretrained.ErrModuleNotFound) {
			return m, err
		}
		report, end := downloads(progress)
		_, err = modules.Module(ctx, o.module, modules.Options{Mirror: o.mirror, Progress: report})
		end()
		if err != nil {
			return nil, fmt.Errorf("%w; -module %s needs no network", err, builtinName)
		}
		return pretrained.OpenModule(ctx, o.module, pretrained.HubOptions{})
	}
	info, err := os.Stat(o.module)
	switch {
	case err == nil && info.IsDir():
		return pretrained.OpenHub(ctx, o.module, pretrained.HubOptions{})
	case err == nil:
		// Such tables know small letters only, as a rule.
		return pretrained.OpenVectors(ctx, o.module, pretrained.VectorOptions{Lower: true, Scale: float32(o.scale)})
	}
	if err := findNamed(o.module); err != nil {
		return nil, err
	}
	return pretrained.OpenModule(ctx, o.module, pretrained.HubOptions{})
}

// downloads returns what reports a download to w, which may be nil, and what ends its last line.
func downloads(w io.Writer) (report func(name string, done, total int64), end func()) {
	if w == nil {
		return nil, func() {}
	}
	p := download.NewPrinter(w)
	return p.Report, p.End
}

// oneLine is a text as it is read, in one line: what would move the cursor or more is escaped, white space is a space.
func oneLine(s string) string {
	return shown.Text(strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return ' '
		}
		return r
	}, s))
}
