package serve

import (
	"net/http"
	"strings"
)

// An endpoint is something that requests can be for.
type endpoint int

const (
	unknownPath endpoint = iota
	pageFile
	openAPI
	metricsList
	classifyTexts
	listModels
	serverMetadata
	serverLive
	serverReady
	modelMetadata
	modelReady
	modelInfer
	endpoints
)

// endpointTable says of each endpoint its name in metrics and logs, whether it is for anybody, with or without a key, and whether its
// method is POST instead of GET and HEAD.
var endpointTable = [endpoints]struct {
	name       string
	open, post bool
}{
	unknownPath:    {name: "unknown"},
	pageFile:       {name: "page", open: true},
	openAPI:        {name: "openapi", open: true},
	metricsList:    {name: "metrics"},
	classifyTexts:  {name: "classify", post: true},
	listModels:     {name: "models"},
	serverMetadata: {name: "v2"},
	serverLive:     {name: "v2_live", open: true},
	serverReady:    {name: "v2_ready", open: true},
	modelMetadata:  {name: "v2_model"},
	modelReady:     {name: "v2_model_ready"},
	modelInfer:     {name: "v2_infer", post: true},
}

// String is the endpoint's name in metrics and logs.
func (e endpoint) String() string { return endpointTable[e].name }

// open returns whether the endpoint is for anybody, with or without a key.
func (e endpoint) open() bool { return endpointTable[e].open }

// methods are the methods that the endpoint allows.
func (e endpoint) methods() string {
	if endpointTable[e].post {
		return "POST"
	}
	return "GET, HEAD"
}

func (e endpoint) allows(method string) bool {
	if endpointTable[e].post {
		return method == http.MethodPost
	}
	return method == http.MethodGet || method == http.MethodHead
}

// route finds the endpoint of a path, and in paths with a model its name and version, "" for the newest. Paths are taken as they
// are: there are no redirects.
func route(path string) (e endpoint, model, version string) {
	switch path {
	case "/v1/classify":
		return classifyTexts, "", ""
	case "/v1/models":
		return listModels, "", ""
	case "/v2":
		return serverMetadata, "", ""
	case "/v2/health/live":
		return serverLive, "", ""
	case "/v2/health/ready":
		return serverReady, "", ""
	case "/metrics":
		return metricsList, "", ""
	case "/openapi.json":
		return openAPI, "", ""
	}
	rest, ok := strings.CutPrefix(path, "/v2/models/")
	if !ok {
		return unknownPath, "", ""
	}
	model, rest, _ = strings.Cut(rest, "/")
	if after, ok := strings.CutPrefix(rest, "versions/"); ok {
		version, rest, _ = strings.Cut(after, "/")
		if !ValidName(version) {
			return unknownPath, "", ""
		}
	}
	if !ValidName(model) || strings.HasSuffix(path, "/") {
		return unknownPath, "", ""
	}
	switch rest {
	case "":
		return modelMetadata, model, version
	case "ready":
		return modelReady, model, version
	case "infer":
		return modelInfer, model, version
	}
	return unknownPath, "", ""
}
