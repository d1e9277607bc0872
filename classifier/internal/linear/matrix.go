package linear

// A Matrix has sparse rows: row i has Value[j] in column ID[j] for j from Start[i] to Start[i+1]-1, each column once.
type Matrix struct {
	Columns int
	Start   []int
	ID      []uint32
	Value   []float32

	// Factors multiply the values of each column when they are used; nil for none. They are for a matrix of which there is to be
	// no other copy. See [Matrix.Scaled].
	Factors []float32
	// Mapped says that the values lie in a file that is mapped.
	Mapped bool
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

// dot is the product of weights and a row.
func (m *Matrix) dot(w []float32, id []uint32, value []float32) float32 {
	if m.Factors == nil {
		return dot(w, id, value)
	}
	var a, b, c, d float32
	value, r := value[:len(id)], m.Factors
	for len(id) >= 4 && len(value) >= 4 {
		a += float32(w[id[0]] * float32(value[0]*r[id[0]]))
		b += float32(w[id[1]] * float32(value[1]*r[id[1]]))
		c += float32(w[id[2]] * float32(value[2]*r[id[2]]))
		d += float32(w[id[3]] * float32(value[3]*r[id[3]]))
		id, value = id[4:], value[4:]
	}
	for j, i := range id {
		a += float32(w[i] * float32(value[j]*r[i]))
	}
	return (a + b) + (c + d)
}

// add adds s times a row to weights.
func (m *Matrix) add(w []float32, s float32, id []uint32, value []float32) {
	if m.Factors == nil {
		add(w, s, id, value)
		return
	}
	value = value[:len(id)]
	for j, i := range id {
		w[i] += float32(s * float32(value[j]*m.Factors[i]))
	}
}

// squaredNorm is the squared length of a row.
func (m *Matrix) squaredNorm(id []uint32, value []float32) float64 {
	if m.Factors == nil {
		return squaredNorm(value)
	}
	s := 0.0
	for j, i := range id {
		v := float64(float32(value[j] * m.Factors[i]))
		s += float64(v * v)
	}
	return s
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

// Scaled returns the matrix with each column multiplied by a factor. It has values of its own if they are no more than most, and
// not in a file; else it has Factors, which give the same bits and take longer.
func (m *Matrix) Scaled(factors []float32, most int) *Matrix {
	r := *m
	if m.Mapped || len(m.Value) > most {
		r.Factors = factors
		return &r
	}
	r.Value = make([]float32, len(m.Value))
	for j, c := range m.ID {
		r.Value[j] = m.Value[j] * factors[c]
	}
	return &r
}
