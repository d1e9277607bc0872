package serve

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/linnet-ml/linnet/classifier"
	"github.com/linnet-ml/linnet/internal/mapfile"
)

// Watch follows the file at path, from which the classifier of a name came ([Load]): when its content changes, Watch loads it and
// replaces the classifier. A file that is no classifier, or missing, changes nothing; if the next look finds the same, the log and
// the metrics linnet_model_stale and linnet_model_reload_failures_total say so. Watch looks at the file at each interval, so that it works with links that move
// and with network file systems. It returns an error if there is no such classifier, and else when ctx is done.
func (h *Handler) Watch(ctx context.Context, name, path string, every time.Duration) error {
	if !h.made() {
		return errNotMade
	}
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
	looks      int               // since it changed
	broken     [sha256.Size]byte // the digest of the last content that is no classifier
	why        error             // of broken; nil if there was none
	failure    string            // what the log says of the file; "" if it is in order
}

// A stamp changes when a file is written or replaced. The zero value is that of a missing file.
type stamp struct {
	info     fs.FileInfo
	size     int64
	modified time.Time
}

func (s stamp) equal(t stamp) bool {
	if s.info == nil || t.info == nil {
		return s.info == nil && t.info == nil
	}
	return s.size == t.size && s.modified.Equal(t.modified) && os.SameFile(s.info, t.info)
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
	var now stamp
	if err == nil {
		now = stamp{info, info.Size(), info.ModTime()}
	}
	if !now.equal(w.seen) {
		w.seen, w.looks = now, 0
	}
	if w.looks++; err == nil && w.looks > settled && w.looks%distrusted != 0 {
		return
	}
	var digest [sha256.Size]byte
	if err == nil {
		digest, err = w.follow(ctx)
	}
	switch {
	case ctx.Err() != nil:
	case err == nil:
		w.recovered()
	case w.looks > 1: // else somebody may be writing or moving it right now
		w.fail(err, digest)
	}
}

// follow reads the file and returns its digest. If the content is new, its classifier answers from now on.
func (w *watcher) follow(ctx context.Context) (digest [sha256.Size]byte, err error) {
	b, err := mapfile.ReadAll(ctx, w.path)
	if err != nil {
		return digest, fmt.Errorf("serve: %w", err)
	}
	digest = sha256.Sum256(b)
	switch {
	case versionOf(digest) == w.slot.current.Load().Version:
		return digest, nil
	case w.why != nil && digest == w.broken:
		return digest, w.why
	}
	m, err := parse(ctx, w.name, w.path, b, digest)
	if err == nil {
		err = w.h.Replace(m)
	}
	if err != nil {
		if ctx.Err() == nil && errors.Is(err, classifier.ErrFile) { // lack of memory may pass
			w.broken, w.why = digest, err
		}
		return digest, err
	}
	w.h.o.Log.Info("classifier replaced", "model", w.name, "version", m.Version)
	return digest, nil
}

// recovered tells that the file is in order, if that is news.
func (w *watcher) recovered() {
	if w.failure == "" {
		return
	}
	w.failure = ""
	w.slot.metrics.all.stale.WithLabelValues(w.name).Set(0)
	w.h.o.Log.Info("the classifier's file is in order again", "model", w.name, "version", w.slot.current.Load().Version)
}

// fail tells that the file cannot be used, if that is news.
func (w *watcher) fail(err error, digest [sha256.Size]byte) {
	failure := fmt.Sprintf("%x %v", digest, err)
	news := failure != w.failure
	w.slot.metrics.failed(news)
	if !news {
		return
	}
	w.failure = failure
	w.h.o.Log.Error("the classifier's file cannot be used; the old version goes on", "model", w.name, "version", w.slot.current.Load().Version, "error", err)
}
