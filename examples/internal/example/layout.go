package example

import (
	"fmt"
	"strings"
)

// Heading begins a step of the tutorial.
func Heading(number int, title string) string {
	line := fmt.Sprintf("%d. %s", number, title)
	return "\n" + line + "\n" + strings.Repeat("-", len(line)) + "\n"
}
