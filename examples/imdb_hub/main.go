package main

import (
	"context"
	"io"

	"github.com/linnet-ml/linnet/examples/internal/example"
)

// programName is what errors and model files call this program.
const programName = "imdb_hub"

func main() { example.Main(run) }

// run is the program. Steps and results go to stdout, progress and errors to stderr.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	page := example.NewPage(stdout)
	o, err := parseOptions(args, page)
	if err == nil {
		err = newTutorial(o, page, stderr).run(ctx)
	}
	return example.Exit(programName, page.End(err), stderr)
}
