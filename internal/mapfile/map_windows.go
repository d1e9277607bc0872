package mapfile

import (
	"os"
	"unsafe"

	"golang.org/x/sys/windows"
)

func mapFile(f *os.File, size int) (b []byte, unmap func([]byte) error, err error) {
	h, err := windows.CreateFileMapping(windows.Handle(f.Fd()), nil, windows.PAGE_READONLY, 0, 0, nil)
	if err != nil {
		return nil, nil, err
	}
	defer windows.CloseHandle(h) // the view keeps the mapping
	address, err := windows.MapViewOfFile(h, windows.FILE_MAP_READ, 0, 0, uintptr(size))
	if err != nil {
		return nil, nil, err
	}
	// The address is not one of Go's memory, and vet cannot know that.
	b = unsafe.Slice(*(**byte)(unsafe.Pointer(&address)), size)
	return b, func([]byte) error { return windows.UnmapViewOfFile(address) }, nil
}
