"""Sanic."""

from sanic import Sanic
from sanic.response import json

from echo import HOST, PORT, report

app = Sanic("fleet")
# "Proxy configuration".
app.config.PROXIES_COUNT = 1


def serve(path, route):
    async def answer(request, id=None, **rest):
        return json(
            report(
                route=route,
                id=id,
                path=request.path,
                method=request.method,
                host=request.host,
                subject=request.headers.get("x-auth-subject"),
                version=request.headers.get("x-api-version"),
                authorization=request.headers.get("authorization"),
                token=request.args.get("access_token"),
                session=request.cookies.get("session"),
            )
        )

    # Routing, "Custom path parameters": parameters are decoded if `unquote` is set.
    app.add_route(answer, path, methods=["GET", "POST", "DELETE"], name=f"{route} {len(path)}", unquote=True)


serve("/admin", "admin")
serve("/admin/<rest:path>", "admin")
serve("/users/<id>/orders", "orders")
serve("/users/<id>", "user")
serve("/public", "public")
serve("/public/<rest:path>", "public")

if __name__ == "__main__":
    app.run(host=HOST, port=PORT, single_process=True, motd=False, access_log=False)
