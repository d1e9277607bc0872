package npz

import (
	"archive/zip"
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/klauspost/compress/flate"
)

// An archive may unpack to maxRatio times its size and slack bytes more. The reviews unpack to less than twice their
// size; labels that are all alike, to hundreds of times theirs, but they are small.
const (
	maxRatio = 16
	slack    = 1 << 20
)

// Archive is an open .npz file: a zip archive of .npy members.
type Archive struct {
	members map[string]*zip.File
}

// NewArchive reads the directory of the archive in the first size bytes of r. It fails when the directory is missing
// (as in a file that was cut off), when members overlap or share a name, and when they claim to unpack to more than 16
// times the archive's size.
func NewArchive(r io.ReaderAt, size int64) (*Archive, error) {
	z, err := zip.NewReader(r, size)
	if errors.Is(err, zip.ErrFormat) {
		return nil, fmt.Errorf("npz: no zip archive, or one that was cut off: %w", err)
	}
	// A name such as ../x is no danger here: nothing is written under it.
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) {
		return nil, fmt.Errorf("npz: %w", err)
	}
	z.RegisterDecompressor(zip.Deflate, flate.NewReader)

	type span struct {
		start, end int64
		name       string
	}
	var spans []span
	var total uint64
	limit := maxRatio*uint64(size) + slack
	a := &Archive{members: make(map[string]*zip.File, len(z.File))}
	for _, f := range z.File {
		if a.members[f.Name] != nil {
			return nil, fmt.Errorf("npz: two members are named %q", f.Name)
		}
		a.members[f.Name] = f
		start, err := f.DataOffset()
		if err != nil {
			return nil, fmt.Errorf("npz: %s: header of the member: %w", f.Name, err)
		}
		if f.CompressedSize64 > uint64(size) || start+int64(f.CompressedSize64) > size {
			return nil, fmt.Errorf("npz: %s: %d bytes from offset %d lie past the end of the archive (%d bytes)", f.Name, f.CompressedSize64, start, size)
		}
		spans = append(spans, span{start, start + int64(f.CompressedSize64), f.Name})
		if total += f.UncompressedSize64; total > limit || f.UncompressedSize64 > limit {
			return nil, fmt.Errorf("npz: %s: the members unpack to more than %d bytes, too much for an archive of %d", f.Name, limit, size)
		}
	}
	slices.SortFunc(spans, func(a, b span) int { return cmp.Compare(a.start, b.start) })
	for i := 1; i < len(spans); i++ {
		if spans[i].start < spans[i-1].end || spans[i].start == spans[i-1].start {
			return nil, fmt.Errorf("npz: members %q and %q overlap", spans[i-1].name, spans[i].name)
		}
	}
	return a, nil
}

// Ints reads the one-dimensional integer array name, which is stored as the member name.npy.
func (a *Archive) Ints(name string) ([]int32, error) {
	return readMember(a, name, readInts)
}

// Lists reads the one-dimensional object array name, of lists of integers, which is stored as the member name.npy.
func (a *Archive) Lists(name string) (Lists, error) {
	return readMember(a, name, readLists)
}

// readMember gives an array's unpacked bytes to read. Only when read has seen their end is the checksum verified.
func readMember[T any](a *Archive, name string, read func(io.Reader, int64) (T, error)) (T, error) {
	var none T
	f := a.members[name+".npy"]
	if f == nil {
		return none, fmt.Errorf("npz: the archive has no member %s.npy", name)
	}
	if f.Flags&1 != 0 {
		return none, fmt.Errorf("npz: %s: the member is encrypted", f.Name)
	}
	r, err := f.Open()
	if err != nil {
		return none, fmt.Errorf("npz: %s: %w", f.Name, err)
	}
	defer r.Close()
	v, err := read(r, int64(f.UncompressedSize64))
	if err != nil {
		return none, fmt.Errorf("npz: %s: %w", f.Name, err)
	}
	return v, nil
}
