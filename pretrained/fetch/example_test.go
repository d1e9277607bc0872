package fetch_test

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/linnet-ml/linnet/pretrained"
	"github.com/linnet-ml/linnet/pretrained/fetch"
)

func ExampleModule() {
	const url = "https://tfhub.dev/google/nnlm-en-dim50/2"
	_, err := fetch.Module(context.Background(), url, fetch.Options{Progress: func(name string, done, total int64) {
		fmt.Fprintf(os.Stderr, "\r%s: %d of %d bytes", name, done, total)
	}})
	if err != nil {
		log.Fatal(err)
	}
	module, err := pretrained.OpenModule(context.Background(), url, pretrained.HubOptions{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(module.Name(), module.Rows(), module.Dim())
}
