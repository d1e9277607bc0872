package texts

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"unicode/utf8"

	"github.com/linnet-ml/linnet/internal/plainfile"
)

// partNames are the folders that are parts of data and not classes.
var partNames = []string{"train", "training", "test", "testing", "valid", "validation", "val", "dev", "eval"}

// unlabelledNames are the folders whose texts have no label.
var unlabelledNames = []string{"unsup", "unlabeled", "unlabelled"}

func isOneOf(names []string, name string) bool {
	return slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, name) })
}

// openFolder finds the classes.
func (s *Source) openFolder(ctx context.Context) error {
	s.kind = folderKind
	if s.o.Format != "" && s.o.Format != Folders {
		return badOption("Format", "it is a folder, not a file of the format %s", quoted(s.o.Format))
	}
	s.found.Format = Folders
	s.setEncoding("")
	s.found.Encoding = cmp.Or(s.found.Encoding, utf8Name)
	if err := s.noColumns(); err != nil {
		return badOption("Text", "it is a folder, which has no columns to give a name or number of")
	}
	folders, files, err := listFolder(s.path)
	if err != nil {
		return err
	}
	parts, err := areParts(s.path, folders)
	if err != nil {
		return err
	}
	if parts {
		i := slices.IndexFunc(folders, func(n string) bool { return strings.EqualFold(n, s.o.Part) })
		switch {
		case s.o.Part == "":
			return fmt.Errorf("the folder has parts and not classes: %s; open one of them, such as %s", listed(folders), shownPath(filepath.Join(s.path, folders[len(folders)-1])))
		case i < 0:
			return badOption("Part", "the folder has no part %s; it has %s", quoted(s.o.Part), listed(folders))
		}
		s.found.Part = folders[i]
		if folders, files, err = listFolder(filepath.Join(s.path, folders[i])); err != nil {
			return err
		}
	}
	for _, name := range folders {
		if isOneOf(unlabelledNames, name) {
			s.found.Unlabelled = append(s.found.Unlabelled, name)
		} else {
			s.found.Classes = append(s.found.Classes, name)
		}
	}
	s.found.Ignored = files
	switch {
	case len(folders) > 0:
	case files == 0:
		return fmt.Errorf("the folder is empty: %w", ErrEmpty)
	case s.o.LabelsOptional:
		s.found.Ignored = 0
	default:
		return fmt.Errorf("the folder has %s and no folders; it must have a folder for each class, or give one of its files", counted(files, "file"))
	}
	return ctx.Err()
}

// listFolder returns the folders in a folder, sorted, and the number of its files. What begins with a dot does not count.
func listFolder(dir string) (folders []string, files int, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, 0, err
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") {
			continue
		}
		isDir := e.IsDir()
		if e.Type()&fs.ModeSymlink != 0 {
			if info, err := os.Stat(filepath.Join(dir, e.Name())); err == nil {
				isDir = info.IsDir()
			}
		}
		if isDir {
			folders = append(folders, e.Name())
		} else {
			files++
		}
	}
	return folders, files, nil
}

// areParts tells whether folders are parts of data: all have names of parts, and one has folders itself.
func areParts(dir string, folders []string) (bool, error) {
	for _, name := range folders {
		if !isOneOf(partNames, name) {
			return false, nil
		}
	}
	for _, name := range folders {
		inner, _, err := listFolder(filepath.Join(dir, name))
		if err != nil {
			return false, err
		}
		if len(inner) > 0 {
			return true, nil
		}
	}
	return false, nil
}

// folderRows streams the files of all classes.
func (s *Source) folderRows(ctx context.Context, e *emitter) error {
	r := folderReader{s: s, ctx: ctx, e: e}
	root := filepath.Join(s.path, s.found.Part)
	if len(s.found.Classes)+len(s.found.Unlabelled) == 0 {
		return r.walk(root, nil)
	}
	names := slices.Sorted(slices.Values(slices.Concat(s.found.Classes, s.found.Unlabelled)))
	for _, name := range names {
		var labels []string
		if slices.Contains(s.found.Classes, name) {
			labels = []string{name}
		}
		if err := r.walk(filepath.Join(root, name), labels); err != nil || !e.alive() {
			return err
		}
	}
	return nil
}

type folderReader struct {
	s          *Source
	ctx        context.Context
	e          *emitter
	buf, other []byte
}

// walk gives the files of a folder and of the folders in it, sorted by name. Links to folders are not followed: they may lead
// in a circle.
func (r *folderReader) walk(dir string, labels []string) error {
	if !r.e.alive() {
		return nil
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if strings.HasPrefix(entry.Name(), ".") {
			continue
		}
		path := filepath.Join(dir, entry.Name())
		if entry.IsDir() {
			err = r.walk(path, labels)
		} else {
			err = r.file(path, entry.Type(), labels)
		}
		if err != nil || !r.e.alive() {
			return err
		}
	}
	return nil
}

// file gives a file as a row.
func (r *folderReader) file(path string, mode fs.FileMode, labels []string) error {
	row := Row{File: path, Line: 1, Labels: labels, HasLabels: labels != nil}
	if mode&fs.ModeSymlink != 0 {
		info, err := os.Stat(path)
		if err != nil {
			r.e.emit(row, "a link that leads nowhere", 0, 0)
			return nil
		}
		if mode = info.Mode(); mode.IsDir() {
			return nil
		}
	}
	if !mode.IsRegular() {
		r.e.emit(row, notFile(mode), 0, 0)
		return nil
	}
	text, encoding, bad, err := r.read(path)
	if err != nil {
		return err
	}
	if bad != "" {
		r.e.emit(row, bad, 0, 0)
		return nil
	}
	w := window{buf: text, end: len(text), line: 1, column: 1, firstLine: 1, firstColumn: 1}
	f := textFault(text, 0, encoding)
	if f == nil {
		row.Text = string(text)
	}
	r.e.row(&w, row, f)
	return nil
}

// read returns a file as UTF-8 and the encoding that it has, or what is wrong with it. Only an error of the file system or the context is an error.
func (r *folderReader) read(path string) (text []byte, encoding, bad string, err error) {
	f, info, err := plainfile.OS(path)
	if err != nil {
		return nil, "", "", err
	}
	defer f.Close()
	most := r.s.o.MaxText
	if info.Size() > int64(most) {
		return nil, "", overLimit(most).message, nil
	}
	in := &raw{ctx: r.ctx, r: f, read: &r.s.read}
	var over bool
	if r.buf, over, err = readAll(in, r.buf[:0], most); err != nil {
		return nil, "", "", err
	}
	if over {
		return nil, "", overLimit(most).message, nil
	}
	encoding, _ = encodingOf(r.s.o.Encoding)
	text = r.buf
	if isSpecial(text) {
		in, err := newInput(&raw{ctx: r.ctx, r: bytes.NewReader(text), read: new(atomic.Int64)}, r.s.o.limit(), func() error { return nil })
		if err != nil {
			return nil, "", err.Error(), r.ctx.Err()
		}
		defer in.close()
		mark, err := in.mark()
		if err == nil {
			if r.other, over, err = readAll(in, r.other[:0], most); over {
				return nil, "", overLimit(most).message, nil
			}
		}
		if err != nil {
			return nil, "", err.Error(), r.ctx.Err()
		}
		text = r.other
		if mark != "" {
			encoding = mark
		}
	}
	if encoding == "" {
		encoding = utf8Name
		if !utf8.Valid(text) {
			var sc scan
			sc.add(text, true)
			encoding = sc.encoding()
		}
	}
	r.s.encodings[slices.Index(encodingNames, encoding)].Add(1)
	if encoding == utf8Name {
		return text, encoding, "", nil
	}
	text, over, err = readAll(decoded(bytes.NewReader(text), encoding, nil), nil, most)
	if over {
		return nil, "", overLimit(most).message, nil
	}
	return text, encoding, "", err
}

// isSpecial tells whether a file is packed, has a byte order mark, or is no text, by its first bytes.
func isSpecial(b []byte) bool {
	if len(b) >= 4 && b[0]&0xF0 == 0x50 && string(b[1:4]) == skippable {
		return true
	}
	for _, m := range magics {
		if bytes.HasPrefix(b, []byte(m.magic)) {
			return true
		}
	}
	for _, m := range marks {
		if bytes.HasPrefix(b, []byte(m.mark)) {
			return true
		}
	}
	return false
}

// folderEncoding describes the encodings of a folder's files as far as they have been read: the one that was given, or UTF-8, and
// others with the number of their files. Where no file has the first, it is left out.
func (s *Source) folderEncoding() string {
	others := 0
	var parts []string
	for i, name := range encodingNames {
		n := int(s.encodings[i].Load())
		switch {
		case n == 0:
		case name == s.found.Encoding:
			parts = slices.Insert(parts, 0, name)
		default:
			others++
			parts = append(parts, fmt.Sprintf("%s (%s)", name, counted(n, "file")))
		}
	}
	switch {
	case others == 0:
		return s.found.Encoding
	case len(parts) == 1:
		name, _, _ := strings.Cut(parts[0], " ")
		return name
	}
	return strings.Join(parts[:len(parts)-1], ", ") + " and " + parts[len(parts)-1]
}
