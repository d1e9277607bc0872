package serve

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"time"
)

// Watch follows the file at path, from which the classifier of a name came ([Load]): when its content changes, Watch loads it and
// replaces the classifier. A file that is no classifier changes nothing; the log and the metrics linnet_model_stale and
// linnet_model_reload_failures_total say so. Watch looks at the file at each interval, so that it works with links that move
// and with network file systems. It returns an error if there is no such classifier, and else when ctx is done.
func (h *Handler) Watch(ctx context.Context, name, path string, every time.Duration) error {
	s := h.models[name]
	if s == nil {
		return fmt.Errorf("serve: there is no classifier %s to watch", name)
	}
	if every <= 0 {
		return fmt.Errorf("serve: an interval of %v", every)
	}
	w := watcher{h: h, slot: s, name: name, path: path}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		w.look(ctx)
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// A watcher knows what a file was when it was last looked at.
type watcher struct {
	h          *Handler
	slot       *slot
	name, path string
	seen       stamp
	looks      int    // since it changed
	failure    string // what is wrong with the file, and with which content
}

// A stamp changes when a file is written or replaced.
type stamp struct {
	info     fs.FileInfo
	size     int64
	modified time.Time
}

func (s stamp) equal(t stamp) bool {
	return s.info != nil && t.info != nil && s.size == t.size && s.modified.Equal(t.modified) && os.SameFile(s.info, t.info)
}

const (
	// settled is how often a file is read after its last change: a file system may have a coarse clock, and a writer may not
	// be done.
	settled = 3
	// distrusted is after how many looks a file is read though it seems to be the same.
	distrusted = 60
)

// look loads the file if it has changed.
func (w *watcher) look(ctx context.Context) {
	info, err := os.Stat(w.path)
	if err != nil {
		w.seen = stamp{}
		w.fail(err, [sha256.Size]byte{})
		return
	}
	now := stamp{info, info.Size(), info.ModTime()}
	if !now.equal(w.seen) {
		w.seen, w.looks = now, 0
	}
	if w.looks++; w.looks > settled && w.looks%distrusted != 0 {
		return
	}
	m, digest, err := load(ctx, w.name, w.path)
	if ctx.Err() != nil {
		return
	}
	if err == nil && m.Version != w.slot.Load().Version {
		if err = w.h.Replace(m); err == nil {
			w.h.o.Log.Info("classifier replaced", "model", w.name, "version", m.Version)
		}
	}
	if err != nil {
		if w.looks > 1 { // else somebody may be writing it right now
			w.fail(err, digest)
		}
		return
	}
	if w.failure != "" {
		w.failure = ""
		w.slot.metrics.all.stale.WithLabelValues(w.name).Set(0)
		w.h.o.Log.Info("the classifier's file is in order again", "model", w.name, "version", m.Version)
	}
}

// fail tells that the file cannot be used, if that is news.
func (w *watcher) fail(err error, digest [sha256.Size]byte) {
	failure := fmt.Sprintf("%x %v", digest, err)
	if failure == w.failure {
		return
	}
	w.failure = failure
	w.slot.metrics.failed()
	w.h.o.Log.Error("the classifier's file cannot be used; the old version goes on", "model", w.name, "version", w.slot.Load().Version, "error", err)
}
