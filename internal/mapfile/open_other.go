//go:build !unix

package mapfile

const nonBlocking = 0
