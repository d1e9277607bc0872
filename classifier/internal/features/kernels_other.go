//go:build !amd64 || purego

package features

// available returns the kernels that this processor can run, the best last.
func available() []kernels { return []kernels{portable} }

func best() kernels { return portable }
