package npz_test

import (
	"fmt"
	"log"
	"os"

	"github.com/linnet-ml/linnet/internal/npz"
	"github.com/linnet-ml/linnet/internal/ratio"
)

func Example() {
	f, err := os.Open("testdata/tiny.npz")
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		log.Fatal(err)
	}
	archive, err := npz.NewArchive(f, info.Size(), ratio.Limit{})
	if err != nil {
		log.Fatal(err)
	}
	lists, err := archive.Lists("x")
	if err != nil {
		log.Fatal(err)
	}
	for i := range lists.Len() {
		fmt.Println(lists.Row(i))
	}
	// Output:
	// [1 14 300]
	// [70000]
}
