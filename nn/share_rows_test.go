package nn

import "testing"

// Parts of a table's rows cover it in order, and have about the same work even where few rows have most of it.
func TestShareRows(t *testing.T) {
	const rows = 1000
	skewed := make([]float32, rows)
	for i := range skewed {
		skewed[i] = 20000 / float32(i+1)
	}
	for _, contributions := range [][]float32{nil, skewed, make([]float32, rows)} {
		for parts := 1; parts <= 8; parts++ {
			ends := shareRows(rows, parts, false, contributions)
			total, most := 0.0, 0.0
			for k, lo := 0, 0; k < parts; k++ {
				if ends[k] < lo {
					t.Fatalf("%d parts end at %v", parts, ends)
				}
				work := 0.0
				for row := lo; row < ends[k]; row++ {
					work += 6
					if contributions != nil {
						work += float64(contributions[row])
					}
				}
				total, most = total+work, max(most, work)
				lo = ends[k]
			}
			if ends[parts-1] != rows {
				t.Fatalf("%d parts end at %v", parts, ends)
			}
			// A part may exceed its share by no more than its last row.
			if limit := total/float64(parts) + 20006; most > limit {
				t.Errorf("%d parts: one has work %v of %v", parts, most, total)
			}
		}
	}
}
