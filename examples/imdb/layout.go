package main

import (
	"fmt"
	"strings"
)

// lineWidth is that of what the program prints.
const lineWidth = 79

// wrap breaks a text at spaces into lines.
func wrap(text string) string {
	var b strings.Builder
	at := 0
	for _, word := range strings.Split(text, " ") {
		n := len([]rune(word))
		switch {
		case b.Len() == 0:
		case at+1+n > lineWidth:
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

// list writes numbers as Python does, in lines.
func list(numbers []int32) string {
	return wrap(strings.ReplaceAll(strings.ReplaceAll(fmt.Sprint(numbers), " ", ", "), "\n", ""))
}

// heading begins a step of the tutorial.
func heading(number int, title string) string {
	line := fmt.Sprintf("%d. %s", number, title)
	return "\n" + line + "\n" + strings.Repeat("-", len(line)) + "\n"
}
