package parquetguard

import (
	"encoding/binary"
	"fmt"
	"io"
	"math/bits"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"
)

// plainDictionary is PLAIN_DICTIONARY, deprecated in the format for RLE_DICTIONARY, and what many writers still name.
const plainDictionary format.Encoding = 2

// tooMany is the error for levels or values that are more than the page's header says.
func tooMany(n uint64, want int) error {
	return fmt.Errorf("%d of them, and the header of the page says %d", n, want)
}

// padded is up to how many values an encoding may hold for so many: runs of packed bits are filled up, by some writers to
// whole blocks.
func padded(values int) uint64 { return uint64(values) + 1024 }

// checkRuns looks at bytes of the encoding RLE, which mixes runs of one value with packed bits: a run of 2³¹ values takes
// six bytes.
func checkRuns(b []byte, width uint, values int) error {
	total := uint64(0)
	for len(b) > 0 {
		head, n := binary.Uvarint(b)
		if n <= 0 {
			return fmt.Errorf("the header of a run: %w", io.ErrUnexpectedEOF)
		}
		b = b[n:]
		count, bytes := head>>1, uint64(width+7)/8
		if head&1 != 0 {
			if count > padded(values)/8 {
				return tooMany(8*count, values)
			}
			bytes = count * uint64(width) // 8 values of so many bits
			count *= 8
		}
		if total += min(count, padded(values)+1); total > padded(values) {
			return tooMany(total, values)
		}
		if bytes > uint64(len(b)) {
			return fmt.Errorf("a run of %d: %w", count, io.ErrUnexpectedEOF)
		}
		b = b[bytes:]
	}
	return nil
}

// checkLevels looks at the levels of a page, of which most is the largest.
func checkLevels(encoding format.Encoding, b []byte, most, values int) error {
	if encoding != format.RLE {
		return fmt.Errorf("the encoding %v is not supported", encoding)
	}
	return checkRuns(b, uint(bits.Len(uint(most))), values)
}

// prefixed cuts off the bytes whose length the first four say.
func prefixed(b []byte) (part, rest []byte, err error) {
	if len(b) < 4 || uint64(binary.LittleEndian.Uint32(b)) > uint64(len(b)-4) {
		return nil, nil, io.ErrUnexpectedEOF
	}
	n := 4 + int(binary.LittleEndian.Uint32(b))
	return b[4:n], b[n:], nil
}

// checkValues looks at the encoded values of a page, which may be decoded to so many bytes.
func checkValues(encoding format.Encoding, kind parquet.Kind, b []byte, values int, limit int64) error {
	switch encoding {
	case format.Plain, format.ByteStreamSplit: // decoded they are as long
		return nil
	case plainDictionary, format.RLEDictionary:
		switch {
		case len(b) == 0: // all are null
			return nil
		case b[0] > 32:
			return fmt.Errorf("indexes of %d bits", b[0])
		}
		return checkRuns(b[1:], uint(b[0]), values)
	case format.RLE:
		if kind == parquet.Boolean {
			part, _, err := prefixed(b)
			if err == nil {
				err = checkRuns(part, 1, values)
			}
			return err
		}
	case format.DeltaBinaryPacked, format.DeltaLengthByteArray:
		_, n, err := deltaHeader(b)
		if err == nil && n > uint64(values) {
			err = tooMany(n, values)
		}
		return err
	case format.DeltaByteArray:
		// A text is the beginning of the one before and what follows it, so n bytes can stand for n² of texts.
		beginnings, b, err := deltaSum(b, values)
		if err != nil {
			return err
		}
		ends, _, err := deltaSum(b, values)
		if err == nil && beginnings+ends > limit {
			err = fmt.Errorf("texts of %d bytes together, and a page of this size may have %d", beginnings+ends, limit)
		}
		return err
	}
	return fmt.Errorf("the encoding %v is not supported for the type %v", encoding, kind)
}

// deltaBlock is how the numbers of DELTA_BINARY_PACKED lie.
type deltaBlock struct {
	miniBlocks int // of a block
	values     int // of a miniblock
	first      int64
	rest       []byte // behind the header
}

// deltaHeader returns the header of numbers that are encoded as DELTA_BINARY_PACKED, and how many they are.
func deltaHeader(b []byte) (d deltaBlock, values uint64, err error) {
	var numbers [3]uint64 // values of a block, miniblocks of a block, values
	for i := range numbers {
		n := 0
		if numbers[i], n = binary.Uvarint(b); n <= 0 {
			return d, 0, fmt.Errorf("the header of differences: %w", io.ErrUnexpectedEOF)
		}
		b = b[n:]
	}
	first, n := binary.Varint(b)
	if n <= 0 {
		return d, 0, fmt.Errorf("the header of differences: %w", io.ErrUnexpectedEOF)
	}
	block, mini := numbers[0], numbers[1]
	if block == 0 || block > 1<<16 || block%128 != 0 || mini == 0 || mini > block/32 || block/mini%32 != 0 {
		return d, 0, fmt.Errorf("differences in blocks of %d in %d parts", block, mini)
	}
	return deltaBlock{miniBlocks: int(mini), values: int(block / mini), first: first, rest: b[n:]}, numbers[2], nil
}

// deltaSum decodes lengths, none of which may be negative, and returns their sum and the bytes behind them.
func deltaSum(b []byte, values int) (sum int64, rest []byte, err error) {
	d, n, err := deltaHeader(b)
	if err != nil {
		return 0, nil, err
	}
	if n > uint64(values) {
		return 0, nil, tooMany(n, values)
	}
	if n == 0 {
		return 0, d.rest, nil
	}
	length := int32(d.first) // later ones wrap around as int32 too
	if length < 0 || int64(length) != d.first {
		return 0, nil, fmt.Errorf("a length of %d", d.first)
	}
	sum, b = int64(length), d.rest
	for left := int(n) - 1; left > 0; {
		smallest, k := binary.Varint(b)
		if k <= 0 || len(b)-k < d.miniBlocks {
			return 0, nil, io.ErrUnexpectedEOF
		}
		widths := b[k : k+d.miniBlocks]
		b = b[k+d.miniBlocks:]
		for _, w := range widths {
			if left == 0 {
				break // the parts behind the last value are not stored
			}
			size := d.values / 8 * int(w)
			if w > 32 || size > len(b) {
				return 0, nil, fmt.Errorf("%d differences of %d bits: %w", d.values, w, io.ErrUnexpectedEOF)
			}
			count := min(left, d.values)
			for i := range count {
				if length += int32(smallest) + int32(bitsAt(b[:size], i*int(w), int(w))); length < 0 {
					return 0, nil, fmt.Errorf("a length of %d", length)
				}
				sum += int64(length)
			}
			left -= count
			b = b[size:]
		}
	}
	return sum, b, nil
}

// bitsAt returns n bits, at most 32, from bit at on.
func bitsAt(b []byte, at, n int) uint32 {
	var v uint64
	for i, c := range b[at/8 : min(at/8+5, len(b))] {
		v |= uint64(c) << (8 * i)
	}
	return uint32(v >> (at % 8) & (1<<n - 1))
}
