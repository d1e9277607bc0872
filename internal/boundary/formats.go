package boundary

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"iter"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"
)

// Protobuf yields the message with one of its whole numbers, at any depth, replaced by each of [Numbers]. A run of bytes that can
// be read as a message is taken for one. Of all these it yields each k-th, as [Every] does, and takes time for no others: a
// graph of TensorFlow has thousands of numbers. The slice is a new one each time.
func Protobuf(message []byte, k int) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		n := 0
		wanted := func() bool {
			n++
			return n%k == 0
		}
		protobuf(message, 0, wanted, yield)
	}
}

// maxDepth bounds the messages that are looked into: text can be read as a message by chance.
const maxDepth = 12

func protobuf(message []byte, depth int, wanted func() bool, yield func([]byte) bool) bool {
	for at := 0; at < len(message); {
		number, kind, n := protowire.ConsumeTag(message[at:])
		if n < 0 {
			return true
		}
		begin := at
		at += n
		if n = protowire.ConsumeFieldValue(number, kind, message[at:]); n < 0 {
			return true
		}
		value := message[at : at+n]
		at += n
		around := func(field []byte) bool { return yield(slices.Concat(message[:begin], field, message[at:])) }
		switch kind {
		case protowire.VarintType:
			for _, v := range Numbers() {
				if wanted() && !around(protowire.AppendVarint(protowire.AppendTag(nil, number, kind), v)) {
					return false
				}
			}
		case protowire.BytesType:
			inner, _ := protowire.ConsumeBytes(value)
			if depth == maxDepth || !isMessage(inner) {
				continue
			}
			more := protobuf(inner, depth+1, wanted, func(b []byte) bool {
				return around(protowire.AppendBytes(protowire.AppendTag(nil, number, kind), b))
			})
			if !more {
				return false
			}
		}
	}
	return true
}

func isMessage(b []byte) bool {
	for len(b) > 0 {
		_, _, n := protowire.ConsumeField(b)
		if n < 0 {
			return false
		}
		b = b[n:]
	}
	return true
}

// Tar yields the tar archive with the size of its first entry replaced by each of [Numbers], and the header's checksum made
// right. The slice is a new one each time.
func Tar(archive []byte) iter.Seq[[]byte] {
	const block, size, checksum = 512, 124, 148
	return func(yield func([]byte) bool) {
		if len(archive) < block {
			return
		}
		for _, n := range Numbers() {
			changed := slices.Clone(archive)
			field := changed[size : size+12]
			clear(field)
			field[0] = 0x80 // a binary number follows, the highest byte first
			binary.BigEndian.PutUint64(field[4:], n)
			copy(changed[checksum:], bytes.Repeat([]byte{' '}, 8))
			sum := 0
			for _, c := range changed[:block] {
				sum += int(c)
			}
			copy(changed[checksum:], fmt.Sprintf("%06o\x00 ", sum))
			if !yield(changed) {
				return
			}
		}
	}
}

// Zip yields the zip archive, which has no comment, with one of the sizes, lengths, counts and places of its first member and its
// end replaced by each of [Numbers] that fits. The slice is a new one each time.
func Zip(archive []byte) iter.Seq[[]byte] {
	records := []struct {
		signature   string
		short, long []int // the numbers of 2 and 4 bytes
	}{
		{"PK\x01\x02", []int{28, 30, 32}, []int{20, 24, 42}},
		{"PK\x03\x04", []int{26, 28}, []int{18, 22}},
		{"PK\x05\x06", []int{8, 10, 20}, []int{12, 16}},
	}
	return func(yield func([]byte) bool) {
		for _, r := range records {
			at := bytes.Index(archive, []byte(r.signature))
			if at < 0 {
				continue
			}
			for i, place := range slices.Concat(r.short, r.long) {
				width := 2
				if i >= len(r.short) {
					width = 4
				}
				for changed := range Words(archive, width, at+place) {
					if !yield(changed) {
						return
					}
				}
			}
		}
	}
}

// Zstd yields frames of Zstandard that hold the content, up to 128 KiB, and whose headers say that it has as many bytes as each of
// [Numbers] says; and each of them after a frame to be skipped whose size is such a number, as far as it fits.
func Zstd(content []byte) iter.Seq[[]byte] {
	const (
		magic     = 0xfd2fb528
		skipped   = 0x184d2a50
		sizeOf8   = 0xc0 // a size of 8 bytes follows the window
		window1MB = 10 << 3
		lastRaw   = 1 // the last block, as it is
	)
	return func(yield func([]byte) bool) {
		for _, n := range Numbers() {
			frame := binary.LittleEndian.AppendUint32(nil, magic)
			frame = append(frame, sizeOf8, window1MB)
			frame = binary.LittleEndian.AppendUint64(frame, n)
			block := uint32(len(content))<<3 | lastRaw
			frame = append(frame, byte(block), byte(block>>8), byte(block>>16))
			frame = append(frame, content...)
			if !yield(frame) {
				return
			}
			if n>>32 == 0 {
				before := binary.LittleEndian.AppendUint32(nil, skipped)
				before = binary.LittleEndian.AppendUint32(before, uint32(n))
				if !yield(append(before, frame...)) {
					return
				}
			}
		}
	}
}
