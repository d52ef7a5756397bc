package main

import (
	"net/http"
	"strings"
)

// The program routes by hand, with a switch over the segments of the decoded path.
func main() {
	serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		segments := strings.Split(strings.TrimPrefix(r.URL.Path, "/"), "/")
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
