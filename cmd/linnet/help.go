package main

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/linnet-ml/linnet/internal/statusline"
	"github.com/spf13/cobra"
)

// helpWidth is the number of columns that help takes at most: those of a terminal that nobody has widened.
const helpWidth = 80

// widthOf is how many columns help has on w.
func widthOf(w io.Writer) int {
	columns, known := statusline.New(w).Columns()
	if !known {
		return helpWidth
	}
	return min(columns+1, helpWidth)
}

// The groups of commands in the help.
const (
	groupClassifiers = "classifiers"
	groupFiles       = "files"
)

// setHelp breaks the lines of a command's help, and of those below it, at a width.
func setHelp(cmd *cobra.Command, width int) {
	cmd.Long = wrapped(cmd.Long, width)
	template := strings.NewReplacer(
		".LocalFlags.FlagUsages", fmt.Sprintf(".LocalFlags.FlagUsagesWrapped %d", width),
		".InheritedFlags.FlagUsages", fmt.Sprintf(".InheritedFlags.FlagUsagesWrapped %d", width),
	).Replace(cmd.UsageTemplate())
	if !cmd.HasParent() {
		cmd.SetUsageTemplate(template) // the others inherit it
	}
	for _, sub := range cmd.Commands() {
		setHelp(sub, width)
	}
}

// wrapped breaks the lines of each paragraph at a width. Lines that begin with a space, and the one before them, stay.
func wrapped(text string, width int) string {
	var b strings.Builder
	for i, paragraph := range strings.Split(text, "\n\n") {
		if i > 0 {
			b.WriteString("\n\n")
		}
		if strings.Contains(paragraph, "\n ") {
			b.WriteString(paragraph)
			continue
		}
		column := 0
		for _, word := range strings.Fields(paragraph) {
			n := utf8.RuneCountInString(word)
			switch {
			case column == 0:
			case column+1+n > width:
				b.WriteByte('\n')
				column = 0
			default:
				b.WriteByte(' ')
				column++
			}
			b.WriteString(word)
			column += n
		}
	}
	return b.String()
}
