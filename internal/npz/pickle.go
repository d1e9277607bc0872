package npz

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// The instructions that numpy.save writes for an object array of lists of integers, in protocols 2 (Python 2, the
// official imdb.npz) to 5. The names are those of Python's pickletools.
const (
	opMark            = '('
	opStop            = '.'
	opBinInt          = 'J'
	opBinInt1         = 'K'
	opBinInt2         = 'M'
	opNone            = 'N'
	opReduce          = 'R'
	opBinString       = 'T'
	opShortBinString  = 'U'
	opBinUnicode      = 'X'
	opBinBytes        = 'B'
	opShortBinBytes   = 'C'
	opEmptyList       = ']'
	opAppend          = 'a'
	opBuild           = 'b'
	opGlobal          = 'c'
	opAppends         = 'e'
	opBinGet          = 'h'
	opLongBinGet      = 'j'
	opBinPut          = 'q'
	opLongBinPut      = 'r'
	opTuple           = 't'
	opEmptyTuple      = ')'
	opProto           = 0x80
	opTuple1          = 0x85
	opTuple2          = 0x86
	opTuple3          = 0x87
	opNewTrue         = 0x88
	opNewFalse        = 0x89
	opLong1           = 0x8a
	opShortBinUnicode = 0x8c
	opStackGlobal     = 0x93
	opMemoize         = 0x94
	opFrame           = 0x95
)

// Bounds on what the machine keeps besides the integers themselves. Python puts at most 1,000 items between two
// APPENDS, and NumPy's part of a pickle has some twenty memo entries.
const (
	maxStack  = 4096
	maxMemo   = 256
	maxString = 64
	maxTuple  = 8
	// More than this many integers or lists make their slice grow as they come.
	maxCapacity = 64 << 20
)

// kind says what a value on the machine's stack is.
type kind uint8

const (
	isMark kind = iota
	isNone
	isBool
	isInt
	isText
	isTuple
	isFunction
	isType        // numpy.dtype("O8")
	isEmptyArray  // what _reconstruct returns, before BUILD
	isArray       // the array with its lists
	isList        // of integers: values[start:end]
	isListOfLists // their ends are in offsets
)

func (k kind) String() string {
	return [...]string{"a mark", "None", "a boolean", "an integer", "a string", "a tuple", "a function", "a type",
		"an empty array", "an array", "a list", "a list of lists"}[k]
}

type value struct {
	kind       kind
	text       string  // of isText and isFunction
	number     int64   // of isInt
	items      []value // of isTuple
	start, end int     // of isList
}

// machine runs a pickle. Integers of lists go straight into values; a list on the stack is a range of it.
type machine struct {
	s       *source
	stack   []value
	memo    map[uint32]value
	puts    uint32 // how many memo entries were made: MEMOIZE numbers them
	values  []int32
	offsets []int
	shape   int64 // the number of lists by the array's own state
}

// unpickle runs a pickle of size bytes that must build an array of count lists of integers.
func unpickle(s *source, count, size int64) (Lists, error) {
	m := &machine{
		s:    s,
		memo: make(map[uint32]value),
		// An integer takes at least two bytes of pickle and a list two: of a usual file neither slice ever grows.
		values:  make([]int32, 0, s.expected(size/2)),
		offsets: make([]int, 1, 1+s.expected(min(count, size/2))),
	}
	for {
		at := s.offset()
		b, err := s.take(1)
		if err != nil {
			return Lists{}, err
		}
		op := b[0]
		if op == opStop {
			break
		}
		if err := m.step(op); err != nil {
			return Lists{}, fmt.Errorf("byte %d: %w", at, err)
		}
		if len(m.stack) > maxStack {
			return Lists{}, fmt.Errorf("byte %d: more than %d values wait on the stack", at, maxStack)
		}
	}
	if err := s.end(); err != nil {
		return Lists{}, err
	}
	if len(m.stack) != 1 || m.stack[0].kind != isArray {
		return Lists{}, errors.New("the pickle does not end with an array of lists")
	}
	if m.shape != count || int64(len(m.offsets)-1) != count {
		return Lists{}, fmt.Errorf("the header promises %d lists, the pickle %d, and it has %d", count, m.shape, len(m.offsets)-1)
	}
	if end := m.offsets[len(m.offsets)-1]; end != len(m.values) {
		return Lists{}, errors.New("integers stand outside the array's lists")
	}
	return Lists{Offsets: m.offsets, Values: m.values}, nil
}

// step executes one instruction.
func (m *machine) step(op byte) error {
	switch op {
	case opProto:
		b, err := m.s.take(1)
		if err != nil {
			return err
		}
		if b[0] < 2 || b[0] > 5 {
			return fmt.Errorf("pickle protocol %d is not one from 2 to 5", b[0])
		}
	case opFrame:
		// The length only helps readers that fetch whole frames.
		_, err := m.s.take(8)
		return err
	case opMark:
		m.push(value{kind: isMark})
		if n := len(m.stack); n > 1 && m.stack[n-2].kind == isList {
			return m.integers()
		}
	case opBinInt, opBinInt1, opBinInt2, opLong1:
		v, err := m.integer(op)
		if err != nil {
			return err
		}
		if !m.inList() {
			m.push(value{kind: isInt, number: v})
			return nil
		}
		if err := m.add(v); err != nil {
			return err
		}
		return m.integers()
	case opNone:
		m.push(value{kind: isNone})
	case opNewTrue, opNewFalse:
		m.push(value{kind: isBool})
	case opShortBinString, opShortBinBytes, opShortBinUnicode, opBinString, opBinBytes, opBinUnicode:
		return m.text(op)
	case opEmptyList:
		m.push(value{kind: isList, start: len(m.values), end: len(m.values)})
	case opAppend:
		n := len(m.stack)
		if n < 2 {
			return m.short("APPEND")
		}
		return m.extend(n-2, n-1)
	case opAppends:
		at, err := m.mark("APPENDS")
		if err != nil {
			return err
		}
		if at == 0 {
			return m.short("APPENDS")
		}
		return m.extend(at-1, at+1)
	case opEmptyTuple:
		m.push(value{kind: isTuple})
	case opTuple:
		at, err := m.mark("TUPLE")
		if err != nil {
			return err
		}
		return m.tuple(at, at+1)
	case opTuple1, opTuple2, opTuple3:
		n := len(m.stack) - int(op-opTuple1+1)
		if n < 0 {
			return m.short("TUPLE1, 2 or 3")
		}
		return m.tuple(n, n)
	case opGlobal:
		module, err := m.line()
		if err != nil {
			return err
		}
		name, err := m.line()
		if err != nil {
			return err
		}
		return m.function(module, name)
	case opStackGlobal:
		n := len(m.stack)
		if n < 2 || m.stack[n-1].kind != isText || m.stack[n-2].kind != isText {
			return m.short("STACK_GLOBAL")
		}
		module, name := m.stack[n-2].text, m.stack[n-1].text
		m.stack = m.stack[:n-2]
		return m.function(module, name)
	case opReduce:
		return m.reduce()
	case opBuild:
		return m.build()
	case opMemoize:
		return m.put(m.puts)
	case opBinPut, opLongBinPut, opBinGet, opLongBinGet:
		i, err := m.index(op == opLongBinPut || op == opLongBinGet)
		if err != nil {
			return err
		}
		if op == opBinPut || op == opLongBinPut {
			return m.put(i)
		}
		v, ok := m.memo[i]
		if !ok {
			return fmt.Errorf("memo entry %d was never made, or is a list", i)
		}
		m.push(v)
	default:
		if op > ' ' && op < 0x7f {
			return fmt.Errorf("pickle instruction %#02x (%q) is refused: lists of integers do not need it", op, op)
		}
		return fmt.Errorf("pickle instruction %#02x is refused: lists of integers do not need it", op)
	}
	return nil
}

func (m *machine) push(v value) { m.stack = append(m.stack, v) }

func (m *machine) short(op string) error {
	return fmt.Errorf("%s does not find on the stack what it needs", op)
}

// mark finds the topmost mark.
func (m *machine) mark(op string) (int, error) {
	for i := len(m.stack) - 1; i >= 0; i-- {
		if m.stack[i].kind == isMark {
			return i, nil
		}
	}
	return 0, fmt.Errorf("%s without a mark", op)
}

// inList reports whether a list and a mark are on top of the stack: integers then go into that list.
func (m *machine) inList() bool {
	n := len(m.stack)
	return n > 1 && m.stack[n-1].kind == isMark && m.stack[n-2].kind == isList
}

// add appends an integer to the list that was begun last.
func (m *machine) add(v int64) error {
	if v != int64(int32(v)) {
		return fmt.Errorf("the integer %d does not fit into 32 bits", v)
	}
	m.values = append(m.values, int32(v))
	return nil
}

// operandWidth is the number of bytes after the instructions for integers, and 0 for all others.
var operandWidth = [256]uint8{opBinInt1: 1, opBinInt2: 2, opBinInt: 4}

// operandMask keeps that many bytes of four.
var operandMask = [8]uint32{1: 0xff, 2: 0xffff, 4: math.MaxUint32}

// integers reads as many instructions for integers as follow. All but some thousand of the instructions in a file are
// such, so this loop is the reader's speed; it has no branch that depends on their width.
func (m *machine) integers() error {
	s := m.s
	for s.fill(5) {
		b, i, values := s.buf[s.lo:s.hi], 0, m.values
		for i+5 <= len(b) {
			w := operandWidth[b[i]]
			if w == 0 {
				s.lo, m.values = s.lo+i, values
				return nil
			}
			// BININT1 and BININT2 are unsigned, BININT is signed.
			values = append(values, int32(binary.LittleEndian.Uint32(b[i+1:])&operandMask[w&7]))
			i += 1 + int(w)
		}
		s.lo, m.values = s.lo+i, values
	}
	// Less than five bytes are left: step reads them one by one.
	return nil
}

// integer reads the operand of one instruction for an integer.
func (m *machine) integer(op byte) (int64, error) {
	if op != opLong1 {
		w := operandWidth[op]
		b, err := m.s.take(int(w))
		if err != nil {
			return 0, err
		}
		switch w {
		case 1:
			return int64(b[0]), nil
		case 2:
			return int64(binary.LittleEndian.Uint16(b)), nil
		}
		return int64(int32(binary.LittleEndian.Uint32(b))), nil
	}
	b, err := m.s.take(1)
	if err != nil {
		return 0, err
	}
	n := int(b[0])
	if n > 8 {
		return 0, fmt.Errorf("an integer of %d bytes does not fit into 32 bits", n)
	}
	if b, err = m.s.take(n); err != nil {
		return 0, err
	}
	var v int64
	for i, c := range b {
		v |= int64(c) << (8 * i)
	}
	if n > 0 && n < 8 {
		shift := 64 - 8*n
		v = v << shift >> shift
	}
	return v, nil
}

// text pushes a string or bytes.
func (m *machine) text(op byte) error {
	width := 4
	if op == opShortBinString || op == opShortBinBytes || op == opShortBinUnicode {
		width = 1
	}
	b, err := m.s.take(width)
	if err != nil {
		return err
	}
	n := uint32(b[0])
	if width == 4 {
		n = binary.LittleEndian.Uint32(b)
	}
	if n > maxString {
		return fmt.Errorf("a string of %d bytes does not belong into an array of lists", n)
	}
	if b, err = m.s.take(int(n)); err != nil {
		return err
	}
	m.push(value{kind: isText, text: string(b)})
	return nil
}

// line reads up to a line feed, as GLOBAL's operands are written.
func (m *machine) line() (string, error) {
	var line []byte
	for len(line) <= maxString {
		b, err := m.s.take(1)
		if err != nil {
			return "", err
		}
		if b[0] == '\n' {
			return string(line), nil
		}
		line = append(line, b[0])
	}
	return "", fmt.Errorf("the name %q... is too long", line)
}

// function pushes one of the three functions that rebuild an array, and refuses all others.
func (m *machine) function(module, name string) error {
	switch full := module + "." + name; full {
	case "numpy.ndarray", "numpy.dtype":
		m.push(value{kind: isFunction, text: full})
	case "numpy.core.multiarray._reconstruct", "numpy._core.multiarray._reconstruct":
		m.push(value{kind: isFunction, text: "_reconstruct"})
	default:
		return fmt.Errorf("the pickle asks for %q, which is refused: only numpy's ndarray, dtype and _reconstruct are allowed", full)
	}
	return nil
}

// tuple replaces the values from item first on, and a mark at from before them, by a tuple.
func (m *machine) tuple(from, first int) error {
	items := append([]value(nil), m.stack[first:]...)
	if len(items) > maxTuple {
		return fmt.Errorf("a tuple of %d values does not belong into an array of lists", len(items))
	}
	for _, v := range items {
		if v.kind == isMark {
			return m.short("a tuple")
		}
	}
	m.stack = append(m.stack[:from], value{kind: isTuple, items: items})
	return nil
}

// extend appends to the list at stack[list] the values from stack[first] on, or, when there are none, the integers
// that were read since it was begun.
func (m *machine) extend(list, first int) error {
	l := &m.stack[list]
	for _, v := range m.stack[first:] {
		switch {
		case v.kind == isInt && l.kind == isList && first == list+1:
			if err := m.add(v.number); err != nil {
				return err
			}
		case v.kind == isList && (l.kind == isListOfLists || l.kind == isList && l.start == l.end && len(m.offsets) == 1):
			l.kind = isListOfLists
			if v.start != m.offsets[len(m.offsets)-1] {
				return fmt.Errorf("integers stand outside the array's lists")
			}
			m.offsets = append(m.offsets, v.end)
		default:
			return fmt.Errorf("%v cannot be appended to %v: only integers, and lists of them, are read", v.kind, l.kind)
		}
	}
	if l.kind == isList {
		l.end = len(m.values)
	}
	m.stack = m.stack[:list+1]
	return nil
}

// reduce calls a function: _reconstruct(ndarray, (0,), "b") or dtype("O8", False, True).
func (m *machine) reduce() error {
	n := len(m.stack)
	if n < 2 || m.stack[n-2].kind != isFunction || m.stack[n-1].kind != isTuple {
		return m.short("REDUCE")
	}
	name, args := m.stack[n-2].text, m.stack[n-1].items
	m.stack = m.stack[:n-2]
	switch {
	case name == "_reconstruct" && len(args) == 3 && args[0].kind == isFunction && args[0].text == "numpy.ndarray":
		m.push(value{kind: isEmptyArray})
	case name == "numpy.dtype" && len(args) == 3 && args[0].kind == isText && (args[0].text == "O8" || args[0].text == "O4" || args[0].text == "O"):
		m.push(value{kind: isType})
	default:
		return fmt.Errorf("%s is called with arguments that do not make an array of lists", name)
	}
	return nil
}

// build gives a type or an array its state. An array's is (version, shape, type, Fortran order, list of elements).
func (m *machine) build() error {
	n := len(m.stack)
	if n < 2 || m.stack[n-1].kind != isTuple {
		return m.short("BUILD")
	}
	state := m.stack[n-1].items
	object := &m.stack[n-2]
	m.stack = m.stack[:n-1]
	switch {
	case object.kind == isType:
		// Byte order and alignment mean nothing for objects.
		return nil
	case object.kind != isEmptyArray:
		return m.short("BUILD")
	}
	if len(state) != 5 || state[1].kind != isTuple || len(state[1].items) != 1 || state[1].items[0].kind != isInt || state[2].kind != isType {
		return fmt.Errorf("the array's state is not that of a one-dimensional array of objects")
	}
	if l := state[4]; l.kind != isListOfLists && !(l.kind == isList && l.start == l.end && len(m.offsets) == 1) {
		return fmt.Errorf("the array holds %v, not a list of lists", l.kind)
	}
	object.kind = isArray
	m.shape = state[1].items[0].number
	return nil
}

func (m *machine) index(long bool) (uint32, error) {
	if !long {
		b, err := m.s.take(1)
		if err != nil {
			return 0, err
		}
		return uint32(b[0]), nil
	}
	b, err := m.s.take(4)
	if err != nil {
		return 0, err
	}
	return binary.LittleEndian.Uint32(b), nil
}

// put remembers the top of the stack. Lists, of which there are many, are only counted: no array of distinct lists
// asks for one again.
func (m *machine) put(i uint32) error {
	n := len(m.stack)
	if n == 0 {
		return m.short("a memo instruction")
	}
	m.puts++
	if k := m.stack[n-1].kind; k == isList || k == isListOfLists {
		delete(m.memo, i)
		return nil
	}
	if len(m.memo) >= maxMemo {
		return fmt.Errorf("more than %d memo entries", maxMemo)
	}
	m.memo[i] = m.stack[n-1]
	return nil
}
