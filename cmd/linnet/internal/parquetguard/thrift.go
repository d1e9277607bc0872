package parquetguard

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// errThrift is the error for bytes that are not Thrift in its compact form.
var errThrift = errors.New("not Thrift's compact protocol")

// structure walks the Thrift struct (compact protocol) at the start of b without keeping anything of it. It returns how
// many bytes it has, and how many structs are in its lists, or io.ErrUnexpectedEOF if b ends before it. Each element of
// a list has at least a byte, so what a list claims is bounded by what there is of it.
func structure(b []byte) (length, members int, err error) {
	w := walker{b: b}
	if err := w.fields(0); err != nil {
		return 0, 0, err
	}
	return w.at, w.members, nil
}

// The types of the compact protocol.
const (
	stop = iota
	boolTrue
	boolFalse
	int8Type
	int16Type
	int32Type
	int64Type
	doubleType
	binaryType
	listType
	setType
	mapType
	structType
	uuidType
)

type walker struct {
	b       []byte
	at      int
	members int
}

func (w *walker) skip(n uint64) error {
	if n > uint64(len(w.b)-w.at) {
		return io.ErrUnexpectedEOF
	}
	w.at += int(n)
	return nil
}

func (w *walker) byte() (byte, error) {
	if w.at == len(w.b) {
		return 0, io.ErrUnexpectedEOF
	}
	w.at++
	return w.b[w.at-1], nil
}

func (w *walker) uvarint() (uint64, error) {
	v, n := binary.Uvarint(w.b[w.at:])
	switch {
	case n == 0:
		return 0, io.ErrUnexpectedEOF
	case n < 0:
		return 0, fmt.Errorf("%w: a number of more than 64 bits", errThrift)
	}
	w.at += n
	return v, nil
}

// fields walks over the fields of a struct.
func (w *walker) fields(depth int) error {
	for {
		head, err := w.byte()
		if err != nil {
			return err
		}
		if head == stop {
			return nil
		}
		if head>>4 == 0 { // else its upper half is the step from the field before
			if _, err := w.uvarint(); err != nil {
				return err
			}
		}
		if kind := head & 15; kind == boolTrue || kind == boolFalse {
			continue // the type is the value
		} else if err := w.value(kind, depth+1); err != nil {
			return err
		}
	}
}

// value walks over a value; a bool is one in a list, which has a byte.
func (w *walker) value(kind byte, depth int) error {
	if depth > mostDepth {
		return fmt.Errorf("%w: nested more than %d deep", errThrift, mostDepth)
	}
	switch kind {
	case boolTrue, boolFalse, int8Type:
		return w.skip(1)
	case int16Type, int32Type, int64Type:
		_, err := w.uvarint()
		return err
	case doubleType:
		return w.skip(8)
	case uuidType:
		return w.skip(16)
	case binaryType:
		n, err := w.uvarint()
		if err != nil {
			return err
		}
		return w.skip(n)
	case listType, setType:
		return w.list(depth)
	case mapType:
		return w.pairs(depth)
	case structType:
		return w.fields(depth)
	}
	return fmt.Errorf("%w: a value of type %d", errThrift, kind)
}

func (w *walker) list(depth int) error {
	head, err := w.byte()
	if err != nil {
		return err
	}
	n := uint64(head >> 4)
	if n == 15 {
		if n, err = w.uvarint(); err != nil {
			return err
		}
	}
	if n > uint64(len(w.b)-w.at) {
		return io.ErrUnexpectedEOF
	}
	if head&15 == structType {
		w.members += int(n)
	}
	for range n {
		if err := w.value(head&15, depth+1); err != nil {
			return err
		}
	}
	return nil
}

func (w *walker) pairs(depth int) error {
	n, err := w.uvarint()
	if err != nil || n == 0 {
		return err
	}
	kinds, err := w.byte()
	if err != nil {
		return err
	}
	if n > uint64(len(w.b)-w.at) {
		return io.ErrUnexpectedEOF
	}
	w.members += int(n)
	for range n {
		if err := w.value(kinds>>4, depth+1); err != nil {
			return err
		}
		if err := w.value(kinds&15, depth+1); err != nil {
			return err
		}
	}
	return nil
}
