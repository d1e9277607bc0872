package bundle

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"

	"github.com/klauspost/compress/snappy"

	"github.com/linnet-ml/linnet/internal/budget"
)

// The sorted string table, format of LevelDB: data blocks, a meta index block that TensorFlow leaves empty, an index
// block whose values are the places of the data blocks, and a footer with the places of the two index blocks.
const (
	footerBytes  = 48
	trailerBytes = 5 // behind each block: how it is compressed, and its masked CRC32C
	tableMagic   = 0xdb4775248b80fb57

	uncompressed = 0
	snappied     = 1

	// A Snappy copy of at most 64 bytes takes at least 2 bytes (3 with a useful offset), so that no honest block
	// unpacks to more than this many times its size.
	maxSnappyRatio = 32

	// Keys are stored without what they share with the key before, so that a small block can name many long keys. TensorFlow
	// writes each sixteenth key in full; an index whose keys are together this many times its size is not TensorFlow's.
	maxKeyRatio = 64
)

var errTruncated = errors.New("the file ends too early")

// table reads the blocks of a file.
type table struct {
	r    io.ReaderAt
	size int64 // of the file

	keyBytes int64 // of all keys so far
}

// handle is the place of a block in the file.
type handle struct{ offset, size int64 }

// end is where the block's trailer ends. Only of a block that is in the file may it be asked: other sums overflow.
func (h handle) end() int64 { return h.offset + h.size + trailerBytes }

// in reports whether the block and its trailer lie before the footer of a table of so many bytes.
func (h handle) in(table int64) bool {
	return budget.Within(h.offset, h.size, table-footerBytes-trailerBytes)
}

// decodeHandle reads a handle from the front of b and returns the number of bytes that it took.
func decodeHandle(b []byte) (handle, int, error) {
	offset, n := binary.Uvarint(b)
	if n <= 0 {
		return handle{}, 0, errors.New("no block handle")
	}
	size, m := binary.Uvarint(b[n:])
	if m <= 0 {
		return handle{}, 0, errors.New("no block handle")
	}
	if offset > math.MaxInt64 || size > math.MaxInt64 {
		return handle{}, 0, fmt.Errorf("block at byte %d with %d bytes is past the end of the file", offset, size)
	}
	return handle{int64(offset), int64(size)}, n + m, nil
}

// walk calls visit for each key and value of the table in their order, which it verifies. Both slices are only
// valid during the call.
func (t *table) walk(visit func(key, value []byte) error) error {
	if t.size < footerBytes {
		return fmt.Errorf("%d bytes are too few for a table: its footer alone has %d", t.size, footerBytes)
	}
	var footer [footerBytes]byte
	if err := t.readAt(footer[:], t.size-footerBytes); err != nil {
		return err
	}
	if magic := binary.LittleEndian.Uint64(footer[footerBytes-8:]); magic != tableMagic {
		return fmt.Errorf("byte %d: not a table of contents: the magic number is %#x, not %#x", t.size-8, magic, uint64(tableMagic))
	}
	_, n, err := decodeHandle(footer[:]) // the meta index
	if err != nil {
		return fmt.Errorf("byte %d: meta index: %w", t.size-footerBytes, err)
	}
	index, _, err := decodeHandle(footer[n:])
	if err != nil {
		return fmt.Errorf("byte %d: index: %w", t.size-footerBytes+int64(n), err)
	}
	block, err := t.block(index)
	if err != nil {
		return err
	}
	var last []byte
	var end int64 // of the data block before, for no block may be listed twice
	first := true
	return t.entries(index, block, func(_, value []byte) error {
		h, _, err := decodeHandle(value)
		if err != nil {
			return err
		}
		if h.offset < end {
			return fmt.Errorf("data block at byte %d begins before byte %d, where the one before it ends", h.offset, end)
		}
		block, err := t.block(h)
		if err != nil {
			return err
		}
		end = h.end()
		return t.entries(h, block, func(key, value []byte) error {
			if !first && string(key) <= string(last) {
				return fmt.Errorf("key %.80q does not come after %.80q", key, last)
			}
			first = false
			last = append(last[:0], key...)
			return visit(key, value)
		})
	})
}

// block reads, verifies and unpacks a block.
func (t *table) block(h handle) ([]byte, error) {
	if !h.in(t.size) {
		return nil, fmt.Errorf("block at byte %d with %d bytes is past the end of the file, which has %d", h.offset, h.size, t.size)
	}
	b := make([]byte, h.size+trailerBytes)
	if err := t.readAt(b, h.offset); err != nil {
		return nil, err
	}
	checked, stored := b[:h.size+1], binary.LittleEndian.Uint32(b[h.size+1:])
	if sum := mask(crc32.Checksum(checked, castagnoli())); sum != stored {
		return nil, fmt.Errorf("block at byte %d: CRC32C is %#08x, but %#08x is stored", h.offset, sum, stored)
	}
	b = b[:h.size:h.size]
	switch kind := checked[h.size]; kind {
	case uncompressed:
		return b, nil
	case snappied:
		n, err := snappy.DecodedLen(b)
		if err != nil {
			return nil, fmt.Errorf("block at byte %d: %w", h.offset, err)
		}
		if int64(n) > maxSnappyRatio*h.size {
			return nil, fmt.Errorf("block at byte %d: %d bytes of Snappy cannot unpack to %d", h.offset, h.size, n)
		}
		unpacked, err := snappy.Decode(nil, b)
		if err != nil {
			return nil, fmt.Errorf("block at byte %d: %w", h.offset, err)
		}
		return unpacked, nil
	default:
		return nil, fmt.Errorf("block at byte %d: compression %d is unknown", h.offset, kind)
	}
}

// entries calls visit for each key and value of an unpacked block. Behind the entries stand the places of those whose
// keys share nothing with the key before, and their number; reading from front to back needs only the number.
func (t *table) entries(h handle, block []byte, visit func(key, value []byte) error) error {
	if len(block) < 4 {
		return fmt.Errorf("block at byte %d: %d bytes are too few", h.offset, len(block))
	}
	restarts := int64(binary.LittleEndian.Uint32(block[len(block)-4:]))
	if restarts > int64(len(block)-4)/4 {
		return fmt.Errorf("block at byte %d: %d restarts do not fit %d bytes", h.offset, restarts, len(block))
	}
	data := block[:int64(len(block))-4-4*restarts]
	var key []byte
	for at := 0; at < len(data); {
		fail := func(err error) error {
			return fmt.Errorf("block at byte %d: entry at its byte %d: %w", h.offset, at, err)
		}
		var lengths [3]uint64 // of what the key shares with the one before, of the rest of the key, of the value
		next := at
		for i := range lengths {
			v, n := binary.Uvarint(data[next:])
			if n <= 0 || v > math.MaxInt32 {
				return fail(errors.New("bad length"))
			}
			lengths[i] = v
			next += n
		}
		shared, unshared, value := lengths[0], lengths[1], lengths[2]
		if shared > uint64(len(key)) {
			return fail(fmt.Errorf("key shares %d bytes with one of %d", shared, len(key)))
		}
		if !budget.Within(unshared, value, uint64(len(data)-next)) {
			return fail(fmt.Errorf("key and value need %d and %d bytes, but %d are left", unshared, value, len(data)-next))
		}
		key = append(key[:shared], data[next:next+int(unshared)]...)
		if t.keyBytes += int64(len(key)); t.keyBytes > maxKeyRatio*t.size {
			return fail(fmt.Errorf("keys have more than %d times the bytes of the file", maxKeyRatio))
		}
		next += int(unshared)
		if err := visit(key, data[next:next+int(value)]); err != nil {
			return fail(err)
		}
		at = next + int(value)
	}
	return nil
}

func (t *table) readAt(b []byte, offset int64) error {
	n, err := t.r.ReadAt(b, offset)
	if n == len(b) {
		return nil
	}
	if err == nil || err == io.EOF {
		err = errTruncated
	}
	return fmt.Errorf("byte %d: %w", offset+int64(n), err)
}
