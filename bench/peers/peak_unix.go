//go:build linux || darwin

package main

import (
	"os"
	"runtime"
	"syscall"
)

// peakMemory is the greatest amount of memory, in bytes, that was resident in a process that has ended.
func peakMemory(p *os.ProcessState) (bytes int64, ok bool) {
	usage, ok := p.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0, false
	}
	bytes = int64(usage.Maxrss)
	if runtime.GOOS != "darwin" {
		bytes *= 1024 // elsewhere it counts KiB
	}
	return bytes, true
}
