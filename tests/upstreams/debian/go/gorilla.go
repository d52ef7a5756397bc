package main

import (
	"net/http"

	"github.com/gorilla/handlers"
	"github.com/gorilla/mux"
)

func route(name string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var id *string
		if found, ok := mux.Vars(r)["id"]; ok {
			id = &found
		}
		answer(w, r, name, id)
	}
}

// The program trusts the proxy's headers and lets a POST name another method.
func main() {
	router := mux.NewRouter()
	router.HandleFunc("/admin", route("admin"))
	router.PathPrefix("/admin/").HandlerFunc(route("admin"))
	router.HandleFunc("/users/{id}/orders", route("orders"))
	router.HandleFunc("/users/{id}", route("user"))
	router.HandleFunc("/public", route("public"))
	router.PathPrefix("/public/").HandlerFunc(route("public"))
	serve(handlers.ProxyHeaders(handlers.HTTPMethodOverrideHandler(router)))
}
