package main

import (
	"net/http"

	"github.com/go-chi/chi"
	"github.com/go-chi/chi/middleware"
)

func route(name string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var id *string
		if found := chi.URLParam(r, "id"); found != "" {
			id = &found
		}
		answer(w, r, name, id)
	}
}

func main() {
	r := chi.NewRouter()
	r.Use(middleware.RealIP)
	r.Use(middleware.CleanPath)
	r.Use(middleware.StripSlashes)
	r.Use(middleware.Recoverer)
	r.HandleFunc("/admin", route("admin"))
	r.HandleFunc("/admin/*", route("admin"))
	r.HandleFunc("/users/{id}/orders", route("orders"))
	r.HandleFunc("/users/{id}", route("user"))
	r.HandleFunc("/public", route("public"))
	r.HandleFunc("/public/*", route("public"))
	serve(r)
}
