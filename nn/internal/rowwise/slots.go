package rowwise

import (
	"slices"

	"github.com/linnet-ml/linnet/nn/plan"
)

// slots keeps an optimizer's slots of a table's touched rows, by their places. Their memory comes in pages, which stay
// where they are when there are more. Where single rows are visited, all slots of a row lie side by side, and a row comes
// from memory in one piece; where all rows are, each slot of a page does, and the optimizer takes a page at a time.
type slots struct {
	width     int
	first     []plan.Slot
	rows      int // of a page, a power of two
	shift     int // place>>shift is the page
	memory    *Memory
	slotAfter int // elements from one slot of a row to the next
	rowAfter  int // elements from one row of a slot to the next
	pages     [][]float32
}

const (
	// pageElements is how many elements of a table are updated at a time: their gradient is cleared while still in the cache.
	pageElements = 1 << 12
	// recordElements is how many elements of slots a page has where they lie side by side.
	recordElements = 1 << 18
)

// newSlots returns slots that lie side by side by page or by row.
func newSlots(width int, first []plan.Slot, byPage bool, memory *Memory) slots {
	s := slots{width: width, first: first, memory: memory}
	elements, record := recordElements, width*max(1, len(first))
	if byPage {
		elements, record = pageElements, width
	}
	for s.rows = 1; 2*s.rows*record <= elements; s.rows *= 2 {
		s.shift++
	}
	s.slotAfter, s.rowAfter = width, width*len(first)
	if byPage {
		s.slotAfter, s.rowAfter = s.rows*width, width
	}
	return s
}

// add makes room for a place, the first that has none.
func (s *slots) add(place int) {
	if len(s.first) == 0 || place&(s.rows-1) != 0 {
		return
	}
	page := s.memory.take(s.rows * s.width * len(s.first))
	s.pages = append(s.pages, page)
	for k, slot := range s.first {
		if slot.First == 0 {
			continue
		}
		for i := range s.rows {
			row := page[k*s.slotAfter+i*s.rowAfter:][:s.width]
			for j := range row {
				row[j] = slot.First
			}
		}
	}
}

// slot is slot k of the row at a place.
func (s *slots) slot(k, place int) []float32 {
	at := place&(s.rows-1)*s.rowAfter + k*s.slotAfter
	return s.pages[place>>s.shift][at : at+s.width]
}

// of writes all slots of the row at a place to dst, and returns it.
func (s *slots) of(dst [][]float32, place int) [][]float32 {
	if len(dst) == 0 {
		return dst
	}
	page, at := s.pages[place>>s.shift], place&(s.rows-1)*s.rowAfter
	for k := range dst {
		dst[k] = page[at : at+s.width : at+s.width]
		at += s.slotAfter
	}
	return dst
}

// record is the memory of all slots of the row at a place, which lie side by side.
func (s *slots) record(place int) []float32 {
	if len(s.first) == 0 {
		return nil
	}
	at := place & (s.rows - 1) * s.rowAfter
	return s.pages[place>>s.shift][at : at+s.rowAfter]
}

// page is slot k of the rows from a place on, the first of a page.
func (s *slots) page(k, place int) []float32 {
	return s.pages[place>>s.shift][k*s.slotAfter : (k+1)*s.slotAfter]
}

// moved reports whether a slot of the row at a place has left its first value.
func (s *slots) moved(place int) bool {
	for k := range s.first {
		if slices.ContainsFunc(s.slot(k, place), func(v float32) bool { return v != s.first[k].First }) {
			return true
		}
	}
	return len(s.first) == 0
}
