package example

import (
	"os"
	"runtime"
	"strings"
)

// CPUName is the processor's name as Linux gives it, elsewhere its architecture.
func CPUName() string {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err == nil {
		for line := range strings.Lines(string(text)) {
			key, value, ok := strings.Cut(line, ":")
			if ok && strings.TrimSpace(key) == "model name" {
				return strings.TrimSpace(value)
			}
		}
	}
	return runtime.GOARCH
}
