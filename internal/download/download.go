package download

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"net"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/linnet-ml/linnet/internal/shown"
)

// File is what to download.
type File struct {
	// URL is where it is, by http or https.
	URL string
	// Name is its name in the folder. Default: the last part of the URL's path.
	Name string
	// Size is its number of bytes. 0: not known; the file ends where the server ends it.
	Size int64
	// SHA256 is its sum in hexadecimal. Empty: not known; the content is not checked.
	SHA256 string
	// MaxSize ends the download of a file whose Size is not known. Default 16 GiB.
	MaxSize int64
}

// Options say how to download. The zero value is good for most.
type Options struct {
	// Client makes the requests. Its CheckRedirect is not used. Default: a client that takes the proxy from the
	// environment.
	Client *http.Client
	// Progress is called from time to time with the name of the file, how many of its bytes are there, and how many
	// there will be, or -1 when nobody says. The total may be what the server claims. The last call, with
	// done == total, says that all bytes are there; [Fetch] has then still to check them.
	Progress func(name string, done, total int64)
	// Attempts is how often in a row the download may break off without having come further. Default 5.
	Attempts int
	// Wait is the time before the second attempt; before each further one it doubles, up to 30 s. Default 1 s.
	Wait time.Duration
	// Stall is how long a server may send nothing before the attempt counts as broken off. Default 60 s.
	Stall time.Duration
}

const (
	maxWait      = 30 * time.Second
	maxRedirects = 10
	// An attempt has come further when the file has grown by so much beyond what it ever was.
	step = 256 << 10
	// How often progress is reported, and how often a waiting process looks.
	tick = 100 * time.Millisecond
)

// Fetch returns the path of the file in the folder, which it makes if need be. A file that is there already under the
// name is left as it is and not looked into. Otherwise Fetch downloads it, goes on with what an earlier call left, and
// tries again when the connection breaks. When ctx ends, or the attempts are used up, what has come so far stays for
// the next call. A file whose size or sum is not the expected one is removed, and the error has both.
func Fetch(ctx context.Context, folder string, f File, o Options) (file string, err error) {
	if f, err = f.check(); err != nil {
		return "", err
	}
	if o, err = o.check(); err != nil {
		return "", err
	}
	file = filepath.Join(folder, f.Name)
	if there, err := exists(file); there || err != nil {
		return file, err
	}
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return "", shown.Errorf("download: %w", err)
	}
	part := file + ".part"
	release, err := lock(ctx, file+".lock", func() { o.reportWaiting(f, part) })
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		// Without locks each call has a part of its own, which nobody goes on with.
		own, err := os.CreateTemp(folder, f.Name+".*.part")
		if err != nil {
			return "", shown.Errorf("download: %s cannot be made: %w", file, cause(err))
		}
		own.Close()
		part = own.Name()
		defer discard(part)
	case err != nil:
		return "", shown.Errorf("download: %s: %w", f.URL, shown.Instead(err, file+".lock", file))
	default:
		defer release()
	}
	// Another process may have brought it in the meantime.
	if there, err := exists(file); there || err != nil {
		return file, err
	}
	if o.Client.Transport == nil {
		if shared, ok := http.DefaultTransport.(*http.Transport); ok {
			own := shared.Clone()
			defer own.CloseIdleConnections() // the program may never need them again
			o.Client.Transport = own
		}
	}
	d := &download{File: f, Options: o, part: part}
	if err := d.run(ctx); err != nil {
		if info, err := os.Stat(part); err == nil && info.Size() == 0 {
			discard(part)
		}
		return "", shown.Errorf("download: %s: %w", f.URL, shown.Instead(err, part, file))
	}
	if err := os.Rename(part, file); err != nil {
		return "", shown.Errorf("download: %s cannot be written: %w", file, cause(err))
	}
	os.Remove(notePath(part))
	syncFolder(folder)
	return file, nil
}

// cause is what the system said, without the names of files that are there for a while only.
func cause(err error) error {
	var path *fs.PathError
	var link *os.LinkError
	switch {
	case errors.As(err, &path):
		return path.Err
	case errors.As(err, &link):
		return link.Err
	}
	return err
}

// exists reports whether there is a file, and not something else, under the name.
func exists(file string) (bool, error) {
	switch info, err := os.Stat(file); {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, shown.Errorf("download: %w", err)
	case info.IsDir():
		return false, shown.Errorf("download: %s is a folder, not a file", file)
	}
	return true, nil
}

// check fills the defaults in.
func (f File) check() (File, error) {
	u, err := url.Parse(f.URL)
	if err != nil {
		return f, shown.Errorf("download: %w", err)
	}
	if u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		return f, shown.Errorf("download: %q is no http or https URL", f.URL)
	}
	if f.Name == "" {
		f.Name = path.Base(u.Path)
	}
	if !filepath.IsLocal(f.Name) || strings.ContainsAny(f.Name, `/\`) || f.Name == "." {
		return f, shown.Errorf("download: %s: %q is no name for a file", f.URL, f.Name)
	}
	if f.SHA256 = strings.ToLower(f.SHA256); f.SHA256 != "" {
		if sum, err := hex.DecodeString(f.SHA256); err != nil || len(sum) != sha256.Size {
			return f, shown.Errorf("download: %s: %q is no sha256", f.URL, f.SHA256)
		}
	}
	if f.Size < 0 {
		return f, shown.Errorf("download: %s: Size %d must not be negative", f.URL, f.Size)
	}
	if f.MaxSize < 0 {
		return f, shown.Errorf("download: %s: MaxSize %d must not be negative", f.URL, f.MaxSize)
	}
	if f.MaxSize == 0 {
		f.MaxSize = 16 << 30
	}
	return f, nil
}

// limit is the number of bytes that the file may have.
func (f File) limit() int64 {
	if f.Size > 0 {
		return f.Size
	}
	return min(f.MaxSize, math.MaxInt64-1)
}

func (o Options) check() (Options, error) {
	switch {
	case o.Attempts < 0:
		return o, fmt.Errorf("download: Attempts %d must not be negative", o.Attempts)
	case o.Wait < 0:
		return o, fmt.Errorf("download: Wait %v must not be negative", o.Wait)
	case o.Stall < 0:
		return o, fmt.Errorf("download: Stall %v must not be negative", o.Stall)
	}
	if o.Attempts == 0 {
		o.Attempts = 5
	}
	if o.Wait == 0 {
		o.Wait = time.Second
	}
	if o.Stall == 0 {
		o.Stall = 60 * time.Second
	}
	if o.Progress == nil {
		o.Progress = func(string, int64, int64) {}
	}
	client := http.Client{}
	if o.Client != nil {
		client = *o.Client
	}
	client.CheckRedirect = checkRedirect
	o.Client = &client
	return o, nil
}

// checkRedirect follows redirects, but none that gives up encryption.
func checkRedirect(to *http.Request, via []*http.Request) error {
	if len(via) > maxRedirects {
		return permanent{fmt.Errorf("more than %d redirects", maxRedirects)}
	}
	if from := via[len(via)-1].URL; from.Scheme == "https" && to.URL.Scheme != "https" {
		return permanent{fmt.Errorf("redirected from https to %s, which is refused", to.URL)}
	}
	return nil
}

// reportWaiting reports how far the process has come that is downloading the file.
func (o Options) reportWaiting(f File, part string) {
	total := int64(-1)
	if f.Size > 0 {
		total = f.Size
	}
	if info, err := os.Stat(part); err == nil {
		o.Progress(f.Name, info.Size(), total)
	}
}

// permanent is an error that another attempt would meet again.
type permanent struct{ error }

func (p permanent) Unwrap() error { return p.error }

// download is one call of Fetch.
type download struct {
	File
	Options
	part string

	furthest int64 // the most bytes that the part ever had
	joined   bool  // the part was put together from several answers
	again    bool  // a file that was put together turned out wrong, and was begun anew
	retry    time.Duration
}

// run attempts until the part is the whole file.
func (d *download) run(ctx context.Context) error {
	for failed := 0; ; {
		before := d.furthest
		err := d.attempt(ctx)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if lasting(err) {
			return err
		}
		failed++
		if d.furthest >= before+step {
			failed = 1
		}
		if failed >= d.Attempts {
			return fmt.Errorf("given up after %d attempts: %w", failed, err)
		}
		wait := max(d.Wait, d.retry)
		for i := 1; i < failed && wait < maxWait; i++ {
			wait *= 2
		}
		if err := sleep(ctx, min(wait, max(d.Wait, maxWait))); err != nil {
			return err
		}
	}
}

// lasting reports whether another attempt would meet the error again.
func lasting(err error) bool {
	name := (*net.DNSError)(nil)
	return errors.As(err, new(permanent)) || errors.As(err, new(*tls.CertificateVerificationError)) ||
		errors.As(err, &name) && name.IsNotFound
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// attempt makes one request and writes what comes.
func (d *download) attempt(ctx context.Context) (err error) {
	d.retry = 0
	out, err := os.OpenFile(d.part, os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return permanent{err}
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	have, note, err := d.resume(out)
	if err != nil {
		return permanent{err}
	}
	if d.Size > 0 && have == d.Size && d.SHA256 != "" {
		return d.finish(ctx, out) // an earlier call ended between the last byte and the rename
	}

	asking, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	request, err := http.NewRequestWithContext(asking, http.MethodGet, d.URL, nil)
	if err != nil {
		return permanent{err}
	}
	// Compressed on the way the bytes would be other ones than those that a range counts.
	request.Header.Set("Accept-Encoding", "identity")
	request.Header.Set("User-Agent", "linnet")
	if have > 0 {
		request.Header.Set("Range", fmt.Sprintf("bytes=%d-", have))
		if note.Validator != "" {
			request.Header.Set("If-Range", note.Validator)
		}
	}
	stalled := time.AfterFunc(d.Stall, func() { cancel(fmt.Errorf("nothing came for %v", d.Stall)) })
	defer stalled.Stop()
	answer, err := d.Client.Do(request)
	if err != nil {
		return because(asking, err)
	}
	defer answer.Body.Close()

	total := int64(-1)
	switch answer.StatusCode {
	case http.StatusOK:
		// The whole file: the server knows no ranges, or the file has changed.
		if err := d.begin(out, answer.Header); err != nil {
			return permanent{err}
		}
		have, total, d.joined = 0, answer.ContentLength, false
	case http.StatusPartialContent:
		from, whole, err := contentRange(answer.Header.Get("Content-Range"))
		if err != nil || have == 0 || from != have {
			return errors.Join(d.clear(out), fmt.Errorf("the server sent the range %q in place of the bytes from %d on", answer.Header.Get("Content-Range"), have))
		}
		total, d.joined = whole, true
	case http.StatusRequestedRangeNotSatisfiable:
		// The file has become shorter than its part, or the part is whole. The size tells which where it is known;
		// without it only the sum can.
		if have > 0 && d.SHA256 != "" && (d.Size == 0 || have == d.Size) {
			d.joined = true
			return d.finish(ctx, out)
		}
		return errors.Join(d.clear(out), fmt.Errorf("the file at the server has no more than the %d bytes that are here", have))
	default:
		err := fmt.Errorf("the server answers %s", shown.Name(answer.Status))
		switch code := answer.StatusCode; {
		case code == http.StatusTooManyRequests, code == http.StatusRequestTimeout, code == http.StatusTooEarly, code >= 500:
			d.retry = retryAfter(answer.Header.Get("Retry-After"))
			return err
		}
		return permanent{err}
	}
	if d.Size > 0 {
		total = d.Size
	}
	if err := d.copy(asking, out, answer.Body, have, total, stalled); err != nil {
		return err
	}
	return d.finish(ctx, out)
}

// because puts the reason for which ctx was ended in place of the error that this led to.
func because(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}

// copy writes what comes behind the first have bytes of the part.
func (d *download) copy(ctx context.Context, out *os.File, body io.Reader, have, total int64, stalled *time.Timer) error {
	buf := make([]byte, 128<<10)
	var shown time.Time
	for err := error(nil); err == nil; {
		var n int
		n, err = body.Read(buf)
		if n > 0 {
			stalled.Reset(d.Stall)
			if int64(n) > d.limit()-have {
				if d.Size > 0 {
					return permanent{errors.Join(fmt.Errorf("the file at the server has changed: it has more than the expected %d bytes", d.Size), d.clear(out))}
				}
				return permanent{errors.Join(fmt.Errorf("the file has more than %d bytes, which is the limit", d.limit()), d.clear(out))}
			}
			if _, err := out.WriteAt(buf[:n], have); err != nil {
				return permanent{err}
			}
			have += int64(n)
			d.furthest = max(d.furthest, have)
			if now := time.Now(); have != total && now.Sub(shown) >= tick {
				shown = now
				d.Progress(d.Name, have, total)
			}
		}
		// Once all that was expected has come it does not matter how the answer ends.
		if err != nil && err != io.EOF && (d.Size == 0 || have != d.Size) {
			return because(ctx, fmt.Errorf("broken off after %d bytes: %w", have, err))
		}
	}
	if d.Size > 0 && have < d.Size {
		return fmt.Errorf("the server ended after %d of %d bytes", have, d.Size)
	}
	d.Progress(d.Name, have, have)
	return nil
}

// finish checks the whole part. A wrong one is removed.
func (d *download) finish(ctx context.Context, out *os.File) error {
	if d.SHA256 != "" {
		h := sha256.New()
		if _, err := out.Seek(0, io.SeekStart); err != nil {
			return permanent{err}
		}
		n, err := io.Copy(h, contextReader{ctx, out})
		if err != nil {
			return permanent{err}
		}
		if sum := hex.EncodeToString(h.Sum(nil)); sum != d.SHA256 {
			wrong := fmt.Errorf("the file at the server is another one: its sha256 is %s (%d bytes), not %s; what came was removed", sum, n, d.SHA256)
			if err := d.clear(out); err != nil {
				return permanent{err}
			}
			if d.joined && !d.again {
				// Its pieces may come from two versions of the file.
				d.again, d.joined = true, false
				return wrong
			}
			return permanent{wrong}
		}
	}
	if err := out.Sync(); err != nil {
		return permanent{err}
	}
	return nil
}

type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func (c contextReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}

// syncFolder makes the new name last. Not every system can; the file itself was synced.
func syncFolder(folder string) {
	if f, err := os.Open(folder); err == nil {
		_ = f.Sync()
		f.Close()
	}
}
