package rowwise

import (
	"sync"

	"github.com/linnet-ml/linnet/internal/hugepage"
)

// Memory is where the slots of tables lie. The tables' parts take it page by page, once there is much of it from larger pieces:
// rows are visited in no order, and only large pieces get huge pages. The zero Memory is empty; workers may share one.
type Memory struct {
	mu    sync.Mutex
	spare []float32 // of the latest piece
	total int       // elements of all pieces
}

const (
	// A processor knows where some 2,000 small pages lie, which is 8 MB.
	muchMemory = 1 << 21 // elements
	// A piece is as large as half of the memory before it, so that a third of the memory is spare at the most, up to 32 MB.
	mostPiece = 1 << 23
)

// take returns n zeros that nobody else has.
func (m *Memory) take(n int) []float32 {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.spare) < n {
		piece := n
		if m.total >= muchMemory {
			piece = max(n, min(m.total/2, mostPiece))
		}
		m.spare = hugepage.Make[[]float32](piece)
		m.total += piece
	}
	page := m.spare[:n:n]
	m.spare = m.spare[n:]
	return page
}
