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
		answerBySegments(w, r, segments)
	}))
}
