package main

import (
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"
)

// helpWidth is the number of columns that help takes: those of a terminal that nobody has widened.
const helpWidth = 80

// The groups of commands in the help.
const (
	groupClassifiers = "classifiers"
	groupFiles       = "files"
)

// setHelp breaks the lines of a command's help, and of those below it, at helpWidth.
func setHelp(cmd *cobra.Command) {
	cmd.Long = wrapped(cmd.Long)
	template := strings.NewReplacer(
		".LocalFlags.FlagUsages", ".LocalFlags.FlagUsagesWrapped 80",
		".InheritedFlags.FlagUsages", ".InheritedFlags.FlagUsagesWrapped 80",
	).Replace(cmd.UsageTemplate())
	if !cmd.HasParent() {
		cmd.SetUsageTemplate(template) // the others inherit it
	}
	for _, sub := range cmd.Commands() {
		setHelp(sub)
	}
}

// wrapped breaks the lines of each paragraph at helpWidth. Lines that begin with a space, and the one before them, stay.
func wrapped(text string) string {
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
			case column+1+n > helpWidth:
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
