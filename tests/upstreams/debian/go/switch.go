package main

import (
	"net/http"
	"strings"
)

// The program splits the decoded path.
func main() {
	serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		segments := strings.Split(strings.TrimPrefix(r.URL.Path, "/"), "/")
		answerBySegments(w, r, segments)
	}))
}
