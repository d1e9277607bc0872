package text

// Cuts finds where in rows of bags the ids from a limit on begin, and remembers it while it is asked for the same limit in
// the same bags, until these are made anew. The zero Cuts is ready; a nil one remembers nothing. It belongs to one goroutine.
type Cuts struct {
	made  uint64 // Bags.made
	limit int
	found []int32 // how many ids of each row are below the limit, plus 1; or 0
}

// Locate writes for each of some rows, by their numbers, where its pairs begin whose ids are not below limit: see
// [Bags.Bounds].
func (c *Cuts) Locate(at []int, bags *Bags, rows []int32, limit int) {
	if c == nil {
		for i, row := range rows {
			at[i] = bags.offsets[row] + int(bags.below(int(row), limit))
		}
		return
	}
	if c.made != bags.made || c.limit != limit {
		c.made, c.limit = bags.made, limit
		if n := bags.Len(); cap(c.found) < n {
			c.found = make([]int32, n)
		} else {
			c.found = c.found[:n]
			clear(c.found)
		}
	}
	at = at[:len(rows)]
	for i, row := range rows {
		n := c.found[row]
		if n == 0 {
			n = bags.below(int(row), limit) + 1
			c.found[row] = n
		}
		at[i] = bags.offsets[row] + int(n-1)
	}
}

// below is how many ids of a row are below a limit. They are distinct, of an int32 each.
func (b *Bags) below(row, limit int) int32 {
	from, to := b.Bounds(row)
	if b.isWide {
		return int32(search(b.wide, from, to, limit) - from)
	}
	return int32(search(b.narrow, from, to, limit) - from)
}

// search returns the first of the pairs from and before to whose id is not below the given one.
func search[P pair](pairs []P, from, to, id int) int {
	for from < to {
		middle := int(uint(from+to) / 2)
		if idOf(pairs[middle]) < id {
			from = middle + 1
		} else {
			to = middle
		}
	}
	return from
}
