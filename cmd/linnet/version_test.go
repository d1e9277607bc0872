package main

import (
	"runtime/debug"
	"strings"
	"testing"
)

// What a build is called, with all that the linker may know of it and with nothing.
func TestBuild(t *testing.T) {
	const commit = "0123456789abcdef0123456789abcdef01234567"
	vcs := func(modified string) []debug.BuildSetting {
		return []debug.BuildSetting{
			{Key: "vcs", Value: "git"}, {Key: "vcs.revision", Value: commit}, {Key: "vcs.time", Value: "2026-03-01T10:00:00Z"}, {Key: "vcs.modified", Value: modified},
		}
	}
	for _, v := range []struct {
		info        *debug.BuildInfo
		short, long string // without the Go, the platform and the kernels, which the machine decides
	}{
		{nil, "linnet (devel), Go ", "linnet    (devel)\nGo        "},
		{&debug.BuildInfo{}, "linnet (devel), Go ", "linnet    (devel)\nGo        "},
		{
			&debug.BuildInfo{Main: debug.Module{Version: "v1.2.3"}},
			"linnet v1.2.3, Go ", "linnet    v1.2.3\nGo        ",
		},
		{
			&debug.BuildInfo{Main: debug.Module{Version: "v1.2.3"}, Settings: vcs("false")},
			"linnet v1.2.3 (0123456789ab), Go ",
			"linnet    v1.2.3\ncommit    " + commit + "\nof        2026-03-01T10:00:00Z\nGo        ",
		},
		{
			&debug.BuildInfo{Main: debug.Module{Version: "v1.2.4-0.20260301100000-0123456789ab+dirty"}, Settings: vcs("true")},
			"linnet v1.2.4-0.20260301100000-0123456789ab+dirty (0123456789ab, with changes), Go ",
			"linnet    v1.2.4-0.20260301100000-0123456789ab+dirty\ncommit    " + commit + ", with changes\nof        2026-03-01T10:00:00Z\nGo        ",
		},
	} {
		b := buildOf(v.info)
		if got := b.String(); !strings.HasPrefix(got, v.short) {
			t.Errorf("%q, want %q", got, v.short)
		}
		var long strings.Builder
		if err := b.write(&long); err != nil || !strings.HasPrefix(long.String(), v.long) {
			t.Errorf("%v: %q, want %q", err, long.String(), v.long)
		}
	}
}
