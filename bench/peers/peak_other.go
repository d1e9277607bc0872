//go:build !linux && !darwin

package main

import "os"

// peakMemory is not known here.
func peakMemory(*os.ProcessState) (bytes int64, ok bool) { return 0, false }
