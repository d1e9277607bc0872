package download_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/linnet-ml/linnet/internal/download"
)

func ExampleFetch() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.ServeContent(w, r, "", time.Time{}, strings.NewReader("hello\n"))
	}))
	defer server.Close()
	folder, err := os.MkdirTemp("", "linnet-")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(folder)

	file, err := download.Fetch(context.Background(), folder, download.File{
		URL:    server.URL + "/greeting.txt",
		Size:   6,
		SHA256: "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03",
	}, download.Options{})
	if err != nil {
		log.Fatal(err)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s: %s", filepath.Base(file), data)
	// Output: greeting.txt: hello
}
