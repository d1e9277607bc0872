// Package filelock locks open files against other processes, and against other open files of this one. The system gives
// a lock back when the file is closed and when the process dies.
package filelock
