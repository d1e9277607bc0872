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
		return &problem{status: http.StatusUnauthorized, code: "no_key", message: "the request has no key", hint: "send Authorization: Bearer KEY or X-API-Key: KEY", cut: r.ContentLength != 0}
	}
	digest := sha256.Sum256([]byte(given))
	found := 0
	for i := range k {
		found |= subtle.ConstantTimeCompare(digest[:], k[i][:])
	}
	if found == 0 {
		return &problem{status: http.StatusUnauthorized, code: "wrong_key", message: "the key is wrong", hint: "send one of the server's keys", cut: r.ContentLength != 0}
	}
	return nil
}

// givenKey is the key of a request. One that sends several has none.
func givenKey(r *http.Request) (key string, ok bool) {
	bearer, plain := r.Header["Authorization"], r.Header["X-Api-Key"]
	if len(bearer)+len(plain) != 1 {
		return "", false
	}
	if len(plain) == 1 {
		return plain[0], len(plain[0]) <= maxKey
	}
	scheme, key, ok := strings.Cut(bearer[0], " ")
	return key, ok && strings.EqualFold(scheme, "Bearer") && len(key) <= maxKey
}
