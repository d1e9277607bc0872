package fetch

import (
	"archive/tar"
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/klauspost/compress/gzip"

	"github.com/linnet-ml/linnet/internal/ratio"
)

// limits bound what an archive may unpack to.
type limits struct {
	bytes int64 // of all files, and of the tar archive
	files int   // and folders
	// packed bounds the bytes by those of the archive.
	packed ratio.Limit
}

// maxName is the length of a path that systems still take, behind the path of a cache.
const maxName = 200

// malformed is an error that lies in the archive, not in reading or writing it.
type malformed struct{ error }

func (m malformed) Unwrap() error { return m.error }

// unpack writes the files of a tar archive that gzip compressed to the folder dir, which must be empty and not known to
// others. The archive must be that of a module: saved_model.pb lies at its top. After an error the folder holds parts of
// it.
func unpack(ctx context.Context, dir string, r io.Reader, l limits) error {
	from := &source{ctx: ctx, r: r}
	u := &unpacker{dir: dir, limits: l, kinds: map[string]bool{}, buf: make([]byte, 128<<10)}
	err := u.run(from)
	if from.err != nil { // what gzip and tar make of it does not matter
		return from.err
	}
	return err
}

type unpacker struct {
	dir string
	limits
	kinds   map[string]bool // the files that were written, and the folders: these are true
	written int64
	buf     []byte
}

func (u *unpacker) run(from io.Reader) error {
	counted := &ratio.Counter{R: from}
	buffered := bufio.NewReaderSize(counted, 256<<10)
	if begin, _ := buffered.Peek(16); len(begin) < 2 || begin[0] != 0x1f || begin[1] != 0x8b {
		return malformed{fmt.Errorf("it is not compressed by gzip: it begins with %q", begin)}
	}
	plain, err := gzip.NewReader(buffered)
	if err != nil {
		return malformed{cut(err)}
	}
	defer plain.Close()
	bounded := &bounded{r: u.packed.Reader(plain, counted.Count), limit: u.bytes}
	archive := tar.NewReader(bounded)
	for n := 1; ; n++ {
		h, err := archive.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return malformed{fmt.Errorf("entry %d: %w", n, cut(err))}
		}
		if n > u.files {
			return malformed{fmt.Errorf("it has more than %d entries", u.files)}
		}
		if err := u.entry(h, archive); err != nil {
			return fmt.Errorf("entry %d, %.80q: %w", n, h.Name, err)
		}
	}
	// gzip's checksum lies behind the end of the tar archive.
	if _, err := io.Copy(io.Discard, bounded); err != nil {
		return malformed{cut(err)}
	}
	if folder, ok := u.kinds["saved_model.pb"]; !ok || folder {
		return malformed{errors.New("there is no file saved_model.pb at its top")}
	}
	return nil
}

// cut names an end in the middle.
func cut(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

func (u *unpacker) entry(h *tar.Header, content io.Reader) error {
	switch h.Typeflag {
	case tar.TypeXGlobalHeader: // a remark about the archive
		return nil
	case tar.TypeReg, tar.TypeDir:
	default:
		return malformed{fmt.Errorf("it is neither a file nor a folder, but of type %q", h.Typeflag)}
	}
	for key := range h.PAXRecords {
		if strings.HasPrefix(key, "GNU.sparse.") {
			return malformed{errors.New("it is a file with holes")}
		}
	}
	name, err := cleanName(h.Name)
	if err != nil {
		return malformed{err}
	}
	if h.Typeflag == tar.TypeDir {
		return u.folder(name)
	}
	if name == "." {
		return malformed{errors.New("it is a file without a name")}
	}
	if err := u.folder(path.Dir(name)); err != nil {
		return err
	}
	if _, ok := u.kinds[name]; ok {
		return malformed{errors.New("there are two of this name")}
	}
	return u.file(name, content)
}

// cleanName returns the name as a path within the folder, "." for the folder itself.
func cleanName(name string) (string, error) {
	if len(name) > maxName {
		return "", fmt.Errorf("the name has more than %d bytes", maxName)
	}
	if strings.ContainsAny(name, "\\\x00") {
		return "", errors.New(`the name has a '\' or a zero byte`)
	}
	if !utf8.ValidString(name) { // some systems could not store it
		return "", errors.New("the name is not UTF-8")
	}
	for part := range strings.SplitSeq(name, "/") {
		if part == ".." {
			return "", errors.New("the name leads out of the archive")
		}
	}
	clean := path.Clean(name)
	if path.IsAbs(name) || !filepath.IsLocal(filepath.FromSlash(clean)) {
		return "", errors.New("the name is not one of a file within the archive")
	}
	return clean, nil
}

// folder makes a folder, and those above it, unless they are there.
func (u *unpacker) folder(name string) error {
	if name == "." {
		return nil
	}
	if folder, ok := u.kinds[name]; ok {
		if !folder {
			return malformed{fmt.Errorf("%.80q is a file and a folder", name)}
		}
		return nil
	}
	if err := u.folder(path.Dir(name)); err != nil {
		return err
	}
	if err := u.note(name, true); err != nil {
		return err
	}
	return twice(os.Mkdir(filepath.Join(u.dir, filepath.FromSlash(name)), 0o777))
}

// note counts a file or folder.
func (u *unpacker) note(name string, folder bool) error {
	if len(u.kinds) == u.files {
		return malformed{fmt.Errorf("with it there are more than %d files and folders", u.files)}
	}
	u.kinds[name] = folder
	return nil
}

// twice finds names that are one name to the system, as some tell no capital letters from small ones.
func twice(err error) error {
	if errors.Is(err, fs.ErrExist) {
		return malformed{fmt.Errorf("there are two of this name: %w", err)}
	}
	return err
}

// file writes a file. The size that the entry claims counts for nothing.
func (u *unpacker) file(name string, content io.Reader) error {
	if err := u.note(name, false); err != nil {
		return err
	}
	out, err := os.OpenFile(filepath.Join(u.dir, filepath.FromSlash(name)), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return twice(err)
	}
	err = u.copy(out, content)
	if err == nil {
		err = out.Sync() // no crash may leave a module with holes under its name
	}
	return errors.Join(err, out.Close())
}

func (u *unpacker) copy(out *os.File, content io.Reader) error {
	for {
		n, err := content.Read(u.buf)
		if u.written += int64(n); u.written > u.bytes {
			return malformed{tooLarge(u.bytes)}
		}
		if _, err := out.Write(u.buf[:n]); err != nil {
			return err
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return malformed{err}
		}
	}
}

func tooLarge(limit int64) error { return fmt.Errorf("it unpacks to more than %d bytes", limit) }

// bounded ends with an error after so many bytes.
type bounded struct {
	r          io.Reader
	limit, all int64
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.all > b.limit {
		return 0, tooLarge(b.limit)
	}
	p = p[:min(int64(len(p)), b.limit-b.all+1)]
	n, err := b.r.Read(p)
	if b.all += int64(n); b.all > b.limit {
		return 0, tooLarge(b.limit)
	}
	return n, err
}

// source reads the archive's file until ctx ends, and remembers what went wrong.
type source struct {
	ctx context.Context
	r   io.Reader
	err error
}

func (s *source) Read(p []byte) (int, error) {
	if s.err = s.ctx.Err(); s.err != nil {
		return 0, s.err
	}
	n, err := s.r.Read(p)
	if err != io.EOF {
		s.err = err
	}
	return n, err
}
