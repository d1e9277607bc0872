package linear

// A Matrix has sparse rows: row i has Value[j] in column ID[j] for j from Start[i] to Start[i+1]-1, each column once.
type Matrix struct {
	Columns int
	Start   []int
	ID      []uint32
	Value   []float32
}

// Rows returns the number of rows.
func (m *Matrix) Rows() int { return len(m.Start) - 1 }

// Row returns the columns and the values of row i.
func (m *Matrix) Row(i int32) ([]uint32, []float32) {
	from, to := m.Start[i], m.Start[i+1]
	return m.ID[from:to:to], m.Value[from:to:to]
}

// dot is the product of weights and a row, in four sums, so that an addition need not wait for the one before.
func dot(w []float32, id []uint32, value []float32) float32 {
	var a, b, c, d float32
	value = value[:len(id)]
	for len(id) >= 4 && len(value) >= 4 {
		a += float32(w[id[0]] * value[0])
		b += float32(w[id[1]] * value[1])
		c += float32(w[id[2]] * value[2])
		d += float32(w[id[3]] * value[3])
		id, value = id[4:], value[4:]
	}
	for j, i := range id {
		a += float32(w[i] * value[j])
	}
	return (a + b) + (c + d)
}

// add adds s times a row to weights. With squares, column c of the row is multiplied by squares[c].
func add(w []float32, s float32, id []uint32, value, squares []float32) {
	value = value[:len(id)]
	if squares == nil {
		for j, i := range id {
			w[i] += float32(s * value[j])
		}
		return
	}
	for j, i := range id {
		w[i] += float32(float32(s*value[j]) * squares[i])
	}
}

// squaredNorm is the squared length of a row whose column c is multiplied by the root of squares[c].
func squaredNorm(id []uint32, value, squares []float32) float64 {
	s := 0.0
	for j, i := range id {
		v := float64(value[j]) * float64(value[j]) // exact in float64: 48 bits of 53
		if squares != nil {
			v = float64(v * float64(squares[i]))
		}
		s += v
	}
	return s
}
