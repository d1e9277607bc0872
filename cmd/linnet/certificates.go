package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"sync/atomic"
	"time"

	"github.com/linnet-ml/linnet/internal/plainfile"
)

// certificates are those that a server shows, read again when their files change.
type certificates struct {
	certificate, key string // paths
	log              *slog.Logger
	now              atomic.Pointer[tls.Certificate]
	stamp            string
}

func newCertificates(ctx context.Context, certificate, key string, log *slog.Logger) (*certificates, error) {
	c := &certificates{certificate: certificate, key: key, log: log}
	c.stamp = c.files()
	return c, c.load(ctx)
}

func (c *certificates) get(*tls.ClientHelloInfo) (*tls.Certificate, error) { return c.now.Load(), nil }

// mostPEM is how many bytes a file of certificates or of a key may have. A chain has some kilobytes.
const mostPEM = 1 << 20

func (c *certificates) load(ctx context.Context) error {
	certificate, err := plainfile.Read(ctx, c.certificate, mostPEM)
	if err != nil {
		return fmt.Errorf("--tls-cert: %w", err)
	}
	key, err := plainfile.Read(ctx, c.key, mostPEM)
	if err != nil {
		return fmt.Errorf("--tls-key: %w", err)
	}
	pair, err := tls.X509KeyPair(certificate, key)
	if err != nil {
		return fmt.Errorf("--tls-cert %s and --tls-key %s: %w", c.certificate, c.key, err)
	}
	c.now.Store(&pair)
	return nil
}

// files says what the files are like.
func (c *certificates) files() (stamp string) {
	for _, path := range []string{c.certificate, c.key} {
		info, err := os.Stat(path)
		if err != nil {
			stamp += err.Error()
			continue
		}
		stamp += fmt.Sprint(info.Size(), info.ModTime().UnixNano(), " ")
	}
	return stamp
}

// watch looks at the files at each interval until ctx is done. Files that belong together change one after the other: what does not
// fit is tried again, and said once.
func (c *certificates) watch(ctx context.Context, every time.Duration) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	said := ""
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		stamp := c.files()
		if stamp == c.stamp {
			continue
		}
		switch err := c.load(ctx); {
		case err == nil:
			c.stamp, said = stamp, ""
			c.log.Info("certificates replaced", "file", c.certificate)
		case said != stamp:
			said = stamp
			c.log.Error("the new certificates cannot be used; the old ones go on", "file", c.certificate, "error", err)
		}
	}
}
