package example

import (
	"fmt"
	"strings"
)

// LineWidth is that of what the program prints.
const LineWidth = 79

// Wrap breaks a text at spaces into lines.
func Wrap(text string) string {
	var b strings.Builder
	at := 0
	for _, word := range strings.Split(text, " ") {
		n := len([]rune(word))
		switch {
		case b.Len() == 0:
		case at+1+n > LineWidth:
			b.WriteByte('\n')
			at = 0
		default:
			b.WriteByte(' ')
			at++
		}
		b.WriteString(word)
		at += n
	}
	return b.String()
}

// List writes numbers as Python does, in lines.
func List(numbers []int32) string {
	return Wrap(strings.ReplaceAll(strings.ReplaceAll(fmt.Sprint(numbers), " ", ", "), "\n", ""))
}

// Heading begins a step of the tutorial.
func Heading(number int, title string) string {
	line := fmt.Sprintf("%d. %s", number, title)
	return "\n" + line + "\n" + strings.Repeat("-", len(line)) + "\n"
}
