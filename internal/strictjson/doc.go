// Package strictjson reads JSON from files that nobody vouches for: strictly, in time and memory in proportion to the text,
// and looking at a context on the way. A [Scanner] reads token by token; [Unmarshal] fills a value.
package strictjson
