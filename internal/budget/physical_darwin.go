package budget

import "golang.org/x/sys/unix"

// physical is the machine's memory in bytes, 0 if the system does not tell it.
func physical() uint64 {
	n, err := unix.SysctlUint64("hw.memsize")
	if err != nil {
		return 0
	}
	return n
}
