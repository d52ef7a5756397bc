package main

import (
	"net/http"
	"net/url"
	"strings"
)

// The program splits the path as it was escaped, and decodes each segment after that.
func main() {
	serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		segments := strings.Split(strings.TrimPrefix(r.URL.EscapedPath(), "/"), "/")
		for i, segment := range segments {
			decoded, err := url.PathUnescape(segment)
			if err != nil {
				http.Error(w, err.Error(), http.StatusBadRequest)
				return
			}
			segments[i] = decoded
		}
		switch {
		case segments[0] == "admin":
			answer(w, r, "admin", nil)
		case segments[0] == "public":
			answer(w, r, "public", nil)
		case segments[0] == "users" && len(segments) == 3 && segments[2] == "orders":
			answer(w, r, "orders", &segments[1])
		case segments[0] == "users" && len(segments) == 2:
			answer(w, r, "user", &segments[1])
		default:
			http.NotFound(w, r)
		}
	}))
}
