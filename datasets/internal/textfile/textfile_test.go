package textfile

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
)

func TestArena(t *testing.T) {
	var a Arena
	var want, got []string
	for i := range 5000 {
		s := strings.Repeat(fmt.Sprint(i, ","), i*i%977)
		if i%1000 == 999 {
			s = strings.Repeat(s, 1+piece/(4*(len(s)+1))*2)
		}
		want = append(want, s)
		got = append(got, a.Add([]byte(s)))
	}
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("text %d has changed", i)
		}
	}
}

// An arena takes little more memory than its texts.
func TestArenaMemory(t *testing.T) {
	text := make([]byte, 1300)
	got := testing.Benchmark(func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var a Arena
			for range 10000 {
				a.Add(text)
			}
		}
	}).AllocedBytesPerOp()
	if limit := int64(10000*len(text)) * 105 / 100; got > limit {
		t.Errorf("%d bytes for %d", got, 10000*len(text))
	}
}

func TestRead(t *testing.T) {
	fsys := fstest.MapFS{}
	var names, want []string
	for i := range 1000 {
		name := fmt.Sprintf("d/%d.txt", (i*7919)%1000)
		text := strings.Repeat(name, i%300)
		fsys[name] = &fstest.MapFile{Data: []byte(text)}
		names, want = append(names, name), append(want, text)
	}
	for _, limit := range []int{0, 1, 100, 20000} {
		got, err := Read(context.Background(), fsys, names, Limits{Cut: limit, Max: 1 << 20})
		if err != nil {
			t.Fatal(err)
		}
		for i := range want {
			w := want[i]
			if limit > 0 && len(w) > limit {
				w = w[:limit]
			}
			if got[i] != w {
				t.Fatalf("limit %d: text %d: %q, want %q", limit, i, got[i], w)
			}
		}
	}
	delete(fsys, names[900])
	delete(fsys, names[300])
	for range 20 {
		_, err := Read(context.Background(), fsys, names, Limits{Max: 1 << 20})
		if want := "open " + names[300] + ": file does not exist"; err == nil || err.Error() != want || !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("error %v, want %s", err, want)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Read(ctx, fsys, names, Limits{Max: 1 << 20}); !errors.Is(err, context.Canceled) || !strings.HasPrefix(err.Error(), names[0]+": ") {
		t.Errorf("error %v", err)
	}
	if got, err := Read(ctx, fsys, nil, Limits{}); len(got) != 0 || err != nil {
		t.Error(got, err)
	}
}
