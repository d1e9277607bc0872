//go:build unix

package main

import (
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/term"
)

// ignoreHangup makes SIGHUP do nothing, unless a terminal that is closed sends it: operators send it so that files are read again,
// which happens without it.
func ignoreHangup() {
	if !term.IsTerminal(int(os.Stderr.Fd())) {
		signal.Ignore(syscall.SIGHUP)
	}
}
