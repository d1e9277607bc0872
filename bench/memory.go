package bench

import (
	"fmt"
	"os"
	"runtime/debug"
	"strings"
)

// PeakMemory returns the greatest amount of memory, in bytes, that was resident while f ran, and what was before. It
// needs Linux; elsewhere both are 0.
func PeakMemory(f func() error) (peak, before int, err error) {
	debug.FreeOSMemory()
	reset := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) // the peak starts anew
	before = status("VmRSS")
	err = f()
	if reset != nil {
		return 0, 0, err
	}
	return status("VmHWM"), before, err
}

// status is an amount of memory of this process, in bytes, or 0.
func status(name string) int {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	return parseStatus(string(text), name)
}

func parseStatus(text, name string) int {
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(line, name+":"); ok {
			var kib int
			if _, err := fmt.Sscanf(rest, "%d kB", &kib); err == nil {
				return kib << 10
			}
		}
	}
	return 0
}
