package simd

import (
	"math/rand/v2"
	"syscall"
	"testing"
	"unsafe"
)

// endOfMemory returns n elements that end where readable memory ends.
func endOfMemory[E float32 | uint32 | uint64](t *testing.T, n int) []E {
	t.Helper()
	var e E
	each := int(unsafe.Sizeof(e))
	page := syscall.Getpagesize()
	size := (each*n+page-1)/page*page + page
	m, err := syscall.Mmap(-1, 0, size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Munmap(m) })
	if err := syscall.Mprotect(m[size-page:], syscall.PROT_NONE); err != nil {
		t.Fatal(err)
	}
	all := unsafe.Slice((*E)(unsafe.Pointer(&m[0])), (size-page)/each)
	return all[len(all)-n:]
}

// endOf returns the last n elements.
func endOf[E any](s []E, n int) []E { return s[len(s)-n:] }

// TestEndOfMemory protects against a kernel that reads past its slice, which
// would crash a program whose slice ends at the last page of a mapping.
func TestEndOfMemory(t *testing.T) {
	const most = 80
	r := rand.New(rand.NewPCG(1, 1))
	s := make([][]float32, 4)
	for i := range s {
		s[i] = endOfMemory[float32](t, most)
		copy(s[i], fill(r, most, fills[0].make))
	}
	ids := []int32{}
	narrowPairs := endOfMemory[uint32](t, most)
	widePairs := endOfMemory[uint64](t, most)
	eachPath(t, func(t *testing.T, k *kernels) {
		use(t, k)
		for n := range most + 1 {
			args := make([][]float32, len(s))
			for i := range s {
				args[i] = s[i][most-n:]
			}
			for _, kernel := range sliceKernels {
				kernel.call(k, args)
			}
			if n == 0 {
				continue
			}
			for _, width := range []int{1, 2, 3, 7, 8, 9, 16, 20} {
				if n%width != 0 {
					continue
				}
				rows := n / width
				AddBias(args[0], args[1][n-width:])
				SumRows(args[1][n-width:], args[0])
				MeanRows(args[1][n-width:], args[0], 2)
				ids = ids[:0]
				for i := range rows {
					ids = append(ids, int32(rows-1-i))
				}
				Gather(args[0], args[1], width, ids)
				Scatter(args[0], args[1], width, ids)
				ScatterAdd(args[0], args[1], width, ids)
				BagMean(args[2][n-width:], args[0], width, ids, args[3][n-rows:], 3)
				BagScatter(args[0], args[2][n-width:], width, ids, args[3][n-rows:])
				narrow := endOf(narrowPairs, rows)
				wide := endOf(widePairs, rows)
				for i := range rows {
					narrow[i], wide[i] = uint32(1<<16+i), 1<<32+uint64(i)
				}
				BagsMean(args[2][n-width:], args[0], width, narrow, []int{0}, []int{rows}, args[3][n-1:])
				BagsMeanWide(args[2][n-width:], args[0], width, wide, []int{0}, []int{rows}, args[3][n-1:])
				BagsScatter(args[0], args[2][n-width:], width, narrow, []int{0}, []int{rows})
				BagsScatterWide(args[0], args[2][n-width:], width, wide, []int{0}, []int{rows})
				for _, k := range []int{1, 2, 5, 16, 17} {
					if rows*k > most || k*width > most {
						continue
					}
					a, b := s[1][most-rows*k:], s[2][most-k*width:]
					GemmNN(rows, width, k, a, k, b, width, args[0], width, false)
					GemmTN(rows, width, k, a, rows, b, width, args[0], width, true)
					GemmNT(rows, width, k, a, k, b, k, args[0], width, false, s[3][most-k*width:])
				}
			}
		}
	})
}
