package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/linnet-ml/linnet/internal/shown"
)

// mostShown is how many bytes of a text of a file stand in a line.
const mostShown = 200

// visible is a text of a file or a command line as a terminal may have it: as it is if it is short and plain, else shortened
// and quoted.
func visible(text string) string { return shown.NameOf(text, mostShown) }

// brief is a label in a list of many: what shown makes of it, or of its beginning.
func brief(label string) string {
	const most = 40
	if len(label) <= most {
		return visible(label)
	}
	n := most
	for n > 0 && !utf8.RuneStart(label[n]) {
		n--
	}
	return visible(strings.TrimRight(label[:n], " ")) + "…"
}

// bytesText is a number of bytes with a unit: "226 kB".
func bytesText(n int64) string {
	switch {
	case n < 1000:
		return fmt.Sprintf("%d bytes", n)
	case n < 999_500:
		return fmt.Sprintf("%.3g kB", float64(n)/1e3)
	case n < 999_500_000:
		return fmt.Sprintf("%.3g MB", float64(n)/1e6)
	}
	return fmt.Sprintf("%.3g GB", float64(n)/1e9)
}

// shownAll shows labels in one line.
func shownAll(labels []string) string {
	if len(labels) == 0 {
		return "no label"
	}
	list := make([]string, len(labels))
	for i, l := range labels {
		list[i] = visible(l)
	}
	return strings.Join(list, ", ")
}

// writeJSON writes one object and a line end. What is not printable in its texts is escaped.
func writeJSON(w io.Writer, v any) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return err
	}
	_, err := w.Write(shown.JSON(b.Bytes()))
	return err
}

// excerpt is the beginning of a text in one line.
func excerpt(text string) string {
	const most = 60
	words := strings.Fields(text[:min(len(text), 4*most)])
	short := strings.Join(words, " ")
	if n := most; len(short) > n {
		for n > 0 && !utf8.RuneStart(short[n]) {
			n--
		}
		short = short[:n] + "…"
	}
	return visible(strings.ToValidUTF8(short, "\uFFFD"))
}
