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
	o, err := parseOptions(args, stdout)
	if err == nil {
		err = newTutorial(o, stdout, stderr).run(ctx)
	}
	return example.Exit(programName, err, stderr)
}
