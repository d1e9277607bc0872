package example

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"strings"
	"testing"
)

// An error is one line after the program's name, and its kind decides the exit code.
func TestExit(t *testing.T) {
	for _, c := range []struct {
		err  error
		code int
		want string
	}{
		{nil, 0, ""},
		{flag.ErrHelp, 0, ""},
		{errors.New("other: it fails"), ExitError, "imdb: other: it fails\n"},
		{errors.New("imdb: it fails"), ExitError, "imdb: it fails\n"},
		{Usagef("-epochs %d", 0), ExitUsage, "imdb: -epochs 0\n"},
		{fmt.Errorf("imdb: reading: %w", context.Canceled), ExitInterrupted, "imdb: interrupted before the training\n"},
		{OfTest(fmt.Errorf("imdb: reading: %w", context.Canceled)), ExitInterrupted, "imdb: interrupted before the model was tested\n"},
		{OfTest(errors.New("it fails")), ExitError, "imdb: it fails\n"},
		{OfTest(nil), 0, ""},
		{Interrupted{Epochs: 2, Of: 40}, ExitInterrupted, "imdb: interrupted after 2 of 40 epochs\n"},
		{Interrupted{Epochs: 0, Of: 1, Training: "second"}, ExitInterrupted, "imdb: interrupted after 0 of 1 epoch of the second training\n"},
	} {
		var b strings.Builder
		if code := Exit("imdb", c.err, &b); code != c.code || b.String() != c.want {
			t.Errorf("%v: exit code %d, %q", c.err, code, b.String())
		}
	}
}
