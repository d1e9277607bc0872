package hugepage

import "golang.org/x/sys/unix"

// advise asks for huge pages. A system that has none refuses, and the pages stay small.
func advise(b []byte) {
	if len(b) > 0 {
		_ = unix.Madvise(b, unix.MADV_HUGEPAGE)
	}
}
