//go:build unix

package model_test

import (
	"syscall"
	"time"
)

// spent is the processor time that this process has used, so that other programs on the machine do not count.
func spent() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
