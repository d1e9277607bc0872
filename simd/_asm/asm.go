package main

import (
	"fmt"
	"math"

	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/gotypes"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

type (
	vec = reg.VecVirtual
	gp  = reg.GPVirtual
)

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

// constant returns eight copies of a float32 in memory.
func constant(v float32) Mem { return constantBits(math.Float32bits(v)) }

func constantBits(u uint32) Mem {
	m, ok := constants[u]
	if !ok {
		m = GLOBL(fmt.Sprintf("c%08x", u), RODATA|NOPTR)
		for i := range 8 {
			DATA(4*i, U32(u))
		}
		constants[u] = m
	}
	return m
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

// zero returns a register of +0.
func zero() vec {
	z := YMM()
	VXORPS(z, z, z)
	return z
}

// broadcast returns eight copies of a float32 argument.
func broadcast(param string) vec {
	y := YMM()
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

// addHalves adds the upper half of 8 lanes to the lower until lane 0 holds the
// sum, and returns it.
func addHalves(s vec) reg.VecVirtual {
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
	optional             string // an output that is not wanted if its slice is empty
	unroll               int    // vectors for each turn of the main loop
	setup                func() // loads scalars
	body                 func([]vec) []vec
}

func (e elementwise) generate() {
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
	if e.setup != nil {
		e.setup()
	}
	i := GP64()
	XORQ(i, i)

	label := func(s string) string { return e.name + "_" + s }
	skips := 0
	element := func(name string, at int) Mem {
		return Mem{Base: pointers[name], Index: i, Scale: 4, Disp: 32 * at}
	}
	one := func(at int, mask vec) {
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

	if e.unroll > 1 {
		Label(label("loop"))
		CMPQ(n, U32(8*e.unroll))
		JL(LabelRef(label("single")))
		for at := range e.unroll {
			one(at, nil)
		}
		ADDQ(U32(8*e.unroll), i)
		SUBQ(U32(8*e.unroll), n)
		JMP(LabelRef(label("loop")))
	}
	Label(label("single"))
	CMPQ(n, U32(8))
	JL(LabelRef(label("tail")))
	one(0, nil)
	ADDQ(U32(8), i)
	SUBQ(U32(8), n)
	JMP(LabelRef(label("single")))

	Label(label("tail"))
	TESTQ(n, n)
	JZ(LabelRef(label("done")))
	one(0, loadMask(n))
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
	var s [4]vec
	for j := range s {
		s[j] = zero()
	}
	i := GP64()
	XORQ(i, i)
	label := func(s string) string { return name + "_" + s }
	one := func(j, at int, mask vec) {
		x := make([]vec, len(in))
		for k, name := range in {
			x[k] = loadVector(Mem{Base: pointers[name], Index: i, Scale: 4, Disp: 32 * at}, mask)
		}
		v := body(x)
		if mask != nil && out != "" {
			VANDPS(mask, v, v)
		}
		if out != "" {
			storeVector(v, Mem{Base: pointers[out], Index: i, Scale: 4, Disp: 32 * at}, mask)
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
	eight := GP64()
	MOVQ(U32(8), eight)
	for j := range s {
		TESTQ(n, n)
		JLE(LabelRef(label("done")))
		count := GP64()
		MOVQ(n, count)
		CMPQ(n, eight)
		CMOVQGT(eight, count)
		one(j, 0, loadMask(count))
		ADDQ(U32(8), i)
		SUBQ(U32(8), n)
	}
	Label(label("done"))
	VADDPS(s[2], s[0], s[0])
	VADDPS(s[3], s[1], s[1])
	VADDPS(s[1], s[0], s[0])
	return addHalves(s[0])
}

// panels walks over n columns in panels of so many vectors, widest first, and a
// masked vector at the end: body does one panel, advance moves on by so many
// bytes. n is used up.
func panels(name string, n gp, widths []int, body func(label string, vectors int, mask vec), advance func(bytes int)) {
	label := func(i int) string {
		if i == len(widths) {
			return name + "_tail"
		}
		return fmt.Sprintf("%s_columns%d", name, 8*widths[i])
	}
	for i, vectors := range widths {
		Label(label(i))
		CMPQ(n, U32(8*vectors))
		JL(LabelRef(label(i + 1)))
		body(label(i), vectors, nil)
		advance(32 * vectors)
		SUBQ(U32(8*vectors), n)
		JMP(LabelRef(label(i)))
	}
	Label(label(len(widths)))
	TESTQ(n, n)
	JZ(LabelRef(name + "_done"))
	body(label(len(widths)), 1, loadMask(n))
	Label(name + "_done")
}

// loadVector reads one vector, or its masked lanes.
func loadVector(m Mem, mask vec) vec {
	v := YMM()
	if mask != nil {
		VMASKMOVPS(m, mask, v)
	} else {
		VMOVUPS(m, v)
	}
	return v
}

func storeVector(v vec, m Mem, mask vec) {
	if mask != nil {
		VMASKMOVPS(v, mask, m)
	} else {
		VMOVUPS(v, m)
	}
}

// lastMask returns mask for the last of so many vectors, nil for the others.
func lastMask(i, vectors int, mask vec) vec {
	if i == vectors-1 {
		return mask
	}
	return nil
}
