package main

import (
	"net/http"

	"github.com/julienschmidt/httprouter"
)

func route(name string) httprouter.Handle {
	return func(w http.ResponseWriter, r *http.Request, parameters httprouter.Params) {
		var id *string
		if found := parameters.ByName("id"); found != "" {
			id = &found
		}
		answer(w, r, name, id)
	}
}

func main() {
	router := httprouter.New()
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodDelete} {
		router.Handle(method, "/admin", route("admin"))
		router.Handle(method, "/admin/*rest", route("admin"))
		router.Handle(method, "/users/:id/orders", route("orders"))
		router.Handle(method, "/users/:id", route("user"))
		router.Handle(method, "/public", route("public"))
		router.Handle(method, "/public/*rest", route("public"))
	}
	serve(router)
}
