package serve

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
)

// A described checks that requests and answers are as the description says.
type described struct {
	h      *Handler
	router routers.Router
	used   map[string]bool // operations and statuses
}

func newDescribed(t *testing.T, h *Handler) *described {
	t.Helper()
	document, err := openapi3.NewLoader().LoadFromData(send(h, "GET", "/openapi.json", "").Body.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if err := document.Validate(t.Context()); err != nil {
		t.Fatal(err)
	}
	router, err := gorillamux.NewRouter(document)
	if err != nil {
		t.Fatal(err)
	}
	openapi3filter.RegisterBodyDecoder("application/octet-stream", openapi3filter.FileBodyDecoder)
	return &described{h, router, map[string]bool{}}
}

// send sends a request. One that is answered with 200 must be as described, others need not; every answer must.
func (d *described) send(t *testing.T, method, path, body string, headers ...string) {
	t.Helper()
	request := func() *http.Request {
		r := httptest.NewRequest(method, "http://localhost"+path, strings.NewReader(body))
		if body != "" {
			r.Header.Set("Content-Type", "application/json")
		}
		for i := 0; i < len(headers); i += 2 {
			r.Header.Set(headers[i], headers[i+1])
		}
		return r
	}
	w := httptest.NewRecorder()
	d.h.ServeHTTP(w, request())
	r := request()
	route, parameters, err := d.router.FindRoute(r)
	if err != nil {
		t.Errorf("%s %s: %v", method, path, err)
		return
	}
	o := &openapi3filter.Options{IncludeResponseStatus: true, AuthenticationFunc: openapi3filter.NoopAuthenticationFunc}
	in := &openapi3filter.RequestValidationInput{Request: r, PathParams: parameters, Route: route, Options: o}
	if err := openapi3filter.ValidateRequest(t.Context(), in); err != nil && w.Code == 200 {
		t.Errorf("%s %s %s is answered though it is not as described: %v", method, path, body, err)
	}
	out := &openapi3filter.ResponseValidationInput{RequestValidationInput: in, Status: w.Code, Header: w.Header(), Body: io.NopCloser(bytes.NewReader(w.Body.Bytes())), Options: o}
	if err := openapi3filter.ValidateResponse(t.Context(), out); err != nil {
		t.Errorf("%s %s: %d %s: %v", method, path, w.Code, w.Body, err)
	}
	d.used[route.Operation.OperationID+" "+strconv.Itoa(w.Code)] = true
}

// Real requests and answers are as the description says, and it describes nothing else.
func TestOpenAPI(t *testing.T) {
	h := newHandler(t, Options{MaxBody: 1000, MaxText: 50, APIKeys: []string{"one"}})
	d := newDescribed(t, h)
	key := []string{"X-API-Key", "one"}
	for _, path := range []string{"/v1/models", "/v2", "/metrics", "/v2/models/two", "/v2/models/several/versions/1", "/v2/models/two/ready", "/v2/models/two/versions/v1/ready"} {
		d.send(t, "GET", path, "")
		d.send(t, "GET", path, "", key...)
	}
	for _, path := range []string{"/openapi.json", "/v2/health/live", "/v2/health/ready"} {
		d.send(t, "GET", path, "")
	}
	for _, path := range []string{"/v2/models/four", "/v2/models/two/versions/v2", "/v2/models/four/ready", "/v2/models/two/versions/v2/ready"} {
		d.send(t, "GET", path, "", key...)
	}
	h.SetReady(false)
	for _, path := range []string{"/v2/health/ready", "/v2/models/two/ready", "/v2/models/two/versions/v1/ready"} {
		d.send(t, "GET", path, "", key...)
	}
	for _, body := range []string{
		`{"text":"a lovely film"}`, `{"text":"a lovely film","scores":true,"explain":true}`, `{"texts":["a dull film",""],"model":"three","scores":true}`,
		`{"texts":[]}`, `{"text":"red and blue","model":"several","explain":true,"class":"blue"}`, `{"texts":["red","grey"],"model":"several","scores":true}`,
		`{"text":1}`, `{"text":"a","explain":true,"class":"neutral"}`, `{"text":"a","model":"four"}`, `{"text":"` + strings.Repeat("a", 51) + `"}`,
	} {
		d.send(t, "POST", "/v1/classify", body, key...)
	}
	d.send(t, "POST", "/v1/classify", `{"text":"a"}`)
	d.send(t, "POST", "/v1/classify", `{"text":"a"}`, "X-API-Key", "one", "Content-Encoding", "gzip")
	tail := elements("a lovely film")
	binary := `{"inputs":[{"name":"text","datatype":"BYTES","shape":[1],"parameters":{"binary_data_size":` + strconv.Itoa(len(tail)) + `}}],"parameters":{"binary_data_output":true}}`
	for _, path := range []string{"/v2/models/several/infer", "/v2/models/several/versions/1/infer"} {
		d.send(t, "POST", path, `{"id":"1","inputs":[{"name":"text","datatype":"BYTES","shape":[2],"data":["red","blue"]}]}`, key...)
		d.send(t, "POST", path, `{"inputs":[{"name":"text","datatype":"BYTES","shape":[1,1],"data":[["red"]],"parameters":{"a":1}}],"outputs":[{"name":"scores"}]}`, key...)
		d.send(t, "POST", path, `{"id":null,"model_name":"several","more":[1],"parameters":null,"inputs":[{"name":"text","datatype":"BYTES","shape":[1],"data":["red"],"parameters":{"a":null}}],"outputs":null}`, key...)
		d.send(t, "POST", path, binary+tail, "X-API-Key", "one", "Content-Type", "application/octet-stream", headerLength, strconv.Itoa(len(binary)))
		d.send(t, "POST", path, `{"inputs":[]}`, key...)
		d.send(t, "POST", path, `{"inputs":[]}`)
		d.send(t, "POST", path, strings.Repeat(" ", 1001), key...)
		d.send(t, "POST", path, `{"inputs":[]}`, "X-API-Key", "one", "Content-Encoding", "gzip")
	}
	d.send(t, "POST", "/v2/models/four/infer", `{"inputs":[]}`, key...)
	d.send(t, "POST", "/v2/models/two/versions/4/infer", `{"inputs":[]}`, key...)
	h.working.Store(1000)
	for _, path := range []string{"/v1/classify", "/v2/models/several/infer", "/v2/models/several/versions/1/infer"} {
		d.send(t, "POST", path, `{"text":"a"}`, key...)
	}
	document := map[string]any{}
	if err := json.Unmarshal(openAPIText, &document); err != nil {
		t.Fatal(err)
	}
	for path, item := range document["paths"].(map[string]any) {
		for method, operation := range item.(map[string]any) {
			if method == "parameters" {
				continue
			}
			operation := operation.(map[string]any)
			for status := range operation["responses"].(map[string]any) {
				// A router cannot find what has the wrong method; slow bodies, deadlines and panics have tests of their own.
				what, ownTest := operation["operationId"].(string)+" "+status, status == "405" || status == "408" || status == "500" || status == "503" && method == "post"
				if !d.used[what] && !ownTest {
					t.Errorf("%s is described and did not come up: %s", what, path)
				}
			}
		}
	}
}
