package serve_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/linnet-ml/linnet/classifier"
	"github.com/linnet-ml/linnet/serve"
)

func reviews() *classifier.Classifier {
	var examples []classifier.Example
	for _, thing := range []string{"film", "book", "song", "play", "show"} {
		examples = append(examples,
			classifier.Example{Text: "A wonderful " + thing + "!", Labels: []string{"positive"}},
			classifier.Example{Text: "A terrible " + thing + ".", Labels: []string{"negative"}})
	}
	c, err := classifier.Train(context.Background(), examples, classifier.Options{})
	if err != nil {
		panic(err)
	}
	return c
}

func ask(h http.Handler, method, path, body string) string {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(method, path, strings.NewReader(body)))
	b, _ := io.ReadAll(w.Body)
	return string(b)
}

func ExampleNew() {
	h, err := serve.New([]serve.Model{{Name: "reviews", Classifier: reviews()}}, serve.Options{MaxTexts: 100})
	if err != nil {
		panic(err)
	}
	fmt.Print(ask(h, "GET", "/v1/models", ""))
	fmt.Print(ask(h, "POST", "/v1/classify", `{"Text": "wonderful"}`))
	// Output:
	// {"models":[{"name":"reviews","version":"1","several_labels":false,"classes":["negative","positive"]}],"limits":{"max_body":4194304,"max_texts":100,"max_text":1048576,"max_explained":65536}}
	// {"error":"byte 8: there is no member \"Text\"","code":"malformed","hint":"send {\"text\": \"…\"} or {\"texts\": [\"…\", \"…\"]}, and if you like \"model\", \"scores\": true, \"explain\": true, \"class\""}
}

func ExampleHandler_Replace() {
	h, err := serve.New([]serve.Model{{Name: "reviews", Version: "a", Classifier: reviews()}}, serve.Options{})
	if err != nil {
		panic(err)
	}
	if err := h.Replace(serve.Model{Name: "reviews", Version: "b", Classifier: reviews()}); err != nil {
		panic(err)
	}
	fmt.Print(ask(h, "GET", "/v2/models/reviews/versions/a", ""))
	// Output:
	// {"error":"the model reviews does not have this version","code":"no_such_version","hint":"ask for version b, or for none"}
}

func ExampleValidName() {
	fmt.Println(serve.ValidName("reviews-2.1"), serve.ValidName("film reviews"))
	// Output: true false
}

func ExampleHandler_Server() {
	h, err := serve.New([]serve.Model{{Name: "reviews", Classifier: reviews()}}, serve.Options{})
	if err != nil {
		panic(err)
	}
	server := h.Server("127.0.0.1:0")
	go server.ListenAndServe()
	// At the end: say so to whoever asks, and finish what has begun.
	h.SetReady(false)
	if err := server.Shutdown(context.Background()); err != nil {
		panic(err)
	}
	fmt.Print(ask(h, "GET", "/v2/health/ready", ""))
	// Output:
	// {"error":"the server is not ready: it starts or ends","code":"not_ready","hint":"try again after the seconds in Retry-After, or ask another server"}
}

func ExampleHandler_Watch() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "reviews.linnet")
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if err := reviews().Save(ctx, path); err != nil {
		panic(err)
	}
	m, err := serve.Load(ctx, "reviews", path)
	if err != nil {
		panic(err)
	}
	h, err := serve.New([]serve.Model{m}, serve.Options{})
	if err != nil {
		panic(err)
	}
	go h.Watch(ctx, m.Name, path, 2*time.Second) // a new file answers from now on
	fmt.Print(ask(h, "GET", "/v2/models/reviews/ready", ""))
	// Output:
	// {"name":"reviews","ready":true}
}
