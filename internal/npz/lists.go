package npz

import "fmt"

// Lists holds lists of integers one after another in one slice.
type Lists struct {
	// Offsets has one element more than there are lists: list i is Values[Offsets[i]:Offsets[i+1]].
	Offsets []int
	Values  []int32
}

// Len is the number of lists.
func (l Lists) Len() int { return len(l.Offsets) - 1 }

// Row returns list i, without a copy.
func (l Lists) Row(i int) []int32 { return l.Values[l.Offsets[i]:l.Offsets[i+1]:l.Offsets[i+1]] }

// readLists reads a .npy file of size bytes that holds a one-dimensional object array of lists of integers. A value
// outside int32 is an error, and so is any instruction or function of its pickle that such an array does not need.
func readLists(s *source, size int64) (Lists, error) {
	h, err := readHeader(s)
	if err != nil {
		return Lists{}, err
	}
	if len(h.shape) != 1 || h.kind != 'O' {
		return Lists{}, fmt.Errorf("an array of shape %s of %s is no list of objects", h.shapeString(), h.descr)
	}
	return unpickle(s, h.shape[0], size-s.offset())
}
