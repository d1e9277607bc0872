package simd

import (
	"strings"
	"testing"
)

// TestNothingFused protects the same bits on every platform from the compiler:
// on arm64, as on riscv64, it fuses a product with a sum unless float32() or
// float64() stands between them, over several statements too. The portable fused
// multiply-add itself may be fused, as its product is exact.
func TestNothingFused(t *testing.T) {
	for _, line := range disassemble(t) {
		file, _, _ := strings.Cut(line.place, ":")
		switch line.instruction {
		case "FMADDS", "FMSUBS", "FNMADDS", "FNMSUBS", "FMADDD", "FMSUBD", "FNMADDD", "FNMSUBD":
		default:
			continue
		}
		if strings.HasSuffix(file, "_test.go") || file == "fma_generic.go" || file == "gemm_generic.go" {
			continue
		}
		t.Errorf("%s: %s: convert the product before it is added", line.place, line.instruction)
	}
}
