package hugepage

import (
	"testing"
	"unsafe"
)

// A slice has the asked length and is all zeros, whatever its size.
func TestMake(t *testing.T) {
	for _, n := range []int{0, 1, Size/4 - 1, Size / 4, Size/4 + 1, 3*Size/4 + 5} {
		s := Make[[]float32](n)
		if len(s) != n {
			t.Fatalf("%d values, want %d", len(s), n)
		}
		for i, v := range s {
			if v != 0 {
				t.Fatalf("value %d of %d is %v", i, n, v)
			}
			s[i] = 1 // the next one may lie here
		}
	}
}

// No page is asked for that holds anything else.
func TestWholePages(t *testing.T) {
	b := make([]byte, 5*Size)
	for _, from := range []int{0, 1, 4096, Size - 1, Size} {
		for _, n := range []int{1, 4096, Size - 1, Size, Size + 1, 2*Size - 1, 2 * Size, 3*Size + 7} {
			part := b[from : from+n]
			got := whole(part)
			begin := uintptr(unsafe.Pointer(&part[0]))
			first := (begin + Size - 1) / Size * Size // of the huge pages that begin in part
			pages := 0
			for p := first; p+Size <= begin+uintptr(n); p += Size {
				pages++
			}
			if len(got) != pages*Size || pages > 0 && uintptr(unsafe.Pointer(&got[0])) != first {
				t.Errorf("from %d, %d bytes: %d bytes, want %d pages", from, n, len(got), pages)
			}
		}
	}
}
