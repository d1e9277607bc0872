//go:build !unix

package texts

// wakePipe has nothing to do where a file system has no named pipes.
func wakePipe(string) {}
