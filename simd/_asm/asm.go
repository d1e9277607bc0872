package main

import (
	"fmt"
	"math"

	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/gotypes"
	"github.com/mmcloughlin/avo/ir"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

type (
	vec = reg.VecVirtual
	gp  = reg.GPVirtual
)

// wide says that kernels are for AVX-512 (F, VL, DQ and BW), not AVX2.
var wide bool

// isa is the end of a kernel's name.
func isa() string {
	if wide {
		return "AVX512"
	}
	return "AVX2"
}

// lanes is the number of elements of a vector.
func lanes() int {
	if wide {
		return 16
	}
	return 8
}

// vectorRegister is a register as wide as the instruction set has.
func vectorRegister() vec {
	if wide {
		return ZMM()
	}
	return YMM()
}

// mask chooses lanes: a vector whose lanes have all bits set or none, or with
// AVX-512 a mask register. nil chooses all.
type mask reg.Register

// compare returns the lanes in which a stands in the given relation to b, both
// as VCMPPS takes them.
func compare(predicate int, b, a Op) mask {
	if wide {
		k := K()
		VCMPPS(U8(predicate), b, a, k)
		return k
	}
	y := YMM()
	VCMPPS(U8(predicate), b, a, y)
	return y
}

// negative returns the lanes whose sign bit is set.
func negative(x vec) mask {
	if wide {
		k := K()
		VPMOVD2M(x, k)
		return k
	}
	return x // VBLENDVPS looks at nothing else
}

// choose returns yes in the lanes of m and no in the others.
func choose(m mask, yes Op, no vec) vec {
	v := vectorRegister()
	if wide {
		VBLENDMPS(yes, no, m, v)
	} else {
		VBLENDVPS(m, yes, no, v)
	}
	return v
}

// keep sets x to +0 in the lanes that m leaves out.
func keep(m mask, x vec) {
	if wide {
		VMOVAPS_Z(x, m, x)
	} else {
		VANDPS(m, x, x)
	}
}

// Predicates of VCMPPS, quiet: none raises an exception for a quiet NaN.
const (
	lessThan     = 0x11 // false for NaN
	greaterThan  = 0x1e // false for NaN
	notLess      = 0x15 // true for NaN
	notLessEqual = 0x16 // true for NaN
	equal        = 0x00 // false for NaN
	notEqual     = 0x04 // true for NaN
)

// function starts a kernel: its signature, and its reference loop as comment.
func function(name, signature, doc string, reference ...string) {
	TEXT(name, NOSPLIT, "func"+signature)
	Pragma("noescape")
	lines := []string{name + " " + doc}
	if len(reference) > 0 {
		lines = append(lines, "")
		for _, line := range reference {
			lines = append(lines, "\t"+line)
		}
	}
	Doc(lines...)
}

// end leaves a kernel. Without VZEROUPPER the scalar code that follows is slow.
func end() {
	VZEROUPPER()
	RET()
}

var constants = map[uint32]Mem{}

// hoisted holds the constants that stay in registers throughout a kernel.
var hoisted map[uint32]vec

// hoist loads constants into registers where there are enough of them, before
// the loops that use them.
func hoist(bits ...uint32) {
	hoisted = map[uint32]vec{}
	if !wide {
		return
	}
	for _, u := range bits {
		if hoisted[u] == nil {
			hoisted[u] = constantRegister(u)
		}
	}
}

// bitsOf returns the bits of some float32.
func bitsOf(values ...float32) []uint32 {
	var bits []uint32
	for _, v := range values {
		bits = append(bits, math.Float32bits(v))
	}
	return bits
}

// constant returns a float32 in all lanes: in memory or, with AVX-512, in a
// register not to be written.
func constant(v float32) Op { return constantBits(math.Float32bits(v)) }

func constantBits(u uint32) Op {
	if wide {
		return constantRegister(u)
	}
	return constantMemory(u)
}

func constantMemory(u uint32) Mem {
	m, ok := constants[u]
	if !ok {
		m = GLOBL(fmt.Sprintf("c%08x", u), RODATA|NOPTR)
		copies := 8
		if wide {
			copies = 1 // broadcast when it is loaded
		}
		for i := range copies {
			DATA(4*i, U32(u))
		}
		constants[u] = m
	}
	return m
}

// constantRegister returns a register that holds a constant in all lanes, not to
// be written.
func constantRegister(u uint32) vec {
	if v := hoisted[u]; v != nil {
		return v
	}
	v := vectorRegister()
	if wide {
		VBROADCASTSS(constantMemory(u), v)
	} else {
		VMOVUPS(constantMemory(u), v)
	}
	return v
}

var maskTable *Mem

// loadMask returns a mask of the first count lanes, 0 <= count <= 8.
func loadMask(count gp) vec {
	if maskTable == nil {
		m := GLOBL("mask", RODATA|NOPTR)
		for i := range 16 {
			v := uint32(0)
			if i < 8 {
				v = ^v
			}
			DATA(4*i, U32(v))
		}
		maskTable = &m
	}
	base, at, mask := GP64(), GP64(), YMM()
	LEAQ(*maskTable, base)
	MOVQ(U32(8), at)
	SUBQ(count, at)
	VMOVDQU(Mem{Base: base, Index: at, Scale: 4}, mask)
	return mask
}

// tailMask returns a mask of the first count lanes, count less than all of them.
func tailMask(count gp) mask {
	if !wide {
		return loadMask(count)
	}
	if bitTable == nil {
		m := GLOBL("bits", RODATA|NOPTR)
		for i := range 17 {
			DATA(2*i, U16(1<<i-1))
		}
		bitTable = &m
	}
	base, k := GP64(), K()
	LEAQ(*bitTable, base)
	KMOVW(Mem{Base: base, Index: count, Scale: 2}, k)
	return k
}

var bitTable *Mem

// zero returns a register of +0.
func zero() vec {
	z := vectorRegister()
	VXORPS(z, z, z)
	return z
}

// broadcast returns a float32 argument in all lanes.
func broadcast(param string) vec {
	y := vectorRegister()
	VBROADCASTSS(argument(param), y)
	return y
}

// argument returns where an argument that is no slice lies.
func argument(param string) Mem { return address(Param(param)) }

func address(c gotypes.Component) Mem {
	b, err := c.Resolve()
	if err != nil {
		panic(err)
	}
	return b.Addr
}

// result stores a float32 as the result.
func result(x vec) { VMOVSS(x.AsX(), address(ReturnIndex(0))) }

func base(param string) gp { return Load(Param(param).Base(), GP64()).(gp) }
func size(param string) gp { return Load(Param(param).Len(), GP64()).(gp) }
func word(param string) gp { return Load(Param(param), GP64()).(gp) }

// addHalves adds the upper half of the lanes to the lower until lane 0 holds the
// sum, and returns it.
func addHalves(s vec) reg.VecVirtual {
	if wide {
		h := YMM()
		VEXTRACTF64X4(U8(1), s, h)
		VADDPS(h, s.AsY(), h)
		s = h
	}
	x, y := XMM(), XMM()
	VEXTRACTF128(U8(1), s, x)
	VADDPS(x, s.AsX(), x)
	VMOVHLPS(x, x, y)
	VADDPS(y, x, x)
	VMOVSHDUP(x, y)
	VADDSS(y, x, x)
	return x
}

// elementwise is a kernel whose output i depends on input i alone.
type elementwise struct {
	name, signature, doc string
	reference            []string
	in, out              []string
	optional             string   // an output that is not wanted if its slice is empty
	unroll               int      // vectors for each turn of the main loop
	hoist                []uint32 // bits of constants that body uses
	own                  string   // a slice whose lines are asked for before they are written: see ownAhead
	setup                func()   // loads scalars
	body                 func([]vec) []vec
}

// ownAhead is how many bytes ahead of the loop a core asks for lines to write, in slices of at least ownFrom elements. The
// weights that a core updates were read by others before, so that each line must become its own again; one after
// another, as stores come to them, that takes longer than the arithmetic. Beyond the slice's end mostly lies what the
// core updates next.
const ownAhead, ownFrom = 2048, 1024

// prefetchToWrite asks for a line to write. The assembler has no name for PREFETCHW, which processors without it take for
// no operation.
func prefetchToWrite(m Mem) {
	LEAQ(m, reg.RAX)
	for _, b := range []uint8{0x0f, 0x0d, 0x08} { // of the address in AX
		Instruction(&ir.Instruction{Opcode: "BYTE", Operands: []Op{U8(b)}})
	}
}

func (e elementwise) generate() {
	e.name += isa()
	function(e.name, e.signature, e.doc, e.reference...)
	pointers := map[string]gp{}
	for _, name := range append(append([]string{}, e.in...), e.out...) {
		if pointers[name] == nil {
			pointers[name] = base(name)
		}
	}
	n := size(e.in[0])
	wanted := GP64()
	if e.optional != "" {
		Load(Param(e.optional).Len(), wanted)
	}
	hoist(e.hoist...)
	if e.setup != nil {
		e.setup()
	}
	i := GP64()
	XORQ(i, i)

	label := func(s string) string { return e.name + "_" + s }
	skips := 0
	element := func(name string, at int) Mem {
		return Mem{Base: pointers[name], Index: i, Scale: 4, Disp: 4 * lanes() * at}
	}
	one := func(at int, mask mask) {
		in := make([]vec, len(e.in))
		for j, name := range e.in {
			in[j] = loadVector(element(name, at), mask)
		}
		for j, v := range e.body(in) {
			name := e.out[j]
			var skip string
			if name == e.optional {
				skip = label(fmt.Sprintf("skip%d", skips))
				skips++
				TESTQ(wanted, wanted)
				JZ(LabelRef(skip))
			}
			storeVector(v, element(name, at), mask)
			if skip != "" {
				Label(skip)
			}
		}
	}

	step := lanes()
	loop := func(name string, own func(at int)) {
		Label(label(name))
		CMPQ(n, U32(step*e.unroll))
		JL(LabelRef(label("single")))
		for at := range e.unroll {
			own(at)
			one(at, nil)
		}
		ADDQ(U32(step*e.unroll), i)
		SUBQ(U32(step*e.unroll), n)
		JMP(LabelRef(label(name)))
	}
	if e.own != "" {
		CMPQ(n, U32(ownFrom))
		JL(LabelRef(label("loop")))
		loop("own", func(at int) {
			if at*step*4%64 == 0 {
				m := element(e.own, at)
				m.Disp += ownAhead
				prefetchToWrite(m)
			}
		})
	}
	if e.unroll > 1 {
		loop("loop", func(int) {})
	}
	Label(label("single"))
	CMPQ(n, U32(step))
	JL(LabelRef(label("tail")))
	one(0, nil)
	ADDQ(U32(step), i)
	SUBQ(U32(step), n)
	JMP(LabelRef(label("single")))

	Label(label("tail"))
	TESTQ(n, n)
	JZ(LabelRef(label("done")))
	one(0, tailMask(n))
	Label(label("done"))
	end()
}

// inLanes is the loop of a reduction over 32 virtual lanes: body takes element
// i of each input and returns what its lane takes, +0 or NaN where the input is
// masked and zero. What keep returns is stored to out.
func inLanes(name string, in []string, body func(in []vec) vec, out string) vec {
	pointers := map[string]gp{}
	for _, name := range in {
		pointers[name] = base(name)
	}
	if out != "" && pointers[out] == nil {
		pointers[out] = base(out)
	}
	n := size(in[0])
	step := lanes()
	s := make([]vec, 32/step)
	for j := range s {
		s[j] = zero()
	}
	i := GP64()
	XORQ(i, i)
	label := func(s string) string { return name + "_" + s }
	one := func(j, at int, mask mask) {
		x := make([]vec, len(in))
		for k, name := range in {
			x[k] = loadVector(Mem{Base: pointers[name], Index: i, Scale: 4, Disp: 4 * step * at}, mask)
		}
		v := body(x)
		if mask != nil && out != "" {
			keep(mask, v)
		}
		if out != "" {
			storeVector(v, Mem{Base: pointers[out], Index: i, Scale: 4, Disp: 4 * step * at}, mask)
		}
		VADDPS(v, s[j], s[j])
	}
	Label(label("loop"))
	CMPQ(n, U32(32))
	JL(LabelRef(label("tail")))
	for j := range s {
		one(j, j, nil)
	}
	ADDQ(U32(32), i)
	SUBQ(U32(32), n)
	JMP(LabelRef(label("loop")))
	Label(label("tail"))
	most := GP64()
	MOVQ(U32(step), most)
	for j := range s {
		TESTQ(n, n)
		JLE(LabelRef(label("done")))
		count := GP64()
		MOVQ(n, count)
		CMPQ(n, most)
		CMOVQGT(most, count)
		one(j, 0, tailMask(count))
		ADDQ(U32(step), i)
		SUBQ(U32(step), n)
	}
	Label(label("done"))
	for n := len(s) / 2; n > 0; n /= 2 {
		for j := range n {
			VADDPS(s[j+n], s[j], s[j])
		}
	}
	return addHalves(s[0])
}

// panels walks over n columns in panels of so many vectors, widest first, and a
// masked vector at the end: body does one panel, advance moves on by so many
// bytes. n is used up.
func panels[M any](name string, n gp, widths []int, body func(label string, vectors int, mask M), advance func(bytes int)) {
	var all M
	step := lanes()
	label := func(i int) string {
		if i == len(widths) {
			return name + "_tail"
		}
		return fmt.Sprintf("%s_columns%d", name, step*widths[i])
	}
	for i, vectors := range widths {
		Label(label(i))
		CMPQ(n, U32(step*vectors))
		JL(LabelRef(label(i + 1)))
		body(label(i), vectors, all)
		advance(4 * step * vectors)
		SUBQ(U32(step*vectors), n)
		JMP(LabelRef(label(i)))
	}
	Label(label(len(widths)))
	TESTQ(n, n)
	JZ(LabelRef(name + "_done"))
	body(label(len(widths)), 1, tailMask(n).(M))
	Label(name + "_done")
}

// loadVector reads one vector, or its masked lanes.
func loadVector(m Mem, mask mask) vec {
	v := vectorRegister()
	switch {
	case mask == nil:
		VMOVUPS(m, v)
	case wide:
		VMOVUPS_Z(m, mask, v)
	default:
		VMASKMOVPS(m, mask, v)
	}
	return v
}

func storeVector(v vec, m Mem, mask mask) {
	switch {
	case mask == nil:
		VMOVUPS(v, m)
	case wide:
		VMOVUPS(v, mask, m)
	default:
		VMASKMOVPS(v, mask, m)
	}
}

// lastMask returns mask for the last of so many vectors, none for the others.
func lastMask[M any](i, vectors int, mask M) M {
	if i == vectors-1 {
		return mask
	}
	var all M
	return all
}
