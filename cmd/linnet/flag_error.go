package main

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// flagError is what is wrong with the flags of a command. For a value it says what the flag takes, which the packages that
// read numbers do not.
func flagError(cmd *cobra.Command, err error) error {
	message := err.Error()
	var wrong *pflag.InvalidValueError
	if errors.As(err, &wrong) {
		flag := wrong.GetFlag()
		message = fmt.Sprintf("--%s %.40q: %s", flag.Name, wrong.GetValue(), valueProblem(err))
	}
	return usagef("%s (%s --help lists the flags)", message, cmd.CommandPath())
}

// valueProblem says what a flag takes whose value is wrong.
func valueProblem(err error) string {
	if wrong := (*pflag.InvalidValueError)(nil); errors.As(err, &wrong) {
		return wrongValue(wrong.GetFlag().Value.Type(), wrong.Unwrap())
	}
	return err.Error()
}

// exclusive is the name under which cobra notes which flags exclude one another, in groups of names with spaces between them.
const exclusive = "cobra_annotation_mutually_exclusive"

// checkTogether returns an error if flags were given that exclude one another.
func checkTogether(cmd *cobra.Command) (err error) {
	cmd.Flags().Visit(func(f *pflag.Flag) {
		for _, group := range f.Annotations[exclusive] {
			for _, other := range strings.Fields(group) {
				if other != f.Name && cmd.Flags().Changed(other) && err == nil {
					err = usagef("--%s and --%s exclude each other (%s --help lists the flags)", f.Name, other, cmd.CommandPath())
				}
			}
		}
	})
	return err
}

// fileFlags are the flags that name files.
var fileFlags = []string{"output", "report", "continue", "compare", "api-key-file", "tls-cert", "tls-key"}

// checkFileFlags returns an error for a flag that names a file, and was given without a name: it is not the same as none, least of
// all where the file has keys.
func checkFileFlags(cmd *cobra.Command) (err error) {
	cmd.Flags().Visit(func(f *pflag.Flag) {
		if err == nil && slices.Contains(fileFlags, f.Name) && f.Value.String() == "" {
			err = usagef(`--%s "": this names no file (%s --help lists the flags)`, f.Name, cmd.CommandPath())
		}
	})
	return err
}

// wrongValue says what a flag of a type takes.
func wrongValue(kind string, cause error) string {
	if errors.Is(cause, strconv.ErrRange) {
		return "this number is too large or too small"
	}
	switch kind {
	case "int", "int64", "int32":
		return "this is not a whole number"
	case "uint", "uint64", "uint32":
		return "this is not a whole number from 0 on"
	case "float64", "float32":
		return "this is not a number"
	case "duration":
		return "this is not a length of time such as 30s, 5m or 1h30m"
	case "bool":
		return "this is neither true nor false"
	}
	return cause.Error()
}
