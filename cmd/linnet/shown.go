package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// mostShown is how many bytes of a text of a file stand in a line.
const mostShown = 200

// shown is a text of a file or a command line as a terminal may have it: as it is if it is short and plain, else shortened
// and quoted.
func shown(text string) string {
	short := text
	if len(text) > mostShown {
		n := mostShown
		for n > 0 && !utf8.RuneStart(text[n]) {
			n--
		}
		short = text[:n]
	}
	plain := utf8.ValidString(short) && short != "" && strings.TrimSpace(short) == short && !strings.ContainsFunc(short, func(r rune) bool { return !unicode.IsPrint(r) })
	if !plain {
		short = strconv.QuoteToGraphic(short)
	}
	if len(text) > mostShown {
		short += "…"
	}
	return short
}

// brief is a label in a list of many: what shown makes of it, or of its beginning.
func brief(label string) string {
	const most = 40
	if len(label) <= most {
		return shown(label)
	}
	n := most
	for n > 0 && !utf8.RuneStart(label[n]) {
		n--
	}
	return shown(strings.TrimRight(label[:n], " ")) + "…"
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
		list[i] = shown(l)
	}
	return strings.Join(list, ", ")
}

// writeJSON writes one object and a line end.
func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(v)
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
	return shown(strings.ToValidUTF8(short, "\uFFFD"))
}
