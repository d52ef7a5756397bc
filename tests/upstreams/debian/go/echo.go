package main

import (
	"github.com/labstack/echo"
	"github.com/labstack/echo/middleware"
)

func route(name string) echo.HandlerFunc {
	return func(c echo.Context) error {
		var id *string
		if found := c.Param("id"); found != "" {
			id = &found
		}
		answer(c.Response(), c.Request(), name, id)
		return nil
	}
}

func main() {
	e := echo.New()
	e.Pre(middleware.MethodOverride())
	e.Any("/admin", route("admin"))
	e.Any("/admin/*", route("admin"))
	e.Any("/users/:id/orders", route("orders"))
	e.Any("/users/:id", route("user"))
	e.Any("/public", route("public"))
	e.Any("/public/*", route("public"))
	serve(e)
}
