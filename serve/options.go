package serve

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// Options are the settings of a Handler. The zero value serves small and large texts alike and asks for no key.
type Options struct {
	// MaxBody is the largest body of a request in bytes. 0 means 4 MiB. A larger one is answered with 413.
	MaxBody int64
	// MaxTexts is the largest number of texts in a request. 0 means 1024. More are answered with 413.
	MaxTexts int
	// MaxText is the largest size of a text in bytes. 0 means 1 MiB. A longer one is answered with 413.
	MaxText int
	// MaxExplained is the largest size in bytes of the texts that a request wants explained, together: an explanation is many
	// times as long as its text. 0 means 64 KiB. More are answered with 413.
	MaxExplained int
	// MaxConcurrent is how many requests may be classified at once. 0 means 256. More are answered with 429 and Retry-After.
	// A request counts from when its body is there until its answer is written, so that clients who are slow to send or to read
	// do not shut out others. Requests with bodies over 16 KiB, explanations or more than 16 Ki scores are worked on one a CPU;
	// others of them wait up to 5 seconds before they get 429.
	MaxConcurrent int
	// MaxBuffered is how many bytes the bodies, answers and scores of all requests may take together, each from when it is made
	// until the answer is written. 0 means 256 MiB, and it is never less than MaxBody. A request that would take more is
	// answered with 429 and the code buffers_full. What is up to 16 KiB does not count, but bodies in HTTP/2 do.
	MaxBuffered int64
	// BodyTimeout is how long a body may take to arrive. 0 means 10 seconds. A slower one is answered with 408. It is also how
	// long a client may take to read 64 KiB of an answer; after that its connection is closed.
	BodyTimeout time.Duration

	// APIKeys are the keys that are let in. Every request for a classifier or for metrics must have one of them, as
	// "Authorization: Bearer KEY" or "X-API-Key: KEY". If the list is empty, no key is asked for. Health, the page and the
	// description need none.
	APIKeys []string

	// NoPage leaves out the page at /.
	NoPage bool

	// Log gets what an operator must know: faults of the Handler and changes of classifiers; at level Debug every request. It
	// gets no text of a client. nil means that nothing is logged.
	Log *slog.Logger
	// Version is the version of the program, for GET /v2. "" means "devel".
	Version string
}

// maxKey is the largest length of a key in bytes.
const maxKey = 4096

// withDefaults checks the options and returns them with the defaults filled in.
func (o Options) withDefaults() (Options, error) {
	for _, l := range []struct {
		name  string
		value int64
	}{
		{"MaxBody", o.MaxBody}, {"MaxTexts", int64(o.MaxTexts)}, {"MaxText", int64(o.MaxText)}, {"MaxExplained", int64(o.MaxExplained)},
		{"MaxConcurrent", int64(o.MaxConcurrent)}, {"MaxBuffered", o.MaxBuffered}, {"BodyTimeout", int64(o.BodyTimeout)},
	} {
		if l.value < 0 {
			return o, fmt.Errorf("serve: %s is negative", l.name)
		}
	}
	for _, key := range o.APIKeys {
		if key == "" {
			return o, errors.New("serve: one of APIKeys is empty")
		}
		if len(key) > maxKey {
			return o, fmt.Errorf("serve: one of APIKeys has more than %d bytes", maxKey)
		}
		for _, c := range []byte(key) {
			if c <= ' ' || c > '~' {
				return o, errors.New("serve: one of APIKeys has a character that no header can have: use printable ASCII without spaces")
			}
		}
	}
	o.MaxBody = cmp.Or(o.MaxBody, 4<<20)
	o.MaxTexts = cmp.Or(o.MaxTexts, 1024)
	o.MaxText = cmp.Or(o.MaxText, 1<<20)
	o.MaxExplained = cmp.Or(o.MaxExplained, 64<<10)
	o.MaxConcurrent = cmp.Or(o.MaxConcurrent, 256)
	o.MaxBuffered = max(cmp.Or(o.MaxBuffered, 256<<20), o.MaxBody)
	o.BodyTimeout = cmp.Or(o.BodyTimeout, 10*time.Second)
	o.Version = cmp.Or(o.Version, "devel")
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o, nil
}
