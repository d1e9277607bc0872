package serve

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strings"
)

// keys are the digests of the keys that are let in. How long a comparison takes says nothing about a key, nor about its
// length.
type keys [][sha256.Size]byte

func newKeys(list []string) keys {
	var k keys
	for _, key := range list {
		k = append(k, sha256.Sum256([]byte(key)))
	}
	return k
}

// allow returns a problem unless the request has one of the keys.
func (k keys) allow(r *http.Request) *problem {
	if len(k) == 0 {
		return nil
	}
	given, ok := givenKey(r)
	if !ok {
		return &problem{status: http.StatusUnauthorized, code: "no_key", message: "the request has no key", hint: "send Authorization: Bearer KEY or X-API-Key: KEY"}
	}
	digest := sha256.Sum256([]byte(given))
	found := 0
	for i := range k {
		found |= subtle.ConstantTimeCompare(digest[:], k[i][:])
	}
	if found == 0 {
		return &problem{status: http.StatusUnauthorized, code: "wrong_key", message: "the key is wrong", hint: "send one of the server's keys"}
	}
	return nil
}

// givenKey is the key of a request. One that sends several has none. What a gateway adds for another scheme than Bearer is no key.
func givenKey(r *http.Request) (key string, ok bool) {
	plain := r.Header["X-Api-Key"]
	n := len(plain)
	if n > 0 {
		key = plain[0]
	}
	for _, value := range r.Header["Authorization"] {
		if scheme, bearer, ok := strings.Cut(value, " "); ok && strings.EqualFold(scheme, "Bearer") {
			key = bearer
			n++
		}
	}
	return key, n == 1 && len(key) <= maxKey
}
