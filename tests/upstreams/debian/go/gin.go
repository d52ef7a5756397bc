package main

import "github.com/gin-gonic/gin"

func route(name string) gin.HandlerFunc {
	return func(c *gin.Context) {
		var id *string
		if found, ok := c.Params.Get("id"); ok {
			id = &found
		}
		answer(c.Writer, c.Request, name, id)
	}
}

func main() {
	gin.SetMode(gin.ReleaseMode)
	router := gin.New()
	router.Any("/admin", route("admin"))
	router.Any("/admin/*rest", route("admin"))
	router.Any("/users/:id/orders", route("orders"))
	router.Any("/users/:id", route("user"))
	router.Any("/public", route("public"))
	router.Any("/public/*rest", route("public"))
	serve(router)
}
