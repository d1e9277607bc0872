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

// String is the endpoint's name in metrics and logs.
func (e endpoint) String() string {
	return [...]string{"unknown", "page", "openapi", "metrics", "classify", "models", "v2", "v2_live", "v2_ready", "v2_model", "v2_model_ready", "v2_infer"}[e]
}

// open returns whether the endpoint is for anybody, with or without a key.
func (e endpoint) open() bool {
	return e == pageFile || e == openAPI || e == serverLive || e == serverReady
}

// methods are the methods that the endpoint allows.
func (e endpoint) methods() string {
	if e == classifyTexts || e == modelInfer {
		return "POST"
	}
	return "GET, HEAD"
}

func (e endpoint) allows(method string) bool {
	if e == classifyTexts || e == modelInfer {
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
		if !validName(version) {
			return unknownPath, "", ""
		}
	}
	if !validName(model) || strings.HasSuffix(path, "/") {
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
