package main

import (
	_ "embed"
	"io"

	"github.com/spf13/cobra"
)

//go:generate go run -C ../../tools ./licenses

// thirdParty has the licences of the modules that the program links on the platforms of a release, linnet's own first.
//
//go:embed THIRD_PARTY_LICENSES
var thirdParty string

func newLicenses() *cobra.Command {
	return &cobra.Command{
		Use:   "licenses",
		Short: "Print the licences of linnet and of what it is made of",
		Long: `Licenses prints the modules that the program contains, and their licences and notices word for word, linnet's own first. Whoever
passes the program on should pass them on too.`,
		Example: "  linnet licenses",
		Args:    arguments(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := io.WriteString(cmd.OutOrStdout(), thirdParty)
			return err
		},
	}
}
