package rowwise

import (
	"sync"
	"testing"
)

// Pages are zeros that nobody else has, whoever takes them, and little more is allocated than is taken.
func TestMemory(t *testing.T) {
	var m Memory
	var workers sync.WaitGroup
	taken := make([][][]float32, 4)
	for w := range taken {
		workers.Go(func() {
			for k := range 30 {
				page := m.take(1<<15 + k)
				for i, v := range page {
					if v != 0 {
						t.Errorf("element %d of a page is %v", i, v)
						return
					}
					page[i] = float32(1 + w)
				}
				taken[w] = append(taken[w], page)
			}
		})
	}
	workers.Wait()
	total := 0
	for w := range taken {
		for _, page := range taken[w] {
			total += len(page)
			for i, v := range page {
				if v != float32(1+w) {
					t.Fatalf("element %d of a page of worker %d is another's", i, w)
				}
			}
			if cap(page) != len(page) {
				t.Fatal("a page reaches into the next")
			}
		}
	}
	if m.total < total || m.total > total*8/5 {
		t.Errorf("%d elements are allocated, of which %d are taken", m.total, total)
	}
}
