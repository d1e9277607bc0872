package spill

import (
	"errors"
	"os"
	"syscall"
	"testing"
)

// A full disk is an error that says so, and the writer's file is closed.
func TestFull(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil || !canMap {
		t.Skip("no /dev/full")
	}
	w := &Writer[uint32]{space: &Space{Bound: 1}, file: full, buffer: make([]uint32, 0, buffered)}
	err = w.Append(make([]uint32, buffered))
	if !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("%v", err)
	}
	w.Discard()
	if err := full.Close(); !errors.Is(err, os.ErrClosed) {
		t.Error("the file was left open")
	}
}
