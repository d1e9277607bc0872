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

// add adds s times a row to weights.
func add(w []float32, s float32, id []uint32, value []float32) {
	value = value[:len(id)]
	for j, i := range id {
		w[i] += float32(s * value[j])
	}
}

func squaredNorm(value []float32) float64 {
	s := 0.0
	for _, v := range value {
		s += float64(v) * float64(v) // exact in float64: 48 bits of 53
	}
	return s
}

// Scaled returns the matrix with each column multiplied by a factor.
func (m *Matrix) Scaled(factors []float32) *Matrix {
	r := *m
	r.Value = make([]float32, len(m.Value))
	for j, c := range m.ID {
		r.Value[j] = m.Value[j] * factors[c]
	}
	return &r
}
