package nn

// AutomaticThreads is the number of workers that a setting of 0 gives for a batch of so many rows.
func (m *Model) AutomaticThreads(rows int) int { return m.threads(0, rows, m.input) }
