package main

import (
	"net/http"
	"strings"
)

func named(route string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) { answer(w, r, route, nil) }
}

// The patterns of Go before 1.22 have no parameters: what is below `/users/` is split by hand.
func main() {
	mux := http.NewServeMux()
	mux.HandleFunc("/admin", named("admin"))
	mux.HandleFunc("/admin/", named("admin"))
	mux.HandleFunc("/public", named("public"))
	mux.HandleFunc("/public/", named("public"))
	mux.HandleFunc("/users/", func(w http.ResponseWriter, r *http.Request) {
		id, below, found := strings.Cut(strings.TrimPrefix(r.URL.Path, "/users/"), "/")
		switch {
		case id != "" && !found:
			answer(w, r, "user", &id)
		case id != "" && below == "orders":
			answer(w, r, "orders", &id)
		default:
			http.NotFound(w, r)
		}
	})
	serve(mux)
}
