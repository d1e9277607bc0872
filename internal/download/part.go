package download

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/linnet-ml/linnet/internal/plainfile"
)

// note is what NAME.part.json says of the bytes in NAME.part.
type note struct {
	URL    string `json:"url"`
	SHA256 string `json:"sha256,omitempty"` // of the whole file, where it was known
	// Validator is what the server calls this version of the file: its strong ETag, or its date.
	Validator string `json:"validator,omitempty"`
}

const maxNote = 16 << 10 // no server's ETag is as long

func notePath(part string) string { return part + ".json" }

// discard removes a part and its note.
func discard(part string) {
	os.Remove(part)
	os.Remove(notePath(part))
}

// resume returns how many bytes of the part belong to the file, and what is known of them.
func (d *download) resume(out *os.File) (have int64, n note, err error) {
	info, err := out.Stat()
	if err != nil {
		return 0, n, err
	}
	if have = info.Size(); have == 0 {
		return 0, n, nil
	}
	n = readNote(d.part)
	// Without a version and without a sum nothing would tell that the rest belongs to this beginning.
	known := n.URL == d.URL && n.SHA256 == d.SHA256 && (n.Validator != "" || d.SHA256 != "")
	if !known || have > d.limit() {
		return 0, note{}, d.clear(out)
	}
	d.furthest = max(d.furthest, have)
	d.joined = true
	return have, n, nil
}

// begin empties the part and notes what it will be the beginning of.
func (d *download) begin(out *os.File, h http.Header) error {
	if err := d.clear(out); err != nil {
		return err
	}
	n := note{URL: d.URL, SHA256: d.SHA256}
	switch tag, date := h.Get("ETag"), h.Get("Last-Modified"); {
	case tag != "" && !strings.HasPrefix(tag, "W/"):
		n.Validator = tag
	case date != "" && d.SHA256 != "": // of two versions within a second only the sum tells
		n.Validator = date
	}
	data, err := json.Marshal(n)
	if err != nil {
		return err
	}
	return os.WriteFile(notePath(d.part), append(data, '\n'), 0o666)
}

// clear empties the part.
func (d *download) clear(out *os.File) error {
	if err := os.Remove(notePath(d.part)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return out.Truncate(0)
}

// readNote returns an empty note when there is none that can be read.
func readNote(part string) (n note) {
	data, err := plainfile.Read(context.Background(), notePath(part), maxNote)
	if err != nil || json.Unmarshal(data, &n) != nil {
		return note{}
	}
	return n
}

// contentRange reads "bytes 10-99/100": the first byte, and the size of the whole file or -1.
func contentRange(s string) (from, whole int64, err error) {
	bad := fmt.Errorf("bad Content-Range %q", s)
	rest, ok := strings.CutPrefix(s, "bytes ")
	first, rest, ok2 := strings.Cut(rest, "-")
	_, size, ok3 := strings.Cut(rest, "/")
	if !ok || !ok2 || !ok3 {
		return 0, 0, bad
	}
	if from, err = strconv.ParseInt(first, 10, 64); err != nil || from < 0 {
		return 0, 0, bad
	}
	if whole, err = strconv.ParseInt(size, 10, 64); err != nil || whole < 0 {
		whole = -1
	}
	return from, whole, nil
}

// retryAfter reads how many seconds a server asks to wait.
func retryAfter(s string) time.Duration {
	seconds, err := strconv.ParseUint(s, 10, 16)
	if err != nil {
		return 0
	}
	return time.Duration(seconds) * time.Second
}
