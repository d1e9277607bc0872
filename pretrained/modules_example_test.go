package pretrained_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/linnet-ml/linnet/pretrained"
)

func ExampleOpenModule() {
	module, err := pretrained.OpenModule(context.Background(), "nnlm-en-dim50", pretrained.HubOptions{})
	if errors.Is(err, pretrained.ErrModuleNotFound) {
		log.Fatal(err, "; download it with fetch.Module")
	}
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(module.Name(), module.Rows(), module.Dim(), module.Combiner())
}

// Anything but a known name or a URL is an error that lists the names.
func ExampleFindModule() {
	_, err := pretrained.FindModule("word2vec")
	fmt.Println(err)
	// Output:
	// pretrained: no module is known by the name "word2vec": known are nnlm-en-dim50, nnlm-en-dim50-with-normalization, nnlm-en-dim128, nnlm-en-dim128-with-normalization; any other goes by its URL, https://tfhub.dev/PUBLISHER/NAME/VERSION
}
