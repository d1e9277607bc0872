// Package wire walks over the fields of a message in the protocol buffer wire format. It knows no schema: its caller
// looks at the numbers of the fields and descends into the messages it wants, so that depth and memory are the
// caller's choice and never the data's.
package wire

import (
	"fmt"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// Field is one field of a message: a number or a run of bytes.
type Field struct {
	Number int
	kind   protowire.Type
	number uint64
	bytes  []byte
}

// Walk calls visit for each field of message in its order. Its errors, and those of visit, say at which byte of message
// the field begins. Groups, which nothing of ours uses, are passed over.
func Walk(message []byte, visit func(f Field) error) error {
	for at := 0; at < len(message); {
		number, kind, n := protowire.ConsumeTag(message[at:])
		if n < 0 {
			return fmt.Errorf("byte %d: %w", at, parseError(n))
		}
		f, rest := Field{Number: int(number), kind: kind}, message[at+n:]
		var m int
		switch kind {
		case protowire.VarintType:
			f.number, m = protowire.ConsumeVarint(rest)
		case protowire.Fixed32Type:
			var v uint32
			v, m = protowire.ConsumeFixed32(rest)
			f.number = uint64(v)
		case protowire.Fixed64Type:
			f.number, m = protowire.ConsumeFixed64(rest)
		case protowire.BytesType:
			f.bytes, m = protowire.ConsumeBytes(rest)
		default:
			m = protowire.ConsumeFieldValue(number, kind, rest)
		}
		if m < 0 {
			return fmt.Errorf("byte %d: field %d: %w", at, number, parseError(m))
		}
		if kind != protowire.StartGroupType {
			if err := visit(f); err != nil {
				return fmt.Errorf("byte %d: field %d: %w", at, number, err)
			}
		}
		at += n + m
	}
	return nil
}

func parseError(n int) error {
	return fmt.Errorf("not a protocol buffer: %w", protowire.ParseError(n))
}

// Bytes is the value of a string, bytes or message field. It shares the message's memory.
func (f Field) Bytes() ([]byte, error) {
	if f.kind != protowire.BytesType {
		return nil, f.mismatch("bytes")
	}
	return f.bytes, nil
}

// Walk is [Walk] over the message that the field holds.
func (f Field) Walk(visit func(f Field) error) error {
	b, err := f.Bytes()
	if err != nil {
		return err
	}
	return Walk(b, visit)
}

// Int64 is the value of an int64, int32 (unless it is negative, the same), bool or enum field.
func (f Field) Int64() (int64, error) {
	if f.kind != protowire.VarintType {
		return 0, f.mismatch("a varint")
	}
	return int64(f.number), nil
}

// Int is [Field.Int64] for numbers from 0 to the largest int32.
func (f Field) Int() (int, error) {
	v, err := f.Int64()
	if err == nil && (v < 0 || v > math.MaxInt32) {
		err = fmt.Errorf("%d is not between 0 and %d", v, math.MaxInt32)
	}
	return int(v), err
}

// Fixed32 is the value of a fixed32 or float field.
func (f Field) Fixed32() (uint32, error) {
	if f.kind != protowire.Fixed32Type {
		return 0, f.mismatch("four bytes")
	}
	return uint32(f.number), nil
}

// Int64s appends to dst the values of a repeated int64, int32 or enum field, whether they are packed or not.
func (f Field) Int64s(dst []int64) ([]int64, error) {
	if f.kind != protowire.BytesType {
		v, err := f.Int64()
		return append(dst, v), err
	}
	for at := 0; at < len(f.bytes); {
		v, n := protowire.ConsumeVarint(f.bytes[at:])
		if n < 0 {
			return dst, fmt.Errorf("packed byte %d: %w", at, parseError(n))
		}
		dst = append(dst, int64(v))
		at += n
	}
	return dst, nil
}

func (f Field) mismatch(want string) error {
	return fmt.Errorf("wire type %d where %s should be", f.kind, want)
}
