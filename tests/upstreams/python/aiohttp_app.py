"""aiohttp's server."""

from aiohttp import web

from echo import HOST, PORT, report


def serve(path, route):
    async def answer(request):
        return web.json_response(
            report(
                route=route,
                id=request.match_info.get("id"),
                path=request.path,
                method=request.method,
                host=request.host,
                subject=request.headers.get("x-auth-subject"),
                version=request.headers.get("x-api-version"),
                authorization=request.headers.get("authorization"),
                token=request.query.get("access_token"),
                session=request.cookies.get("session"),
            )
        )

    return [web.get(path, answer), web.post(path, answer), web.delete(path, answer)]


app = web.Application()
# Server, "Variable Resources": a parameter matches one segment, unless it has a pattern.
app.add_routes(
    [
        *serve("/admin", "admin"),
        *serve("/admin/{rest:.*}", "admin"),
        *serve("/users/{id}/orders", "orders"),
        *serve("/users/{id}", "user"),
        *serve("/public", "public"),
        *serve("/public/{rest:.*}", "public"),
    ]
)
web.run_app(app, host=HOST, port=PORT, print=None)
