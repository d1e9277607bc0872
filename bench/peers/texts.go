package main

import (
	"archive/tar"
	"bufio"
	"compress/gzip"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/linnet-ml/linnet/classifier"
	"github.com/linnet-ml/linnet/datasets/texts"
)

// dataset is labelled texts with a part to learn from and a part to test on.
type dataset struct {
	key, title string
	form       string // how the texts are written: .csv, .tsv or .jsonl; "" is a folder for each class
	files      string // with %s for train or test; for folders, an archive of both
	several    bool   // whether a text may have several labels
	recipes    []string
}

var datasets = []dataset{
	{"r8", "R8: news wires, 8 classes", ".csv", "text/r8/%s.csv.gz", false, []string{"svc", "fasttext"}},
	{"20ng", "20 Newsgroups, in the order of the file", ".jsonl", "text/20ng/%s.jsonl.gz", false, []string{"svc", "svc-cnb", "fasttext"}},
	{"spam", "SpamAssassin: e-mail, ham or spam", ".tsv", "text/spam/%s.tsv.gz", false, []string{"svc-chars", "fasttext"}},
	{"corn-grain", "Reuters: corn and grain, both or none", ".jsonl", "text/corn-grain/%s.jsonl.gz", true, []string{"svc-labels", "fasttext"}},
	{"imdb", "IMDb: reviews in folders", "", "imdb/aclImdb_labeled.tar.gz", false, []string{"svc", "nblr", "fasttext"}},
}

// data is what the programs read of a data set.
type data struct {
	train string     // the file or folder to learn from
	rows  int        // in train
	texts string     // JSON lines to label
	truth [][]string // their labels
}

// rowsOf names the data of the first n rows of a data set.
func rowsOf(key string, n int) string { return key + "/" + strconv.Itoa(n) }

// prepareData writes what the sections need, by the names that their peers use.
func (b *bench) prepareData(ctx context.Context, sections []section) (map[string]data, error) {
	result := map[string]data{}
	for _, d := range datasets {
		used := slices.ContainsFunc(sections, func(s section) bool { return b.uses(s, d.key) })
		if !used {
			continue
		}
		fmt.Fprintf(b.log, "writing %s\n", d.key)
		train, held, err := b.split(ctx, d)
		if err != nil {
			return nil, fmt.Errorf("%s (-shared or LINNET_SHARED names the folder of the data): %w", d.key, err)
		}
		whole, err := b.writeData(d, filepath.Join(b.scratch, "data", d.key), train, held)
		if err != nil {
			return nil, err
		}
		result[d.key] = whole
		if d.key != "imdb" || !slices.ContainsFunc(sections, func(s section) bool { return s.key == classifyRowsKey }) {
			continue
		}
		for _, n := range rowCounts {
			some := whole
			if n < len(train) {
				rows := subset(train, n)
				if some, err = b.writeData(d, filepath.Join(b.scratch, "data", d.key+"-"+strconv.Itoa(n)), rows, nil); err != nil {
					return nil, err
				}
				some.texts, some.truth = whole.texts, whole.truth
			}
			result[rowsOf(d.key, n)] = some
		}
	}
	return result, nil
}

// uses reports whether a section has to do with a data set.
func (b *bench) uses(s section, key string) bool {
	if s.name() == serveKey {
		return key == "imdb"
	}
	switch s.key {
	case classifyKey + "-goals":
		return slices.ContainsFunc(s.peers, func(p peer) bool { return strings.HasPrefix(p.key, "linnet-"+key+"-") })
	case classifyRowsKey, classifyTimeKey:
		return key == "imdb"
	}
	return s.key == classifyKey+"-"+key || s.key == classifySizeKey+"-"+key
}

// quickRows is how many rows -quick keeps of a data set.
const quickRows = 400

// split reads a data set: what to learn from, and what to ask about. Only -part test reads test data.
func (b *bench) split(ctx context.Context, d dataset) (train, held []classifier.Example, err error) {
	if train, err = b.readData(ctx, d, "train"); err != nil {
		return nil, nil, err
	}
	if b.quick && len(train) > quickRows {
		train = subset(train, quickRows)
	}
	if b.part == testPart {
		held, err = b.readData(ctx, d, "test")
		return train, held, err
	}
	train, held = fold(train)
	return train, held, nil
}

// readData reads a part of a data set, train or test.
func (b *bench) readData(ctx context.Context, d dataset, part string) (rows []classifier.Example, err error) {
	path := filepath.Join(b.shared, "data", filepath.FromSlash(d.files))
	if d.form == "" {
		return readArchive(path, part)
	}
	source, err := texts.Open(ctx, fmt.Sprintf(path, part), texts.Options{})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, source.Close()) }()
	for row, err := range source.Rows(ctx) {
		if err != nil {
			return nil, err
		}
		rows = append(rows, classifier.Example{Text: row.Text, Labels: row.Labels})
	}
	return rows, nil
}

// readArchive reads the reviews' archive: */train/pos/*.txt and the like.
func readArchive(path, part string) (rows []classifier.Example, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	z, err := gzip.NewReader(bufio.NewReader(f))
	if err != nil {
		return nil, err
	}
	for t := tar.NewReader(z); ; {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			return rows, nil
		} else if err != nil {
			return nil, err
		}
		parts := strings.Split(h.Name, "/")
		if h.Typeflag != tar.TypeReg || len(parts) != 4 || parts[1] != part {
			continue
		}
		text, err := io.ReadAll(t)
		if err != nil {
			return nil, err
		}
		rows = append(rows, classifier.Example{Text: string(text), Labels: []string{parts[2]}})
	}
}

// shuffledOf deals the rows by their labels: lists of numbers of rows, each in an order that is the same in each run.
func shuffledOf(rows []classifier.Example) [][]int {
	var lists [][]int
	place := map[string]int{}
	for i, e := range rows {
		key := strings.Join(e.Labels, "\x00")
		at, ok := place[key]
		if !ok {
			at = len(lists)
			place[key] = at
			lists = append(lists, nil)
		}
		lists[at] = append(lists[at], i)
	}
	r := rand.New(rand.NewPCG(12, 5))
	for _, list := range lists {
		r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	}
	return lists
}

// fold holds a fifth of the rows of each set of labels out. Both parts keep the order of the rows.
func fold(rows []classifier.Example) (rest, held []classifier.Example) {
	out := make([]bool, len(rows))
	for _, list := range shuffledOf(rows) {
		for _, i := range list[:(len(list)+2)/5] {
			out[i] = true
		}
	}
	for i, e := range rows {
		if out[i] {
			held = append(held, e)
		} else {
			rest = append(rest, e)
		}
	}
	return rest, held
}

// subset is n of the rows, in their order, of each set of labels about as large a share. A smaller one is part of a
// larger one but for a row a set of labels.
func subset(rows []classifier.Example, n int) []classifier.Example {
	in := make([]bool, len(rows))
	taken, seen := 0, 0
	for _, list := range shuffledOf(rows) {
		seen += len(list)
		upTo := n * seen / len(rows)
		for _, i := range list[:upTo-taken] {
			in[i] = true
		}
		taken = upTo
	}
	var some []classifier.Example
	for i, e := range rows {
		if in[i] {
			some = append(some, e)
		}
	}
	return some
}

// writeData writes rows to learn from in the data set's form, and texts to ask about, if any, as JSON lines.
func (b *bench) writeData(d dataset, folder string, train, held []classifier.Example) (data, error) {
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return data{}, err
	}
	result := data{train: filepath.Join(folder, "train"+d.form), rows: len(train), texts: filepath.Join(folder, "texts.jsonl")}
	for _, e := range held {
		result.truth = append(result.truth, e.Labels)
	}
	var err error
	switch d.form {
	case "":
		err = writeFolders(result.train, train)
	case ".jsonl":
		err = writeFile(result.train, func(w io.Writer) error { return writeLines(w, train, d.several) })
	default:
		err = writeFile(result.train, func(w io.Writer) error { return writeRecords(w, train, d.form == ".tsv") })
	}
	if err == nil && held != nil {
		err = writeFile(result.texts, func(w io.Writer) error { return writeLines(w, held, true) })
	}
	return result, err
}

func writeFile(path string, write func(io.Writer) error) (err error) {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	w := bufio.NewWriter(f)
	if err := write(w); err != nil {
		return err
	}
	return w.Flush()
}

func writeFolders(folder string, rows []classifier.Example) error {
	for i, e := range rows {
		class := filepath.Join(folder, e.Labels[0])
		if err := os.MkdirAll(class, 0o777); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(class, fmt.Sprintf("%06d.txt", i)), []byte(e.Text), 0o666); err != nil {
			return err
		}
	}
	return nil
}

func writeLines(w io.Writer, rows []classifier.Example, several bool) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	for _, row := range rows {
		line := map[string]any{"text": row.Text}
		if several {
			line["labels"] = append([]string{}, row.Labels...)
		} else {
			line["label"] = row.Labels[0]
		}
		if err := e.Encode(line); err != nil {
			return err
		}
	}
	return nil
}

func writeRecords(w io.Writer, rows []classifier.Example, tabs bool) error {
	c := csv.NewWriter(w)
	if tabs {
		c.Comma = '\t'
	}
	if err := c.Write([]string{"label", "text"}); err != nil {
		return err
	}
	for _, e := range rows {
		if err := c.Write([]string{e.Labels[0], e.Text}); err != nil {
			return err
		}
	}
	c.Flush()
	return c.Error()
}
