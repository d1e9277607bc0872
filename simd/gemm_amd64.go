//go:build !purego

package simd

import (
	"sync/atomic"
	"unsafe"
)

func gemmAVX2(p product) {
	if p.n == 1 {
		gemvAVX2(p, p.mode())
		return
	}
	if p.n >= tileColumns && p.m >= copyRows && p.k*p.ldb >= tileSize && (p.k <= blockDepth || !p.accumulate) {
		gemmTiles(&p)
		return
	}
	gemmPanels(&p, 12, panelAVX2)
}

const (
	// tileSize and tileColumns are from how many elements and columns of B on A and
	// B are copied. Less of B is read from the caches as fast where it lies, or
	// is not used often enough for the copies to pay.
	tileSize    = 1 << 14
	tileColumns = 64

	// tileRows bounds the rows of a block of A: it stays in the second-level cache,
	// 288 KiB of 512, while the panels of B come by.
	tileRows = 144
)

// gemmTiles multiplies copies of A and B, block by block.
func gemmTiles(p *product) {
	to := takeCopies()
	defer to.giveBack()
	if to.a[0] == nil {
		to.a[0] = new(blockCopy)
	}
	depth, rows, columns := evenly(p.k, blockDepth, 8), evenly(p.m, tileRows, 6), evenly(p.n, blockColumns, 16)
	kept := rows < p.m // panels of B are, for other rows
	if kept && to.b == nil {
		to.b = new([blockDepth * blockColumns]float32)
	}
	mode := p.mode()
	for l := 0; l < p.k; l += depth {
		if l > 0 {
			mode = modeContinue
		}
		for j := 0; j < p.n; j += columns {
			for i := 0; i < p.m; i += rows {
				x := region{i: i, m: min(rows, p.m-i), j: j, n: min(columns, p.n-j), l: l, k: min(depth, p.k-l)}
				to.multiplyAVX2(p, x, kept, mode)
			}
		}
	}
}

// multiplyAVX2 multiplies a region, of which it copies A's elements, and B's if
// these are the first rows.
func (to *copies) multiplyAVX2(p *product, x region, kept bool, mode int) {
	tiles := x.m / 6
	a, copied := &p.a[x.i*p.rowStride+x.l*p.colStride], &to.a[0][0]
	switch {
	case tiles == 0:
	case p.colStride == 1:
		packRowsAVX2(tiles, x.k, copied, a, 4*p.rowStride)
	default:
		packColumnsAVX2(tiles, x.k, copied, a, 4*p.colStride)
	}
	for q := 0; q < x.n; q += 16 {
		b, width, panel := p.b[x.l*p.ldb+x.j+q:], min(16, x.n-q), &to.panel[0]
		if kept {
			panel = &to.b[q*x.k]
		}
		if x.i == 0 {
			packPanelAVX2(x.k, panel, &b[0], 4*p.ldb, width)
		}
		c := p.c[x.i*p.ldc+x.j+q:]
		if width == 16 && tiles > 0 {
			// What is multiplied after this panel is fetched meanwhile.
			next, nextStride := panel, 0
			switch {
			case q+16 >= x.n:
			case x.i == 0:
				next, nextStride = &b[16], 4*p.ldb
			default:
				next, nextStride = &to.b[(q+16)*x.k], 64
			}
			gemmTilesAVX2(tiles, x.k, copied, panel, &c[0], 4*p.ldc, mode, next, nextStride)
		} else {
			for r := 0; r < 6*tiles; r += 6 {
				panelAVX2(6, x.k, &to.a[0][r*x.k], 4, 24, panel, 64, &c[r*p.ldc], 4*p.ldc, width, 1, mode)
			}
		}
		if r := 6 * tiles; r < x.m {
			panelAVX2(x.m-r, x.k, &p.a[(x.i+r)*p.rowStride+x.l*p.colStride], 4*p.rowStride, 4*p.colStride, panel, 64, &c[r*p.ldc], 4*p.ldc, width, 1, mode)
		}
	}
}

// panelAVX2 multiplies the next of the given columns, and returns how many it
// has done.
func panelAVX2(m, k int, a *float32, rowStride, colStride int, b *float32, ldb int, c *float32, ldc, columns, chains, mode int) int {
	panel, width := gemm1x16AVX2, min(16, columns)
	switch {
	case chains == 1 && m <= 3 && columns >= 64:
		panel, width = gemm1x64AVX2, 64
	case chains == 1 && width == 16:
	case chains == 1 && width > 8:
		panel = gemm1x16TailAVX2
	case chains == 1:
		panel = gemm1x8TailAVX2
	case width == 16:
		panel = gemm2x16AVX2
	case width > 8:
		panel = gemm2x16TailAVX2
	default:
		panel = gemm2x8TailAVX2
	}
	panel(m, k, a, rowStride, colStride, b, ldb, c, ldc, width, mode)
	return width
}

// narrowAVX2 is a small product of 2 to 16 columns.
func narrowAVX2(m, k int, a *float32, rowStride, colStride int, b *float32, ldb int, c *float32, ldc, columns, mode int) {
	switch {
	case columns == 16:
		gemm2x16AVX2(m, k, a, rowStride, colStride, b, ldb, c, ldc, columns, mode)
	case columns > 8:
		gemm2x16TailAVX2(m, k, a, rowStride, colStride, b, ldb, c, ldc, columns, mode)
	default:
		gemm2x8TailAVX2(m, k, a, rowStride, colStride, b, ldb, c, ldc, columns, mode)
	}
}

// gemvAVX2 is a product with one column. Where neither A's rows nor its columns
// lie contiguous as the kernels want them, the portable loop does it.
func gemvAVX2(p product, mode int) {
	rows := max(16, gemmLimit/4/p.k/16*16)
	switch {
	case p.colStride == 1 && p.ldb == 1:
		for i := 0; i < p.m; i += rows {
			gemvDotAVX2(min(rows, p.m-i), p.k, &p.a[i*p.rowStride], 4*p.rowStride, &p.b[0], &p.c[i*p.ldc], 4*p.ldc, mode)
		}
	case p.rowStride == 1 && p.ldc == 1:
		for i := 0; i < p.m; i += rows {
			gemvColumnsAVX2(min(rows, p.m-i), p.k, &p.a[i], 4*p.colStride, &p.b[0], 4*p.ldb, &p.c[i], mode)
		}
	default:
		gemmGeneric(p)
	}
}

// transposeAVX2 transposes squares of 8 × 8 and leaves the edges to Go.
func transposeAVX2(dst, src []float32, rows, cols, stride int) {
	wholeRows, wholeCols := rows&^7, cols&^7
	if wholeCols > 0 {
		for i := 0; i < wholeRows; i += 8 {
			transpose8AVX2(&dst[i], &src[i*stride], rows, stride, wholeCols/8)
		}
	} else {
		wholeRows = 0
	}
	for i := range wholeRows {
		for j := wholeCols; j < cols; j++ {
			dst[j*rows+i] = src[i*stride+j]
		}
	}
	for i := wholeRows; i < rows; i++ {
		for j, v := range src[i*stride:][:cols] {
			dst[j*rows+i] = v
		}
	}
}

// gemmAVX512 multiplies panels of 32 columns of B, or fewer, with all rows of A.
func gemmAVX512(p product) {
	mode := p.mode()
	switch {
	case p.n == 1:
		gemvAVX512(p, mode)
	case p.n <= 32:
		rows := rowsAVX512(p.k)
		for i := 0; i < p.m; i += rows {
			m, a, c := min(rows, p.m-i), &p.a[i*p.rowStride], &p.c[i*p.ldc]
			if p.n <= 16 {
				gemm2x16AVX512(m, p.k, a, 4*p.rowStride, 4*p.colStride, &p.b[0], 4*p.ldb, c, 4*p.ldc, p.n, mode)
			} else {
				gemm2x32AVX512(m, p.k, a, 4*p.rowStride, 4*p.colStride, &p.b[0], 4*p.ldb, c, 4*p.ldc, p.n, mode)
			}
		}
	case p.m <= 3:
		for j := 0; j < p.n; {
			columns := min(128, p.n-j)
			if columns == 128 {
				gemm1x128AVX512(p.m, p.k, &p.a[0], 4*p.rowStride, 4*p.colStride, &p.b[j], 4*p.ldb, &p.c[j], 4*p.ldc, columns, mode)
			} else {
				columns = min(64, columns)
				gemm1x64AVX512(p.m, p.k, &p.a[0], 4*p.rowStride, 4*p.colStride, &p.b[j], 4*p.ldb, &p.c[j], 4*p.ldc, columns, mode)
			}
			j += columns
		}
	case p.accumulate || p.m < copyRows || p.k*p.ldb < copySize:
		// B stays in the L1 cache, or is not used often enough to be copied.
		for j := 0; j < p.n; j += 32 {
			panelAVX512(p.m, p.k, &p.a[0], p.rowStride, p.colStride, &p.b[j], p.ldb, &p.c[j], p.ldc, p.n-j, mode, &p.b[0], 0)
		}
	default:
		gemmCopyAVX512(&p)
	}
}

// gemvAVX512 is a product with one column: 16 rows at a time, where all lies
// contiguous, and the others as gemvAVX2 does them.
func gemvAVX512(p product, mode int) {
	if p.colStride == 1 && p.ldb == 1 && p.ldc == 1 {
		step := max(16, gemmLimit/4/p.k/16*16)
		for p.m >= 16 {
			rows := min(step, p.m&^15)
			gemvDotAVX512(rows/16, p.k, &p.a[0], 4*p.rowStride, &p.b[0], &p.c[0], mode)
			p.m -= rows
			if p.m == 0 {
				return
			}
			p.a, p.c = p.a[rows*p.rowStride:], p.c[rows:]
		}
	}
	gemvAVX2(p, mode)
}

// panelAVX512 multiplies one panel of columns, at most 32, in calls that are
// short enough. Meanwhile it fetches the k rows from next on that lie nextStride
// elements apart, unless that is 0.
func panelAVX512(m, k int, a *float32, rowStride, colStride int, b *float32, ldb int, c *float32, ldc, columns, mode int, next *float32, nextStride int) {
	columns = min(columns, 32)
	limit := rowsAVX512(k)
	rows := limit
	if nextStride > 0 {
		rows = min(limit, fetchRows(k))
	}
	for i := 0; i < m; i, rows = i+rows, limit {
		if i > 0 {
			next, nextStride = b, 0
		}
		a := (*float32)(unsafe.Add(unsafe.Pointer(a), 4*i*rowStride))
		c := (*float32)(unsafe.Add(unsafe.Pointer(c), 4*i*ldc))
		if columns <= 16 {
			gemm1x16AVX512(min(rows, m-i), k, a, 4*rowStride, 4*colStride, b, 4*ldb, c, 4*ldc, columns, mode)
		} else {
			gemm1x32AVX512(min(rows, m-i), k, a, 4*rowStride, 4*colStride, b, 4*ldb, c, 4*ldc, columns, mode, next, 4*nextStride)
		}
	}
}

// fetchRows returns with how many rows of C the kernel fetches k rows of a panel.
func fetchRows(k int) int { return 14 * max(2, (k+63)/64) }

// rowsAVX512 returns how many rows one call takes.
func rowsAVX512(k int) int { return max(14, gemmLimit/16/k/14*14) }

const (
	// copySize and copyRows are from how many elements and rows of A on B is
	// copied, panel by panel.
	copySize = 1 << 13
	copyRows = 56

	// copySizeA is from how many elements on A is copied too.
	copySizeA = 1 << 19

	// blockDepth, blockRows and blockColumns bound the blocks that are multiplied
	// with one another. A block of A stays in the second-level cache while the
	// panels of a block of B, 64 KiB each, come by and the next block of A is
	// copied: 0.7 MiB of 1 MiB. Less depth would read and write C more often.
	blockDepth   = 512
	blockRows    = 168
	blockColumns = 1024

	// padding is how much further apart than their length copied rows lie: not a
	// power of two, which would make them compete for the same few lines of the
	// caches.
	padding = 16

	// copyLimit bounds the elements of one call that copies: about 20 µs.
	copyLimit = 1 << 17
)

// copies is what a product copies A and B to.
type copies struct {
	panel panelCopy
	b     *[blockDepth * blockColumns]float32
	a     [2]*blockCopy
}

type (
	panelCopy [blockDepth * 32]float32
	blockCopy [blockDepth * (blockRows + padding)]float32
)

// idleCopies keeps what products copy to between calls: too much for the stack,
// and asking the caller for it would put the sizes of these blocks into
// GemmNN's signature. What is written there is of no use to the next product, and
// workers that multiply at once take one each: 64 KiB and, once A was large,
// 2.8 MiB, or with AVX2 0.4 and 2.4 MiB. It is no sync.Pool, which forgets what it holds
// with each garbage collection and does not give to one processor what another
// has put there: touching new memory takes as long as a tenth of a product of
// 1024 × 1024 × 1024.
var idleCopies [8]atomic.Pointer[copies]

func takeCopies() *copies {
	for i := range idleCopies {
		if c := idleCopies[i].Swap(nil); c != nil {
			return c
		}
	}
	return new(copies)
}

// giveBack keeps c for the next product. There is room for eight at once.
func (c *copies) giveBack() {
	for i := range idleCopies {
		if idleCopies[i].CompareAndSwap(nil, c) {
			return
		}
	}
}

// copying is a matrix that is being copied, piece by piece: up to 64 rows and 32
// columns, which the kernel has fetched while it multiplied 14 rows with 128
// columns of A or more. Nobody waits for memory then, nor do rows that lie a
// power of two apart throw one another out of the caches before they are copied.
type copying struct {
	dst, src             *float32
	dstStride, srcStride int
	rows, columns        int
	row, column          int // where the next piece begins; all is done when column is columns
}

func (c *copying) done() bool { return c.column >= c.columns }

// next returns where the next piece lies.
func (c *copying) next() *float32 {
	return (*float32)(unsafe.Add(unsafe.Pointer(c.src), 4*(c.row*c.srcStride+c.column)))
}

// stepAVX512 copies the next piece.
func (c *copying) stepAVX512() {
	dst := (*float32)(unsafe.Add(unsafe.Pointer(c.dst), 4*(c.row*c.dstStride+c.column)))
	copyMatrixAVX512(dst, c.next(), 4*c.dstStride, 4*c.srcStride, min(64, c.rows-c.row), min(32, c.columns-c.column))
	if c.row += 64; c.row >= c.rows {
		c.row, c.column = 0, c.column+32
	}
}

// finishAVX512 copies what is left, in long rows.
func (c *copying) finishAVX512() {
	for c.row > 0 {
		c.stepAVX512()
	}
	if c.done() {
		return
	}
	step := max(1, copyLimit/c.columns)
	for r := 0; r < c.rows; r += step {
		dst := (*float32)(unsafe.Add(unsafe.Pointer(c.dst), 4*(r*c.dstStride+c.column)))
		src := (*float32)(unsafe.Add(unsafe.Pointer(c.src), 4*(r*c.srcStride+c.column)))
		copyMatrixAVX512(dst, src, 4*c.dstStride, 4*c.srcStride, min(step, c.rows-r), c.columns-c.column)
	}
	c.column = c.columns
}

// gemmCopyAVX512 multiplies rows of A with one panel of B after the other, each
// of which it copies first. Where A is large it goes block by block, copies the
// blocks of A too, and keeps the panels for all of them.
func gemmCopyAVX512(p *product) {
	to := takeCopies()
	defer to.giveBack()
	depth := evenly(p.k, blockDepth, 16)
	if p.m*p.k <= copySizeA {
		for l := 0; l < p.k; l += depth {
			x := region{m: p.m, n: p.n, l: l, k: min(depth, p.k-l)}
			to.multiplyAVX512(p, x, &p.a[l*p.colStride], p.rowStride, p.colStride, &copying{})
		}
		return
	}
	if to.b == nil {
		to.b = new([blockDepth * blockColumns]float32)
	}
	for turn, a := range to.a {
		if a == nil {
			to.a[turn] = new(blockCopy)
		}
	}
	rows, columns := evenly(p.m, blockRows, 14), evenly(p.n, blockColumns, 32)
	at := func(i, j, l int) region {
		return region{i: i, m: min(rows, p.m-i), j: j, n: min(columns, p.n-j), l: l, k: min(depth, p.k-l)}
	}
	x := at(0, 0, 0)
	a := p.copyA(x, to.a[0])
	a.finishAVX512()
	for turn := 0; x.l < p.k; turn = 1 - turn {
		// What comes after this block: rows, then columns, then products.
		y := x
		if y.i += rows; y.i >= p.m {
			y.i = 0
			if y.j += columns; y.j >= p.n {
				y.j = 0
				y.l += depth
			}
		}
		if a = (copying{}); y.l < p.k {
			y = at(y.i, y.j, y.l)
			a = p.copyA(y, to.a[1-turn])
		}
		rowStride, colStride := x.k+padding, 1
		if p.colStride != 1 {
			rowStride, colStride = 1, x.m+padding
		}
		to.multiplyAVX512(p, x, &to.a[turn][0], rowStride, colStride, &a)
		a.finishAVX512()
		x = y
	}
}

// region is a part of a product: the products l to l + k of rows i to i + m and
// columns j to j + n.
type region struct{ i, m, j, n, l, k int }

// copyB begins the copy of a panel of B, to where the caller says.
func (p *product) copyB(x region, q int) copying {
	return copying{src: &p.b[x.l*p.ldb+x.j+q], dstStride: 32, srcStride: p.ldb, rows: x.k, columns: min(32, x.n-q)}
}

// copyA begins the copy of a block of A.
func (p *product) copyA(x region, to *blockCopy) copying {
	c := copying{dst: &to[0], src: &p.a[x.i*p.rowStride+x.l*p.colStride], dstStride: x.k + padding, srcStride: p.rowStride, rows: x.m, columns: x.k}
	if p.colStride != 1 {
		c.dstStride, c.srcStride, c.rows, c.columns = x.m+padding, p.colStride, x.k, x.m
	}
	return c
}

// multiplyAVX512 adds a region's products to C, and copies the panels of B if
// these are the first rows. a is where the region's elements of A begin.
// Meanwhile it does what it can of another copy.
func (to *copies) multiplyAVX512(p *product, x region, a *float32, rowStride, colStride int, other *copying) {
	mode := modeStore
	if x.l > 0 {
		mode = modeContinue
	}
	first, kept := x.i == 0, x.m < p.m // kept for other rows
	b := p.copyB(x, 0)
	for q := 0; q < x.n; q += 32 {
		panel := &to.panel[0]
		if kept {
			panel = &to.b[q*x.k]
		}
		if b.dst = panel; first {
			b.finishAVX512()
		}
		// What the products of this panel fetch or copy for the next.
		b = copying{}
		next, nextStride := panel, 0
		switch {
		case first && q+32 < x.n:
			b = p.copyB(x, q+32)
			if kept {
				b.dst = &to.b[(q+32)*x.k]
			} else {
				// The same place takes it, when this panel is done with.
				next, nextStride = b.src, b.srcStride
			}
		case kept && q+32 < x.n:
			next, nextStride = &to.b[(q+32)*x.k], 32
		case kept && x.i+x.m < p.m:
			next, nextStride = &to.b[0], 32
		}
		c := &p.c[x.i*p.ldc+x.j+q]
		for r, m := 0, 0; r < x.m; r += m {
			m = x.m - r
			var piece *copying
			next, nextStride := next, nextStride
			switch {
			case nextStride > 0 && r == 0:
				m = min(m, fetchRows(x.k))
			case kept && !b.done():
				piece = &b
			case !other.done():
				piece = other
			default:
				nextStride = 0
			}
			if piece != nil {
				next, nextStride = piece.next(), piece.srcStride
				if m >= 28 {
					m = 14
				}
			}
			panelAVX512(m, x.k, (*float32)(unsafe.Add(unsafe.Pointer(a), 4*r*rowStride)), rowStride, colStride, panel, 32,
				(*float32)(unsafe.Add(unsafe.Pointer(c), 4*r*p.ldc)), p.ldc, x.n-q, mode, next, nextStride)
			if piece != nil {
				piece.stepAVX512()
			}
		}
	}
}

// evenly returns how long equal parts of n are that are at most limit long, a
// multiple of unit as limit is.
func evenly(n, limit, unit int) int {
	parts := (n + limit - 1) / limit
	return min(limit, ((n+parts-1)/parts+unit-1)/unit*unit)
}

// transposeAVX512 transposes squares of 16 × 16 and leaves the edges to AVX2
// and Go.
func transposeAVX512(dst, src []float32, rows, cols, stride int) {
	wholeRows, wholeCols := rows&^15, cols&^15
	if wholeRows == 0 || wholeCols == 0 {
		transposeAVX2(dst, src, rows, cols, stride)
		return
	}
	for i := 0; i < wholeRows; i += 16 {
		transpose16AVX512(&dst[i], &src[i*stride], 4*rows, 4*stride, wholeCols/16)
	}
	for i := range wholeRows {
		for j := wholeCols; j < cols; j++ {
			dst[j*rows+i] = src[i*stride+j]
		}
	}
	for i := wholeRows; i < rows; i++ {
		for j, v := range src[i*stride:][:cols] {
			dst[j*rows+i] = v
		}
	}
}
