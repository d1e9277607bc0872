package hugepage

import (
	"bufio"
	"bytes"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unsafe"
)

// The system knows that a large slice wants huge pages: "hg" among the flags of its memory in smaps (man 5 proc).
func TestAdvised(t *testing.T) {
	if enabled, err := os.ReadFile("/sys/kernel/mm/transparent_hugepage/enabled"); err != nil || bytes.Contains(enabled, []byte("[never]")) {
		t.Skip("no transparent huge pages")
	}
	s := Make[[]float32](8 * Size / 4)
	middle := uintptr(unsafe.Pointer(&s[len(s)/2]))
	smaps, err := os.ReadFile("/proc/self/smaps")
	if err != nil {
		t.Skip(err)
	}
	inside := false
	for lines := bufio.NewScanner(bytes.NewReader(smaps)); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if lo, hi, ok := strings.Cut(fields[0], "-"); ok {
			from, err := strconv.ParseUint(lo, 16, 64)
			to, err2 := strconv.ParseUint(hi, 16, 64)
			inside = err == nil && err2 == nil && uint64(middle) >= from && uint64(middle) < to
		}
		if inside && fields[0] == "VmFlags:" {
			if !slices.Contains(fields, "hg") {
				t.Errorf("flags of the slice's memory: %s", fields[1:])
			}
			return
		}
	}
	t.Skip("smaps does not tell flags")
}
