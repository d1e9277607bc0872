package npz

import (
	"archive/zip"
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/klauspost/compress/flate"

	"github.com/linnet-ml/linnet/internal/budget"
	"github.com/linnet-ml/linnet/internal/ratio"
	"github.com/linnet-ml/linnet/internal/shown"
)

// Archive is an open .npz file: a zip archive of .npy members.
type Archive struct {
	members map[string]*zip.File
}

// NewArchive reads the directory of the archive in the first size bytes of r. It fails when the directory is missing
// (as in a file that was cut off), when members overlap or share a name, and when they claim to unpack to more than the
// limit allows for the archive's size. (The reviews unpack to less than twice their size; labels that are all alike, to
// hundreds of times theirs, but they are small.)
func NewArchive(r io.ReaderAt, size int64, limit ratio.Limit) (*Archive, error) {
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
	most := uint64(limit.Bytes(size))
	a := &Archive{members: make(map[string]*zip.File, len(z.File))}
	for _, f := range z.File {
		if a.members[f.Name] != nil {
			return nil, fmt.Errorf("npz: two members are named %q", f.Name)
		}
		a.members[f.Name] = f
		start, err := f.DataOffset()
		if err != nil {
			return nil, fmt.Errorf("npz: %s: header of the member: %w", shown.Name(f.Name), err)
		}
		if start < 0 || !budget.Within(uint64(start), f.CompressedSize64, uint64(size)) {
			return nil, fmt.Errorf("npz: %s: %d bytes from offset %d lie past the end of the archive (%d bytes)", shown.Name(f.Name), f.CompressedSize64, start, size)
		}
		spans = append(spans, span{start, start + int64(f.CompressedSize64), f.Name})
		if !budget.Within(total, f.UncompressedSize64, most) {
			return nil, fmt.Errorf("npz: up to %s: %w", shown.Name(f.Name), limit.Exceeded(size))
		}
		total += f.UncompressedSize64
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
func readMember[T any](a *Archive, name string, read func(*source, int64) (T, error)) (T, error) {
	var none T
	f := a.members[name+".npy"]
	if f == nil {
		return none, fmt.Errorf("npz: the archive has no member %s.npy", name)
	}
	if f.Flags&1 != 0 {
		return none, fmt.Errorf("npz: %s: the member is encrypted", shown.Name(f.Name))
	}
	r, err := f.Open()
	if err != nil {
		return none, fmt.Errorf("npz: %s: %w", shown.Name(f.Name), err)
	}
	defer r.Close()
	s := newSource(r)
	s.packed = int64(f.CompressedSize64)
	v, err := read(s, int64(f.UncompressedSize64)) // NewArchive has bounded both
	if err != nil {
		return none, fmt.Errorf("npz: %s: %w", shown.Name(f.Name), err)
	}
	return v, nil
}
