package budget

import (
	"unsafe"

	"golang.org/x/sys/windows"
)

// memoryStatus is MEMORYSTATUSEX.
type memoryStatus struct {
	length, load                                        uint32
	totalPhysical, availablePhysical                    uint64
	totalPageFile, availablePageFile                    uint64
	totalVirtual, availableVirtual, availableExtVirtual uint64
}

// physical is the machine's memory in bytes, 0 if the system does not tell it.
func physical() uint64 {
	call := windows.NewLazySystemDLL("kernel32.dll").NewProc("GlobalMemoryStatusEx")
	if call.Find() != nil {
		return 0
	}
	var s memoryStatus
	s.length = uint32(unsafe.Sizeof(s))
	if ok, _, _ := call.Call(uintptr(unsafe.Pointer(&s))); ok == 0 {
		return 0
	}
	return s.totalPhysical
}
