package wordvectors

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// manyRows is a file of several batches, as text, and what it holds.
func manyRows(n int) (file []byte, values []float32) {
	var b bytes.Buffer
	for i := range n {
		fmt.Fprintf(&b, "word%d %d.5 -%de-3 0.%05d\n", i, i, i, i)
		values = append(values, float32(i)+0.5, float32(-float64(i)/1000), float32(float64(i)/100000))
	}
	return b.Bytes(), values
}

// With any number of cores ReadRows gives what Vector gives, of the words that are wanted.
func TestReadRows(t *testing.T) {
	const n = 20_000
	file, values := manyRows(n)
	for _, procs := range []int{1, 4} {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
		for _, step := range []int{1, 7} {
			d, err := NewReader(bytes.NewReader(file), Options{})
			if err != nil {
				t.Fatal(err)
			}
			dst := make([]float32, 3*n)
			seen := 0
			rows, err := d.ReadRows(dst, func(row int, word []byte) bool {
				if want := fmt.Sprintf("word%d", seen); string(word) != want || row != (seen+step-1)/step {
					t.Fatalf("word %q of row %d, want %q", word, row, want)
				}
				seen++
				return (seen-1)%step == 0
			})
			if err != nil || rows != (n+step-1)/step || step == 1 && seen != n {
				t.Fatalf("%d rows of %d words, error %v", rows, seen, err)
			}
			for r := range rows {
				if !slices.Equal(dst[3*r:3*r+3], values[3*r*step:3*r*step+3]) {
					t.Fatalf("row %d: %v, want %v", r, dst[3*r:3*r+3], values[3*r*step:3*r*step+3])
				}
			}
		}
	}
	// A slice that is full ends it: what stands behind is not looked at.
	d, err := NewReader(io.MultiReader(bytes.NewReader(file), strings.NewReader("broken")), Options{})
	if err != nil {
		t.Fatal(err)
	}
	dst := make([]float32, 3*5)
	if rows, err := d.ReadRows(dst, func(int, []byte) bool { return true }); rows != 5 || err != nil || !slices.Equal(dst, values[:15]) {
		t.Errorf("%d rows, error %v: %v", rows, err, dst)
	}
	if _, err := d.ReadRows(dst[:4], nil); err == nil || err.Error() != "wordvectors: vectors of 3 values do not fill 4" {
		t.Errorf("got %v", err)
	}
}

// Whoever finds an error, it is the first of the file that is reported, and nobody is left behind.
func TestReadRowsErrors(t *testing.T) {
	const n = 20_000
	file, _ := manyRows(n)
	lines := bytes.SplitAfter(file, []byte{'\n'})
	change := func(at int, line string) {
		lines[at] = []byte(line)
	}
	change(19_990, "broken\n")
	read := func() error {
		d, err := NewReader(bytes.NewReader(bytes.Join(lines, nil)), Options{})
		if err != nil {
			t.Fatal(err)
		}
		_, err = d.ReadRows(make([]float32, 3*n), func(int, []byte) bool { return true })
		return err
	}
	before := runtime.NumGoroutine()
	checkError(t, "layout", read(), `wordvectors: line 19991 has 0 values behind the word "broken", not 3`)
	change(19_980, "x 1 2 3,4\n")
	checkError(t, "number near the end", read(), `wordvectors: line 19981: value 3: "3,4" is no number`)
	change(9000, "x 1 nan 3\n")
	for range 20 {
		checkError(t, "two numbers", read(), `wordvectors: line 9001: value 2: "nan" is not finite`)
	}
	for tries := 0; runtime.NumGoroutine() > before; tries++ { // the last of them may still be on its way out
		if tries == 1000 {
			t.Fatalf("%d goroutines before, %d after", before, runtime.NumGoroutine())
		}
		time.Sleep(time.Millisecond)
	}
	nan := []byte("2 1\na \x00\x00\x80\x3fb \x00\x00\x80\x7f")
	d, err := NewReader(bytes.NewReader(nan), Options{})
	if err != nil {
		t.Fatal(err)
	}
	dst := []float32{0, 0}
	_, err = d.ReadRows(dst, func(int, []byte) bool { return true })
	checkError(t, "binary", err, "wordvectors: word 2 at byte 10: value 1 is +Inf")
	if dst[0] != 1 || !math.IsInf(float64(dst[1]), 1) {
		t.Errorf("%v", dst)
	}
}
