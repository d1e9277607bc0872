package textdir_test

import (
	"context"
	"fmt"
	"log"
	"testing/fstest"

	"github.com/linnet-ml/linnet/datasets/textdir"
)

func Example() {
	// os.DirFS("reviews") for a folder on disk.
	reviews := fstest.MapFS{
		"neg/1.txt": {Data: []byte("Dull.")},
		"neg/2.txt": {Data: []byte("A long evening.")},
		"pos/1.txt": {Data: []byte("Great fun!")},
		"pos/2.txt": {Data: []byte("I laughed and cried.")},
	}
	train, validation, err := textdir.LoadBoth(context.Background(), reviews, textdir.Options{ValidationSplit: 0.25, Seed: new(42)})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("classes:", train.Classes)
	for i, text := range train.Texts {
		fmt.Println(train.Names[i], train.Labels[i], text)
	}
	fmt.Println("to validate with:", validation.Names)
	// Output:
	// classes: [neg pos]
	// neg/2.txt 0 A long evening.
	// pos/2.txt 1 I laughed and cried.
	// neg/1.txt 0 Dull.
	// to validate with: [pos/1.txt]
}
