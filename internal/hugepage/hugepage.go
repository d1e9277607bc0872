// Package hugepage makes slices that are read and written in no order, such as tables of embeddings, and asks the system to
// keep them in pages of 2 MB where it can. A processor knows where some thousands of pages lie: of a table of 64 MB, in
// pages of 4 KB, it must look most of them up each time.
//
// Linux is asked, where /sys/kernel/mm/transparent_hugepage/enabled says madvise or always. Elsewhere, and for small slices,
// this is make.
package hugepage

import "unsafe"

// Size is how large a huge page is that the system is asked for, in bytes.
const Size = 2 << 20

// Make returns a slice of n zeros. Memory that the process has used before stays in the pages that it is in.
func Make[S ~[]E, E float32 | int32](n int) S {
	s := make(S, n)
	if n > Size/4 {
		advise(whole(unsafe.Slice((*byte)(unsafe.Pointer(&s[0])), 4*n)))
	}
	return s
}

// whole are the huge pages that lie in b as a whole: what shares a page with others is theirs as well.
func whole(b []byte) []byte {
	before := -uintptr(unsafe.Pointer(&b[0])) & (Size - 1)
	if before >= uintptr(len(b)) {
		return nil
	}
	b = b[before:]
	return b[:len(b)&^(Size-1)]
}
