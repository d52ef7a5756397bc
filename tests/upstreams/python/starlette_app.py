"""Starlette, for uvicorn (`app`) and for hypercorn (`behind_proxy`)."""

from hypercorn.middleware import ProxyFixMiddleware
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from echo import report


def serve(path, route):
    def answer(request):
        return JSONResponse(
            report(
                route=route,
                id=request.path_params.get("id"),
                path=request.url.path,
                prefix=request.scope.get("root_path"),
                method=request.method,
                host=request.url.hostname,
                subject=request.headers.get("x-auth-subject"),
                version=request.headers.get("x-api-version"),
                authorization=request.headers.get("authorization"),
                token=request.query_params.get("access_token"),
                session=request.cookies.get("session"),
            )
        )

    return Route(path, answer, methods=["GET", "POST", "DELETE"])


app = Starlette(
    routes=[
        serve("/admin", "admin"),
        serve("/admin/{rest:path}", "admin"),
        serve("/users/{id}/orders", "orders"),
        serve("/users/{id}", "user"),
        serve("/public", "public"),
        serve("/public/{rest:path}", "public"),
    ]
)

# Hypercorn, "Fixing proxy headers": `modern` reads `Forwarded`, or `X-Forwarded-*` if it is absent.
behind_proxy = ProxyFixMiddleware(app, mode="modern", trusted_hops=1)
