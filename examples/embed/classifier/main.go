// Classifier is a program with a text classifier inside: it says what messages to a shop are about, and needs no file
// beside it.
//
//	go run ./examples/embed/classifier 'Where is my parcel?' 'I was charged twice.'
//	go run ./examples/embed/classifier < messages.txt
//
// Each argument is a message, or without arguments each line of the standard input, of up to 1 MiB. The classifier is put
// into the program by a go:embed directive. examples/embed/make has trained it on the invented messages in docs/data.
package main

import (
	"bufio"
	"context"
	_ "embed"
	"fmt"
	"io"
	"os"

	"github.com/linnet-ml/linnet/classifier"
)

//go:embed messages.linnet
var messages []byte

func main() {
	if err := run(context.Background(), os.Args[1:], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "classifier:", err)
		os.Exit(1)
	}
}

// run writes a line for each text: its label, how probable it is, and the text.
func run(ctx context.Context, texts []string, in io.Reader, out io.Writer) error {
	c, err := classifier.FromBytes(ctx, messages)
	if err != nil {
		return err
	}
	for _, text := range texts {
		if err := classify(c, text, out); err != nil {
			return err
		}
	}
	if len(texts) > 0 {
		return nil
	}
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if err := classify(c, lines.Text(), out); err != nil {
			return err
		}
	}
	return lines.Err()
}

func classify(c *classifier.Classifier, text string, out io.Writer) error {
	r := c.Classify(text)
	_, err := fmt.Fprintf(out, "%s %.3f: %s\n", r.Label, r.Probability, text)
	return err
}
