//go:build unix

package plainfile

import "syscall"

// nonBlocking keeps the opening of a pipe, put there between the look and the opening, from waiting.
const nonBlocking = syscall.O_NONBLOCK
