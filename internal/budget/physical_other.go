//go:build !linux && !darwin && !windows

package budget

// physical is the machine's memory in bytes, 0 if the system does not tell it.
func physical() uint64 { return 0 }
