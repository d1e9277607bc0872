package rowwise

import (
	"sync"

	"github.com/linnet-ml/linnet/internal/hugepage"
)

// Memory is where the slots of tables lie. The tables' parts take it page by page, from pieces that are each twice as large as
// the one before: rows are visited in no order, and only large pieces get huge pages. The zero Memory is empty; all workers
// may use one at a time.
type Memory struct {
	mu    sync.Mutex
	spare []float32 // of the latest piece
	piece int       // its elements
}

// mostPiece is how many elements a piece has at most: 32 MB.
const mostPiece = 1 << 23

// take returns n zeros that nobody else has.
func (m *Memory) take(n int) []float32 {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.spare) < n {
		m.piece = max(n, min(2*m.piece, mostPiece))
		m.spare = hugepage.Make[[]float32](m.piece)
	}
	page := m.spare[:n:n]
	m.spare = m.spare[n:]
	return page
}
