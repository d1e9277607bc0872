package serve

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"net/http"
	"path"
	"strings"
)

//go:embed page
var pageFiles embed.FS

//go:embed openapi.json
var openAPIText []byte

// An asset is a file that is part of the program.
type asset struct {
	kind string // its Content-Type
	tag  string // its ETag
	body []byte
}

func newAsset(kind string, body []byte) *asset {
	digest := sha256.Sum256(body)
	return &asset{kind, `"` + hex.EncodeToString(digest[:8]) + `"`, body}
}

var openAPIFile = newAsset("application/json", openAPIText)

// kinds are the types of the page's files.
var kinds = map[string]string{
	".html": "text/html; charset=utf-8",
	".css":  "text/css; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".svg":  "image/svg+xml",
}

// pageAssets returns the files of the page by their path.
func pageAssets() map[string]*asset {
	assets := map[string]*asset{}
	list, err := pageFiles.ReadDir("page")
	if err != nil {
		panic(err) // they are part of the program
	}
	for _, f := range list {
		b, err := pageFiles.ReadFile("page/" + f.Name())
		if err != nil {
			panic(err)
		}
		at := "/" + strings.TrimSuffix(f.Name(), "index.html")
		assets[at] = newAsset(kinds[path.Ext(f.Name())], b)
	}
	return assets
}

// contentPolicy lets the page load its own files and talk to its own server, and nothing else.
const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// write sends the file, unless the client has it, and returns the status.
func (a *asset) write(w http.ResponseWriter, r *http.Request) (status int) {
	h := w.Header()
	h.Set("Content-Type", a.kind)
	h.Set("Cache-Control", "no-cache")
	h.Set("ETag", a.tag)
	h.Set("Content-Security-Policy", contentPolicy)
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h["X-Content-Type-Options"] = noSniff
	if strings.Contains(r.Header.Get("If-None-Match"), a.tag) {
		w.WriteHeader(http.StatusNotModified)
		return http.StatusNotModified
	}
	w.Write(a.body)
	return http.StatusOK
}
