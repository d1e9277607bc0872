package simd

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"reflect"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"testing"
	"unsafe"
)

// longest is the longest slice that kernels get between protected pages.
const longest = 300

// memory hands out slices at one end of memory that may be used: each ends where a page begins that may be neither read nor
// written, or begins where such a page ends. What lies beyond the other end of a slice belongs to nobody.
type memory struct {
	last    bool // slices end at the protected page
	regions [][]byte
	taken   int
}

// newMemory makes a memory for a few slices of at most size bytes.
func newMemory(t *testing.T, slices, size int) *memory {
	t.Helper()
	page := syscall.Getpagesize()
	size = (size + page - 1) / page * page
	m := &memory{}
	for range slices {
		all, err := syscall.Mmap(-1, 0, page+size+page, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { syscall.Munmap(all) })
		for _, protected := range [][]byte{all[:page], all[page+size:]} {
			if err := syscall.Mprotect(protected, syscall.PROT_NONE); err != nil {
				t.Fatal(err)
			}
		}
		m.regions = append(m.regions, all[page:page+size:page+size])
	}
	// Small numbers of both signs: what is computed matters to other tests, but denormal numbers take long.
	r := rand.New(rand.NewPCG(1, 1))
	for _, region := range m.regions {
		values := unsafe.Slice((*float32)(unsafe.Pointer(&region[0])), len(region)/4)
		for i := range values {
			values[i] = float32(r.NormFloat64())
		}
	}
	return m
}

// reset takes all slices back.
func (m *memory) reset(last bool) { m.last, m.taken = last, 0 }

// take returns n elements in a region of their own.
func take[E any](m *memory, n int) []E {
	region := m.regions[m.taken]
	m.taken++
	var e E
	size := int(unsafe.Sizeof(e)) * n
	if size > len(region) {
		panic("a slice that is longer than the memory of the test")
	}
	start := unsafe.Pointer(unsafe.SliceData(region))
	if m.last {
		start = unsafe.Add(start, len(region)-size)
	}
	return unsafe.Slice((*E)(start), n)
}

// floats returns n numbers.
func (m *memory) floats(n int) []float32 { return take[float32](m, n) }

// ids returns n ids of a table, from its last row on. A table without rows has none: all lie outside then.
func (m *memory) ids(n, rows int) []int32 {
	ids := take[int32](m, n)
	for i := range ids {
		ids[i] = int32(rows - 1 - i%max(rows, 1))
	}
	return ids
}

// bounds returns where bags of the given length begin and end.
func (m *memory) bounds(bags, pairs int) (from, to []int) {
	from, to = take[int](m, bags), take[int](m, bags)
	for i := range from {
		from[i], to[i] = i*pairs, (i+1)*pairs
	}
	return from, to
}

// guardRow calls the function of the name for one length, on slices between protected pages. It may call it several
// times: which other lengths go with the length is for the row. A name that begins with a small letter is one of the table
// of kernels.
type guardRow struct {
	name  string
	reach []string // entries of the table of kernels that the function calls
	call  func(k *kernels, m *memory, n int)
}

// faults calls f and returns the error it panics with: touching a protected page is one.
func faults(f func()) (fault error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if err, ok := recover().(error); ok {
			fault = err
		}
	}()
	f()
	return nil
}

// fresh calls f with all memory free, on slices that end at a protected page and on slices that begin after one.
func fresh(m *memory, f func()) {
	for _, last := range []bool{false, true} {
		m.reset(last)
		f()
	}
}

// few are lengths that go with each other length: less than a vector, one, several, and something over.
var few = [...]int{1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 20, 31, 33, 40}

// some returns two of few, other ones for each n.
func some(n int) [2]int { return [2]int{few[n%len(few)], few[(n*7+n/len(few)+3)%len(few)]} }

// onTable returns a row for a function on the rows of a table: each length is the width of a table of a few rows, and the
// number of rows of a table of a few columns. A table without rows is one of them.
func onTable(name, reach string, call func(m *memory, dim, rows, ids int)) guardRow {
	return guardRow{name, []string{reach}, func(_ *kernels, m *memory, n int) {
		for i, other := range some(n) {
			if n > 0 {
				fresh(m, func() { call(m, n, other, []int{0, 1, 4, 7, 8, 9}[(n+i)%6]) })
				fresh(m, func() { call(m, n, 0, 0) })
				fresh(m, func() { call(m, other, n, n) })
			}
			fresh(m, func() { call(m, other, max(n, 1), 0) })
			fresh(m, func() { call(m, other, 0, n) })
		}
	}}
}

// onMatrices returns a row for a product: each length is each of the three sizes, with a few others.
func onMatrices(name string, reach []string, call func(m *memory, rows, columns, depth int, accumulate bool)) guardRow {
	return guardRow{name, reach, func(k *kernels, m *memory, n int) {
		slow := k.name == portable.name // and in Go, which checks bounds
		if slow && n > 40 && n%7 != 0 {
			return
		}
		for i, other := range some(n) {
			third := few[(n+5*i+1)%len(few)]
			for _, size := range [][3]int{{n, other, third}, {other, n, third}, {other, third, n}, {1, n, other}, {n, 1, other}, {other, 1, n}} {
				fresh(m, func() { call(m, size[0], size[1], size[2], (n+i)%2 == 0) })
			}
		}
		if n == longest && !slow {
			// Large enough to be copied before it is multiplied, on some paths.
			fresh(m, func() { call(m, n, n-3, n-1, false) })
		}
	}}
}

// pairsOf returns pairs of an id and the count 1.
func pairsOf[P uint32 | uint64](m *memory, n, rows int) []P {
	pairs := take[P](m, n)
	shift := 8 * unsafe.Sizeof(P(0)) / 2
	for i := range pairs {
		pairs[i] = P(1)<<shift | P(i%max(rows, 1))
	}
	return pairs
}

// bagsOf calls f with bags of as many pairs each, where the number of ids can be cut so.
func bagsOf[P uint32 | uint64](m *memory, dim, rows, ids int, f func(matrix, table []float32, pairs []P, from, to []int, n []float32)) {
	each := 1 + ids%3
	bags := ids / each
	from, to := m.bounds(bags, each)
	f(m.floats(bags*dim), m.floats(rows*dim), pairsOf[P](m, bags*each, rows), from, to, m.floats(bags))
}

// onSlices returns a row for a function on slices of one length.
func onSlices(name, reach string, slices int, call func(s [][]float32)) guardRow {
	return guardRow{name, []string{reach}, func(k *kernels, m *memory, n int) {
		fresh(m, func() {
			s := make([][]float32, slices)
			for i := range s {
				s[i] = m.floats(n)
			}
			call(s)
		})
	}}
}

// onRows returns a row for a function on the rows of a matrix and one more row.
func onRows(name, reach string, call func(row, matrix []float32)) guardRow {
	return guardRow{name, []string{reach}, func(k *kernels, m *memory, n int) {
		for _, other := range some(n) {
			fresh(m, func() { call(m.floats(n), m.floats(n*other)) })
			fresh(m, func() { call(m.floats(other), m.floats(n*other)) })
		}
		fresh(m, func() { call(m.floats(n), m.floats(0)) })
	}}
}

// guardRows has each exported function that takes a slice. The kernels on plain slices, which other tests have a table of,
// are called directly as well.
var guardRows = []guardRow{
	onSlices("Axpy", "axpy", 2, func(s [][]float32) { Axpy(-1.7, s[0], s[1]) }),
	onSlices("Add", "add", 3, func(s [][]float32) { Add(s[0], s[1], s[2]) }),
	onSlices("Mul", "mul", 3, func(s [][]float32) { Mul(s[0], s[1], s[2]) }),
	onSlices("Scale", "scale", 2, func(s [][]float32) { Scale(s[0], s[1], 0.3) }),
	onSlices("MaxAt", "maxAt", 3, func(s [][]float32) { MaxAt(s[0], s[1], s[2], 7) }),
	onSlices("Dot", "dot", 2, func(s [][]float32) { Dot(s[0], s[1]) }),
	onSlices("Sum", "sum", 1, func(s [][]float32) { Sum(s[0]) }),
	onSlices("Relu", "relu", 2, func(s [][]float32) { Relu(s[0], s[1]) }),
	onSlices("ReluGrad", "reluGrad", 3, func(s [][]float32) { ReluGrad(s[0], s[1], s[2]) }),
	onSlices("Exp", "exp", 2, func(s [][]float32) { Exp(s[0], s[1]) }),
	onSlices("Log", "log", 2, func(s [][]float32) { Log(s[0], s[1]) }),
	onSlices("Sigmoid", "sigmoid", 2, func(s [][]float32) { Sigmoid(s[0], s[1]) }),
	onSlices("SigmoidGrad", "sigmoidGrad", 3, func(s [][]float32) { SigmoidGrad(s[0], s[1], s[2]) }),
	onSlices("Tanh", "tanh", 2, func(s [][]float32) { Tanh(s[0], s[1]) }),
	onSlices("TanhGrad", "tanhGrad", 3, func(s [][]float32) { TanhGrad(s[0], s[1], s[2]) }),
	{"Softmax", []string{"max", "expSum", "divide"}, func(k *kernels, m *memory, n int) {
		fresh(m, func() { Softmax(m.floats(n), m.floats(n)) })
	}},
	onSlices("SoftmaxGrad", "softmaxGrad", 3, func(s [][]float32) { SoftmaxGrad(s[0], s[1], s[2]) }),
	onSlices("LogisticLoss", "logisticLoss", 4, func(s [][]float32) { LogisticLoss(s[0], s[1], s[2], s[3]) }),

	onRows("AddBias", "addBias", func(row, matrix []float32) { AddBias(matrix, row) }),
	onRows("SumRows", "sumRows", func(row, matrix []float32) { SumRows(row, matrix) }),
	onRows("AccumulateRows", "sumRows", func(row, matrix []float32) { AccumulateRows(row, matrix) }),
	onRows("MeanRows", "meanRows", func(row, matrix []float32) { MeanRows(row, matrix, 3) }),

	onTable("Gather", "gather", func(m *memory, dim, rows, ids int) {
		Gather(m.floats(ids*dim), m.floats(rows*dim), dim, m.ids(ids, rows))
	}),
	onTable("Scatter", "scatter", func(m *memory, dim, rows, ids int) {
		Scatter(m.floats(rows*dim), m.floats(ids*dim), dim, m.ids(ids, rows))
	}),
	onTable("ScatterAdd", "scatterAdd", func(m *memory, dim, rows, ids int) {
		ScatterAdd(m.floats(rows*dim), m.floats(ids*dim), dim, m.ids(ids, rows))
	}),
	onTable("BagMean", "bagMean", func(m *memory, dim, rows, ids int) {
		BagMean(m.floats(dim), m.floats(rows*dim), dim, m.ids(ids, rows), m.floats(ids), 3)
	}),
	onTable("BagScatter", "bagScatter", func(m *memory, dim, rows, ids int) {
		BagScatter(m.floats(rows*dim), m.floats(dim), dim, m.ids(ids, rows), m.floats(ids))
	}),
	onTable("BagsMean", "bagsMean", func(m *memory, dim, rows, ids int) {
		bagsOf(m, dim, rows, ids, func(dst, table []float32, pairs []uint32, from, to []int, n []float32) {
			BagsMean(dst, table, dim, pairs, from, to, n)
		})
	}),
	onTable("BagsMeanWide", "bagsMeanWide", func(m *memory, dim, rows, ids int) {
		bagsOf(m, dim, rows, ids, func(dst, table []float32, pairs []uint64, from, to []int, n []float32) {
			BagsMeanWide(dst, table, dim, pairs, from, to, n)
		})
	}),
	onTable("BagsScatter", "bagsScatter", func(m *memory, dim, rows, ids int) {
		bagsOf(m, dim, rows, ids, func(grad, table []float32, pairs []uint32, from, to []int, _ []float32) {
			BagsScatter(table, grad, dim, pairs, from, to)
		})
	}),
	onTable("BagsScatterWide", "bagsScatterWide", func(m *memory, dim, rows, ids int) {
		bagsOf(m, dim, rows, ids, func(grad, table []float32, pairs []uint64, from, to []int, _ []float32) {
			BagsScatterWide(table, grad, dim, pairs, from, to)
		})
	}),
	{"Prefetch", []string{"prefetch"}, func(k *kernels, m *memory, n int) {
		fresh(m, func() { Prefetch(m.floats(n)) })
	}},
	{"CountIDs", []string{"countIDs"}, func(k *kernels, m *memory, n int) {
		n = min(n, CountedIDs)
		fresh(m, func() { CountIDs(take[uint32](m, CountIDsRoom), m.ids(n, n+1), n+1) })
		fresh(m, func() { CountIDs(take[uint32](m, CountIDsRoom), m.ids(n, 7), 7) })
		fresh(m, func() { CountIDs(take[uint32](m, CountIDsRoom), m.ids(n, 7), 0) })
	}},

	onMatrices("GemmNN", []string{"gemm", "narrow"}, func(m *memory, rows, columns, depth int, accumulate bool) {
		GemmNN(rows, columns, depth, m.floats(rows*depth), depth, m.floats(depth*columns), columns, m.floats(rows*columns), columns, accumulate)
	}),
	onMatrices("GemmTN", []string{"gemm", "narrow"}, func(m *memory, rows, columns, depth int, accumulate bool) {
		GemmTN(rows, columns, depth, m.floats(rows*depth), rows, m.floats(depth*columns), columns, m.floats(rows*columns), columns, accumulate)
	}),
	onMatrices("GemmNT", []string{"gemm", "transpose"}, func(m *memory, rows, columns, depth int, accumulate bool) {
		GemmNT(rows, columns, depth, m.floats(rows*depth), depth, m.floats(depth*columns), depth, m.floats(rows*columns), columns, accumulate,
			m.floats(GemmWork(columns, depth)))
	}),

	onSlices("Adam", "adam", 4, func(s [][]float32) { Adam(s[0], s[1], s[2], s[3], 0.001, 0.1, 0.001, 1e-7) }),
	{"AdamRepeat", []string{"adamRepeat"}, func(k *kernels, m *memory, n int) {
		fresh(m, func() {
			steps := take[[8]float32](m, n%4)
			for i := range steps {
				steps[i] = repeated[i%len(repeated)]
			}
			AdamRepeat(m.floats(n), m.floats(n), m.floats(n), steps)
		})
	}},
	onSlices("SGD", "sgd", 2, func(s [][]float32) { SGD(s[0], s[1], 0.01) }),
	{"Momentum", []string{"momentum", "nesterov"}, func(k *kernels, m *memory, n int) {
		for _, nesterov := range []bool{false, true} {
			fresh(m, func() { Momentum(m.floats(n), m.floats(n), m.floats(n), 0.01, 0.9, nesterov) })
		}
	}},
	onSlices("RMSProp", "rmsprop", 3, func(s [][]float32) { RMSProp(s[0], s[1], s[2], 0.001, 0.9, 0.1, 1e-7) }),
}

// TestEndOfMemory protects against a kernel that reads or writes before its slice or after it, which would crash a program
// whose slice lies at an end of a mapping: each function on each path, on slices of each length that lie at either end of
// memory, tables without rows among them.
func TestEndOfMemory(t *testing.T) {
	lengths := make([]int, 0, longest+1)
	for n := 0; n <= longest; n++ {
		// The race detector and emulators are slow.
		if !testing.Short() || n < 40 || n%13 == 0 || n == longest {
			lengths = append(lengths, n)
		}
	}
	m := newMemory(t, 6, 4*longest*longest)
	for _, m.last = range []bool{false, true} {
		m.taken = 0
		x := unsafe.Pointer(unsafe.SliceData(m.floats(1)))
		if before := faults(func() { *(*byte)(unsafe.Add(x, -1)) = 1 }) != nil; before == m.last {
			t.Fatalf("slices at the end of memory %v: a fault before the slice: %v", m.last, before)
		}
		if after := faults(func() { *(*byte)(unsafe.Add(x, 4)) = 1 }) != nil; after != m.last {
			t.Fatalf("slices at the end of memory %v: a fault after the slice: %v", m.last, after)
		}
	}
	eachPath(t, func(t *testing.T, k *kernels) {
		use(t, k)
		run := func(name string, call func(n int)) {
			for _, n := range lengths {
				if err := faults(func() { call(n) }); err != nil {
					t.Errorf("%s of length %d, slices at the end of memory %v: %v", name, n, m.last, err)
					return
				}
			}
		}
		for _, row := range guardRows {
			run(row.name, func(n int) { row.call(k, m, n) })
		}
		for _, kernel := range sliceKernels {
			run(kernel.name, func(n int) {
				if kernel.name == "max" && n == 0 {
					return // it has none
				}
				fresh(m, func() {
					s := make([][]float32, kernel.slices)
					for i := range s {
						s[i] = m.floats(n)
					}
					kernel.call(k, s)
				})
			})
		}
	})
}

// TestGuardRows protects the table of the test above against what it lacks: an exported function that takes a slice, and an
// entry of the table of kernels that none of its functions calls.
func TestGuardRows(t *testing.T) {
	rows, reached := map[string]bool{}, map[string]bool{}
	for _, row := range guardRows {
		rows[row.name] = true
		for _, entry := range row.reach {
			reached[entry] = true
		}
	}
	var entries []string
	for field := range reflect.TypeFor[kernels]().Fields() {
		if field.Type.Kind() == reflect.Func {
			entries = append(entries, field.Name)
		}
	}
	if got := slices.Sorted(maps.Keys(reached)); !slices.Equal(got, slices.Sorted(slices.Values(entries))) {
		t.Errorf("the rows reach the kernels\n%q, want\n%q", got, slices.Sorted(slices.Values(entries)))
	}

	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	exported := map[string]bool{}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || !f.Name.IsExported() {
				continue
			}
			for _, p := range f.Type.Params.List {
				if _, ok := p.Type.(*ast.ArrayType); ok {
					exported[f.Name.Name] = true
				}
			}
		}
	}
	if got, want := slices.Sorted(maps.Keys(rows)), slices.Sorted(maps.Keys(exported)); !slices.Equal(got, want) {
		t.Errorf("the table has rows for\n%q, want all exported functions that take slices:\n%q", got, want)
	}
}
