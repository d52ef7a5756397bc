"""FastAPI, for gunicorn's ASGI worker."""

from fastapi import FastAPI, Request

from echo import report

app = FastAPI(openapi_url=None)


def serve(path, route):
    @app.api_route(path, methods=["GET", "POST", "DELETE"])
    def answer(request: Request, access_token: str | None = None):
        return report(
            route=route,
            id=request.path_params.get("id"),
            path=request.url.path,
            prefix=request.scope.get("root_path"),
            method=request.method,
            host=request.url.hostname,
            subject=request.headers.get("x-auth-subject"),
            version=request.headers.get("x-api-version"),
            authorization=request.headers.get("authorization"),
            token=access_token,
            session=request.cookies.get("session"),
        )


serve("/admin", "admin")
serve("/admin/{rest:path}", "admin")
serve("/users/{id}/orders", "orders")
serve("/users/{id}", "user")
serve("/public", "public")
serve("/public/{rest:path}", "public")
