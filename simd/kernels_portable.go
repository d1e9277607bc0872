//go:build (!amd64 && !arm64) || purego

package simd

// available returns the paths that this processor can run, best last.
func available() []kernels { return []kernels{portable} }
