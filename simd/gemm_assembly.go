//go:build (amd64 || arm64) && !purego

package simd

// How the assembly is called.
const (
	// gemmDepth is how many rows of B one call takes where there is one chain,
	// which the next call continues: 16 columns of them stay in the L1 cache.
	gemmDepth = 512

	// gemmLimit bounds the multiply-adds of one call, which cannot be preempted:
	// about 20 µs on a fast processor.
	gemmLimit = 1 << 20
)

// mode is what a product's last call does with c.
func (p *product) mode() int {
	if p.accumulate {
		return modeAdd
	}
	return modeStore
}

// gemmPanels multiplies one panel of columns of B after the other with rows of
// A, in calls that are short enough, of a multiple of unit rows. panel does the
// next of the given columns and returns how many; its strides are in bytes. B and
// A are read where they lie.
func gemmPanels(p *product, unit int, panel func(m, k int, a *float32, rowStride, colStride int, b *float32, ldb int, c *float32, ldc, columns, chains, mode int) int) {
	mode := p.mode()
	chains := chains(p.n)
	depth := p.k
	if chains == 1 && !p.accumulate {
		depth = gemmDepth
	}
	for l := 0; l < p.k; l += depth {
		if l > 0 {
			mode = modeContinue
		}
		k := min(depth, p.k-l)
		rows := max(unit, gemmLimit/16/k/unit*unit)
		for i := 0; i < p.m; i += rows {
			m, a := min(rows, p.m-i), &p.a[i*p.rowStride+l*p.colStride]
			for j := 0; j < p.n; {
				j += panel(m, k, a, 4*p.rowStride, 4*p.colStride, &p.b[l*p.ldb+j], 4*p.ldb, &p.c[i*p.ldc+j], 4*p.ldc, p.n-j, chains, mode)
			}
		}
	}
}
