package budget

import "golang.org/x/sys/unix"

// physical is the machine's memory in bytes, 0 if the system does not tell it.
func physical() uint64 {
	var info unix.Sysinfo_t
	if err := unix.Sysinfo(&info); err != nil {
		return 0
	}
	return uint64(info.Totalram) * uint64(max(info.Unit, 1))
}
