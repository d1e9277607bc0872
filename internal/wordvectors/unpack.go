package wordvectors

import (
	"archive/zip"
	"bufio"
	"compress/bzip2"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/linnet-ml/linnet/internal/filekind"
)

// maxWindow bounds the memory of zstd, whose files ask for it in their first bytes. It is what level 20 asks for.
const maxWindow = 32 << 20

// Unpack reads a stream that may be packed by gzip, zstd or bzip2, which it recognises by the first bytes, and says whether
// it is. Close frees memory and does not close r. [UnpackFile] knows zip archives too.
func Unpack(r io.Reader) (unpacked io.ReadCloser, packed bool, err error) {
	b := bufio.NewReaderSize(r, 64<<10)
	head, err := b.Peek(10)
	if err != nil && err != io.EOF {
		return nil, false, fmt.Errorf("wordvectors: %w", err)
	}
	begins := func(magic string) bool { return strings.HasPrefix(string(head), magic) }
	switch {
	case begins("\x1f\x8b"):
		z, err := gzip.NewReader(b)
		if err != nil {
			return nil, true, fmt.Errorf("wordvectors: gzip: %w", err)
		}
		return z, true, nil
	case begins("\x28\xb5\x2f\xfd"):
		// One goroutine, the caller's: nothing is left behind when the file is not read to its end.
		z, err := zstd.NewReader(b, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return nil, true, fmt.Errorf("wordvectors: zstd: %w", err)
		}
		return z.IOReadCloser(), true, nil
	case filekind.IsBzip2(head):
		return io.NopCloser(bzip2.NewReader(b)), true, nil
	}
	return io.NopCloser(b), false, nil
}

// UnpackFile reads a file of the given size that may be packed as [Unpack] knows it, or be a zip archive. Of an archive it
// reads the member of that name; an empty name stands for the only member, or the only one that is called .txt, .vec or
// .bin. It returns the member's name, "" without an archive. Close frees memory and does not close r.
func UnpackFile(r io.ReaderAt, size int64, member string) (unpacked io.ReadCloser, name string, packed bool, err error) {
	section := io.NewSectionReader(r, 0, size)
	var head [4]byte
	n, err := io.ReadFull(section, head[:])
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return nil, "", false, fmt.Errorf("wordvectors: %w", err)
	}
	if magic := string(head[:n]); magic == "PK\x03\x04" || magic == "PK\x05\x06" {
		unpacked, name, err = openMember(r, size, member)
		if err != nil {
			return nil, "", true, fmt.Errorf("wordvectors: the zip archive %w", err)
		}
		return unpacked, name, true, nil
	}
	if member != "" {
		return nil, "", false, fmt.Errorf("wordvectors: the file is no zip archive, so that it has no member %.80q", member)
	}
	if _, err := section.Seek(0, io.SeekStart); err != nil {
		return nil, "", false, fmt.Errorf("wordvectors: %w", err)
	}
	unpacked, packed, err = Unpack(section)
	return unpacked, "", packed, err
}

// openMember opens a member of a zip archive. Its errors go on after "the zip archive".
func openMember(r io.ReaderAt, size int64, name string) (io.ReadCloser, string, error) {
	z, err := zip.NewReader(r, size)
	if err != nil {
		return nil, "", fmt.Errorf("cannot be read, as if a part of it were missing: %w", err)
	}
	found, err := findMember(z, name)
	if err != nil {
		return nil, "", err
	}
	switch {
	case found.Flags&1 != 0:
		return nil, "", fmt.Errorf("has its member %.80q encrypted", found.Name)
	case strings.HasSuffix(found.Name, ".npy"):
		return nil, "", fmt.Errorf("has arrays of NumPy (.npz), %.80q, and no table of word vectors", found.Name)
	case strings.HasSuffix(found.Name, ".pkl"):
		return nil, "", fmt.Errorf("has a pickle of Python, %.80q, as PyTorch's files have, and no table of word vectors", found.Name)
	}
	m, err := found.Open()
	if errors.Is(err, zip.ErrAlgorithm) {
		return nil, "", fmt.Errorf("has its member %.80q packed by method %d, which is not supported", found.Name, found.Method)
	}
	if err != nil {
		return nil, "", fmt.Errorf("has a member %.80q that cannot be read: %w", found.Name, err)
	}
	return m, found.Name, nil
}

// findMember finds the member that is meant.
func findMember(z *zip.Reader, name string) (*zip.File, error) {
	var all, tables []*zip.File
	for _, f := range z.File {
		base := path.Base(f.Name)
		if f.Mode()&fs.ModeType != 0 || strings.HasSuffix(f.Name, "/") || strings.HasPrefix(f.Name, "__MACOSX/") || strings.HasPrefix(base, ".") {
			continue
		}
		if name != "" {
			if f.Name == name {
				return f, nil
			}
			if base == name {
				tables = append(tables, f)
			}
		} else if ext := strings.ToLower(path.Ext(base)); ext == ".txt" || ext == ".vec" || ext == ".bin" {
			tables = append(tables, f)
		}
		all = append(all, f)
	}
	switch {
	case len(all) == 0:
		return nil, errors.New("has no files")
	case len(tables) == 1:
		return tables[0], nil
	case name != "" && len(tables) == 0:
		return nil, fmt.Errorf("has no member %.80q, but %s", name, memberNames(all))
	case len(all) == 1 || len(tables) == 0 && isModel(all[0].Name):
		return all[0], nil
	}
	if len(tables) == 0 {
		tables = all
	}
	return nil, fmt.Errorf("has %d files, %s%w", len(tables), memberNames(tables), ErrWhichMember)
}

// ErrWhichMember is wrapped by the error for a zip archive with several files of which none was named. The caller says how to
// name one.
var ErrWhichMember = errors.New(", and nothing says which is meant")

// isModel tells from a name that an archive is a file of NumPy or PyTorch, for the error.
func isModel(name string) bool {
	return strings.HasSuffix(name, ".npy") || strings.HasSuffix(name, ".pkl")
}

// memberNames lists the first few names.
func memberNames(files []*zip.File) string {
	var b strings.Builder
	for i, f := range files {
		if i > 0 {
			b.WriteString(", ")
		}
		if i == 8 {
			b.WriteString("…")
			break
		}
		fmt.Fprintf(&b, "%.80q", f.Name)
	}
	return b.String()
}
