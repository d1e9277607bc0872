package main

import (
	"cmp"
	"fmt"
	"regexp"
	"strings"

	"github.com/spf13/cobra"
)

// newRoot is the command without a subcommand.
func newRoot() *cobra.Command { return newRootFor(helpWidth) }

// newRootFor is newRoot with help of a number of columns.
func newRootFor(width int) *cobra.Command {
	root := &cobra.Command{
		Use:   "linnet",
		Short: "Train, test and use text classifiers; look at model files",
		Long: `Linnet learns to label texts from a file of examples (train), says how good a classifier is (evaluate), and labels further
texts (predict), also over HTTP (serve). It also looks at model files, makes them smaller and draws trainings.

Results go to the standard output; what was found in the data, progress and errors to the standard error. "linnet completion
--help" says how a shell completes commands and flags.

` + exitCodes,
		Version:       thisBuild().String(),
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          noCommand,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		// cobra would say it in words of its own.
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error { return cmp.Or(checkTogether(cmd), checkFileFlags(cmd)) },
	}
	root.SuggestionsMinimumDistance = 2
	root.SetVersionTemplate("{{.Version}}\n")
	root.SetFlagErrorFunc(flagError)
	root.AddGroup(&cobra.Group{ID: groupClassifiers, Title: "Text classifiers:"}, &cobra.Group{ID: groupFiles, Title: "Files of classifiers and other models:"})
	for _, g := range []struct {
		id       string // "" is the group of what cobra adds: help and completion
		commands []*cobra.Command
	}{
		{groupClassifiers, []*cobra.Command{newTrain(), newResults(), newCheck(), newEvaluate(), newPredict(), newExplain(), newServe()}},
		{groupFiles, []*cobra.Command{newInspect(), newQuantize(), newPlot()}},
		{"", []*cobra.Command{newVersion(), newLicenses()}},
	} {
		for _, cmd := range g.commands {
			cmd.GroupID = g.id
			root.AddCommand(cmd)
		}
	}
	help := newHelp()
	root.SetHelpCommand(help)
	root.AddCommand(help)
	setHelp(root, width)
	return root
}

// newHelp is the command help, for which a name of no command is an error.
func newHelp() *cobra.Command {
	return &cobra.Command{
		Use:     "help [COMMAND]",
		Short:   "Show what a command does and its flags",
		Long:    `Help shows what a command does and its flags, as --help does after the command. Without COMMAND it lists the commands.`,
		Example: "  linnet help train",
		RunE: func(cmd *cobra.Command, args []string) error {
			about, rest, err := cmd.Root().Find(args)
			if err == nil {
				err = noCommand(about, rest)
			}
			if err != nil {
				return err
			}
			about.InitDefaultHelpFlag() // or it would not be listed
			about.InitDefaultVersionFlag()
			return about.Help()
		},
		ValidArgsFunction: func(cmd *cobra.Command, args []string, begin string) (names []string, _ cobra.ShellCompDirective) {
			if about, rest, err := cmd.Root().Find(args); err == nil && len(rest) == 0 {
				for _, sub := range about.Commands() {
					if sub.IsAvailableCommand() && strings.HasPrefix(sub.Name(), begin) {
						names = append(names, cobra.CompletionWithDesc(sub.Name(), sub.Short))
					}
				}
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		},
	}
}

// addCompletion adds cobra's command completion, for which a name of no shell is an error. It writes to the output that root has then.
func addCompletion(root *cobra.Command) {
	root.InitDefaultCompletionCmd()
	for _, cmd := range root.Commands() {
		if cmd.Name() != "completion" {
			continue
		}
		cmd.Args = noCommand
		cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
		for _, shell := range cmd.Commands() {
			shell.Args = arguments(0, 0)
		}
	}
}

// noCommand is for arguments that name no subcommand.
func noCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	message := fmt.Sprintf("there is no command %.40q", args[0])
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		message += fmt.Sprintf("; did you mean %s?", strings.Join(near, " or "))
	}
	for !cmd.HasSubCommands() {
		cmd = cmd.Parent()
	}
	return usagef("%s (%s --help lists the commands)", message, cmd.CommandPath())
}

// arguments checks the number of arguments, whose names are in the command's Use, and that those of files are not empty, as that of a
// variable that a shell does not know is. The last most-least may be left out.
func arguments(least, most int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) < least:
			return usagef("too few arguments: the usage is %s", cmd.UseLine())
		case len(args) > most:
			return usagef("the argument %.40q is too many: the usage is %s", args[most], cmd.UseLine())
		}
		names := argumentNames(cmd.Use)
		for i, a := range args {
			if name := names[min(i, len(names)-1)]; a == "" && fileArgument.MatchString(name) {
				return usagef(`%s is "", which names no file: the usage is %s`, name, cmd.UseLine())
			}
		}
		return nil
	}
}

// fileArgument matches the names of arguments that are files.
var fileArgument = regexp.MustCompile(`FILE|DATA|HISTORY`)

// argumentNames are the names of the arguments in a command's Use; the last may stand for several.
func argumentNames(use string) (names []string) {
	for _, word := range strings.Fields(use)[1:] {
		if strings.HasPrefix(word, "-") {
			break
		}
		if word = strings.TrimRight(strings.TrimLeft(word, "["), ".]"); word != "" {
			names = append(names, word)
		}
	}
	return names
}
