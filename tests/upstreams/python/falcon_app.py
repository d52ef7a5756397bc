"""Falcon, for gunicorn (`wsgi`) and for uvicorn (`asgi`)."""

import falcon
import falcon.asgi

from echo import report


def read(route, req, id):
    return report(
        route=route,
        id=id,
        path=req.path,
        prefix=req.root_path,
        method=req.method,
        # Request, `forwarded_host`: the host behind a proxy.
        host=req.forwarded_host,
        subject=req.get_header("x-auth-subject"),
        version=req.get_header("x-api-version"),
        authorization=req.auth,
        token=req.get_param("access_token"),
        session=req.cookies.get("session"),
    )


class Answer:
    def __init__(self, route):
        self.route = route

    def on_get(self, req, resp, id=None, **rest):
        resp.media = read(self.route, req, id)

    on_post = on_delete = on_get


class AsyncAnswer:
    def __init__(self, route):
        self.route = route

    async def on_get(self, req, resp, id=None, **rest):
        resp.media = read(self.route, req, id)

    on_post = on_delete = on_get


def with_routes(app, answer):
    # Routing, "Built-in converters": `path` matches all remaining segments.
    for path, route in [
        ("/admin", "admin"),
        ("/admin/{rest:path}", "admin"),
        ("/users/{id}/orders", "orders"),
        ("/users/{id}", "user"),
        ("/public", "public"),
        ("/public/{rest:path}", "public"),
    ]:
        app.add_route(path, answer(route))
    return app


wsgi = with_routes(falcon.App(), Answer)
asgi = with_routes(falcon.asgi.App(), AsyncAnswer)
