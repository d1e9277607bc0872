package main

import (
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/linnet-ml/linnet/simd"
	"github.com/spf13/cobra"
)

func newVersion() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Say which linnet this is",
		Long: `Version says which version and commit of linnet the program was built from, with which Go, and which kernels compute on this
processor. A bug report should have it. "linnet --version" says it in one line.

The commit is known where the program was built in a clone; "go install" of a version knows the version alone.`,
		Example: "  linnet version\n  linnet version --json",
		Args:    arguments(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			b := thisBuild()
			if asJSON {
				return writeJSON(cmd.OutOrStdout(), b)
			}
			return b.write(cmd.OutOrStdout())
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}

// build says what a program was built from, and what runs.
type build struct {
	Version  string `json:"version"`            // of the module: v1.2.3, a pseudo-version, or (devel)
	Commit   string `json:"commit,omitempty"`   // all digits; empty if it is not known
	Time     string `json:"time,omitempty"`     // of the commit
	Modified bool   `json:"modified,omitempty"` // whether files differed from the commit
	Go       string `json:"go"`
	Platform string `json:"platform"`
	Kernels  string `json:"kernels"`
}

// thisBuild is the build of the program that runs.
func thisBuild() build {
	info, _ := debug.ReadBuildInfo()
	return buildOf(info)
}

// buildOf is what a program's information says, which may be nil.
func buildOf(info *debug.BuildInfo) build {
	b := build{
		Version:  "(devel)",
		Go:       strings.TrimPrefix(runtime.Version(), "go"),
		Platform: runtime.GOOS + "/" + runtime.GOARCH,
		Kernels:  simd.Path(),
	}
	if info == nil {
		return b
	}
	if info.Main.Version != "" {
		b.Version = info.Main.Version
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Commit = s.Value
		case "vcs.time":
			b.Time = s.Value
		case "vcs.modified":
			b.Modified = s.Value == "true"
		}
	}
	return b
}

// write writes a line for each thing that is known.
func (b build) write(w io.Writer) error {
	t := &table{}
	t.add("linnet", b.Version)
	if b.Commit != "" {
		t.add("commit", b.Commit+b.changed())
	}
	if b.Time != "" {
		t.add("of", b.Time)
	}
	t.add("Go", b.Go)
	t.add("platform", b.Platform)
	t.add("kernels", b.Kernels)
	return t.write(w, "l")
}

// changed is what follows a commit whose files were not all as committed.
func (b build) changed() string {
	if b.Modified {
		return ", with changes"
	}
	return ""
}

// commitDigits is how much of a commit the short form shows.
const commitDigits = 12

// String is the short form, in one line.
func (b build) String() string {
	commit := ""
	if b.Commit != "" {
		commit = fmt.Sprintf(" (%.*s%s)", commitDigits, b.Commit, b.changed())
	}
	return fmt.Sprintf("linnet %s%s, Go %s, %s, kernels: %s", b.Version, commit, b.Go, b.Platform, b.Kernels)
}
