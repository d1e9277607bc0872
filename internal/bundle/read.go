package bundle

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"slices"

	"github.com/linnet-ml/linnet/internal/budget"
	"github.com/linnet-ml/linnet/internal/plainfile"
)

// chunkBytes are read, summed and decoded at a time: little enough to stay in a core's cache between the three.
const chunkBytes = 1 << 18

// ReadFloat32 writes the elements of a float32 tensor to dst, which must have t.Elements() of them, row-major. After
// an error, a wrong checksum or a context that is done among them, dst holds nothing of use.
func (b *Bundle) ReadFloat32(ctx context.Context, t *Tensor, dst []float32) error {
	if t.DType != Float32 {
		return fmt.Errorf("bundle: %s: tensor %.80q holds %v, not float32", b.prefix, t.Key, t.DType)
	}
	if int64(len(dst)) != t.elements {
		return fmt.Errorf("bundle: %s: tensor %.80q of shape %v does not fit a slice of %d", b.prefix, t.Key, t.Shape, len(dst))
	}
	if len(t.slices) == 0 {
		return b.readFloat32(ctx, t, dst)
	}
	parts, err := b.partsOf(t)
	if err != nil {
		return fmt.Errorf("bundle: %s.index: tensor %.80q: %w", b.prefix, t.Key, err)
	}
	for _, p := range parts {
		if err := b.readFloat32(ctx, p, dst[:p.elements]); err != nil {
			return err
		}
		dst = dst[p.elements:]
	}
	return nil
}

func (b *Bundle) readFloat32(ctx context.Context, t *Tensor, dst []float32) error {
	return b.read(ctx, t, func(chunk []byte) error {
		n := len(chunk) / 4
		decodeFloat32(dst[:n], chunk)
		dst = dst[n:]
		return nil
	})
}

// decodeFloat32 decodes little-endian values, eight at a time: that is as fast as copying, and twice as fast as one at
// a time.
func decodeFloat32(dst []float32, b []byte) {
	for ; len(dst) >= 8; dst, b = dst[8:], b[32:] {
		b, v := (*[32]byte)(b), (*[8]float32)(dst)
		v[0] = math.Float32frombits(binary.LittleEndian.Uint32(b[0:]))
		v[1] = math.Float32frombits(binary.LittleEndian.Uint32(b[4:]))
		v[2] = math.Float32frombits(binary.LittleEndian.Uint32(b[8:]))
		v[3] = math.Float32frombits(binary.LittleEndian.Uint32(b[12:]))
		v[4] = math.Float32frombits(binary.LittleEndian.Uint32(b[16:]))
		v[5] = math.Float32frombits(binary.LittleEndian.Uint32(b[20:]))
		v[6] = math.Float32frombits(binary.LittleEndian.Uint32(b[24:]))
		v[7] = math.Float32frombits(binary.LittleEndian.Uint32(b[28:]))
	}
	for i := range dst {
		dst[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
	}
}

// partsOf returns the entries of the parts of t in the order of their rows, which they must cover without gap.
func (b *Bundle) partsOf(t *Tensor) ([]*Tensor, error) {
	type part struct {
		first int64
		*Tensor
	}
	var parts []part
	rowElements := int64(1)
	for _, d := range t.Shape[min(1, len(t.Shape)):] {
		rowElements *= d
	}
	for _, s := range t.slices {
		first, rows, err := s.rows(t.Shape)
		if err != nil {
			return nil, err
		}
		i, ok := b.at[s.key(t.Key)]
		if !ok {
			return nil, fmt.Errorf("the part %v is missing", s)
		}
		p := &b.parts[i-len(b.tensors)]
		if p.DType != t.DType || p.elements != rows*rowElements || len(p.slices) > 0 {
			return nil, fmt.Errorf("part %v has shape %v and type %v", s, p.Shape, p.DType)
		}
		parts = append(parts, part{first, p})
	}
	slices.SortStableFunc(parts, func(a, b part) int {
		if a.first != b.first {
			return int(max(-1, min(1, a.first-b.first)))
		}
		return int(max(-1, min(1, a.elements-b.elements))) // an empty part comes before the one that begins there
	})
	var sorted []*Tensor
	var next int64
	for _, p := range parts {
		if p.first*rowElements != next {
			return nil, fmt.Errorf("a part begins at row %d where element %d should be next", p.first, next)
		}
		next += p.elements
		sorted = append(sorted, p.Tensor)
	}
	if next != t.elements {
		return nil, fmt.Errorf("the parts hold %d of %d elements", next, t.elements)
	}
	return sorted, nil
}

// ReadBytes returns the elements of a tensor as they are stored, row-major and little-endian. The tensor must not be
// of strings nor stored in parts.
func (b *Bundle) ReadBytes(ctx context.Context, t *Tensor) ([]byte, error) {
	if t.DType.Size() == 0 || len(t.slices) > 0 {
		return nil, fmt.Errorf("bundle: %s: tensor %.80q of type %v in %d parts cannot be read as bytes", b.prefix, t.Key, t.DType, t.Parts())
	}
	return b.readAll(ctx, t)
}

// readAll reads all that is stored of a tensor. Memory is taken as it is filled, and none for a tensor that does not fit it.
func (b *Bundle) readAll(ctx context.Context, t *Tensor) ([]byte, error) {
	if err := b.fits(t); err != nil {
		return nil, err
	}
	var all bytes.Buffer
	err := b.read(ctx, t, func(chunk []byte) error {
		all.Write(chunk)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return all.Bytes(), nil
}

// ReadStrings returns the elements of a tensor of strings.
func (b *Bundle) ReadStrings(ctx context.Context, t *Tensor) ([][]byte, error) {
	if t.DType != String || len(t.slices) > 0 {
		return nil, fmt.Errorf("bundle: %s: tensor %.80q of type %v in %d parts cannot be read as strings", b.prefix, t.Key, t.DType, t.Parts())
	}
	fail := func(err error) ([][]byte, error) {
		return nil, fmt.Errorf("bundle: %s: tensor %.80q: %w", b.shardPath(t.shard), t.Key, err)
	}
	stored, err := b.readStored(ctx, t)
	if err != nil {
		return nil, err
	}
	// The lengths, the masked CRC32C of the lengths, the strings. The sums run over the lengths not as they are stored but
	// as numbers of four bytes, or of eight where four are too few.
	if t.elements > int64(len(stored)) {
		return fail(fmt.Errorf("%d strings do not fit %d bytes", t.elements, len(stored)))
	}
	lengths := make([]uint64, t.elements)
	var sum uint32
	rest := stored
	for i := range lengths {
		v, n := binary.Uvarint(rest)
		if n <= 0 {
			return fail(fmt.Errorf("string %d has no length", i))
		}
		lengths[i], rest = v, rest[n:]
		if v <= math.MaxUint32 {
			sum = crc32.Update(sum, castagnoli(), binary.LittleEndian.AppendUint32(nil, uint32(v)))
		} else {
			sum = crc32.Update(sum, castagnoli(), binary.LittleEndian.AppendUint64(nil, v))
		}
	}
	if len(rest) < 4 {
		return fail(errors.New("no checksum of the lengths"))
	}
	if s := binary.LittleEndian.Uint32(rest); s != mask(sum) {
		return fail(fmt.Errorf("CRC32C of the lengths is %#08x, but %#08x is stored", mask(sum), s))
	}
	sum = crc32.Update(sum, castagnoli(), rest)
	if mask(sum) != t.crc {
		return fail(fmt.Errorf("CRC32C is %#08x, but %#08x is stored", mask(sum), t.crc))
	}
	rest = rest[4:]
	values := make([][]byte, len(lengths))
	for i, n := range lengths {
		if n > uint64(len(rest)) {
			return fail(fmt.Errorf("string %d of %d bytes does not fit the %d bytes that are left", i, n, len(rest)))
		}
		values[i], rest = rest[:n:n], rest[n:]
	}
	if len(rest) > 0 {
		return fail(fmt.Errorf("%d bytes behind the last string", len(rest)))
	}
	return values, nil
}

// fits refuses a tensor that is larger than the memory, as one in a file with holes may be.
func (b *Bundle) fits(t *Tensor) error {
	return budget.CheckBytes(fmt.Sprintf("bundle: %s: tensor %.80q", b.prefix, t.Key), uint64(t.size))
}

// readStored reads what is stored of a tensor without verifying its checksum.
func (b *Bundle) readStored(ctx context.Context, t *Tensor) ([]byte, error) {
	if err := b.fits(t); err != nil {
		return nil, err
	}
	var all bytes.Buffer
	err := b.scan(ctx, t, func(chunk []byte) error {
		all.Write(chunk)
		return nil
	})
	return all.Bytes(), err
}

// read hands what is stored of a tensor to visit, chunk by chunk, each but the last of a length that four divides, and
// verifies the checksum at the end.
func (b *Bundle) read(ctx context.Context, t *Tensor, visit func(chunk []byte) error) error {
	var sum uint32
	err := b.scan(ctx, t, func(chunk []byte) error {
		sum = crc32.Update(sum, castagnoli(), chunk)
		return visit(chunk)
	})
	if err == nil && mask(sum) != t.crc {
		err = fmt.Errorf("bundle: %s: tensor %.80q, bytes %d to %d: CRC32C is %#08x, but %#08x is stored",
			b.shardPath(t.shard), t.Key, t.offset, t.offset+t.size, mask(sum), t.crc)
	}
	return err
}

func (b *Bundle) scan(ctx context.Context, t *Tensor, visit func(chunk []byte) error) error {
	path := b.shardPath(t.shard)
	f, _, err := plainfile.OS(path)
	if err != nil {
		return fmt.Errorf("bundle: tensor %.80q: %w", t.Key, err)
	}
	defer f.Close()
	chunk := make([]byte, min(chunkBytes, t.size))
	for at := int64(0); at < t.size; at += int64(len(chunk)) {
		chunk = chunk[:min(int64(len(chunk)), t.size-at)]
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("bundle: %s: tensor %.80q: %w", b.prefix, t.Key, err)
		}
		if n, err := f.ReadAt(chunk, t.offset+at); n < len(chunk) {
			if err == io.EOF {
				err = errTruncated
			}
			return fmt.Errorf("bundle: %s: tensor %.80q, byte %d: %w", path, t.Key, t.offset+at+int64(n), err)
		}
		if err := visit(chunk); err != nil {
			return err
		}
	}
	return nil
}
