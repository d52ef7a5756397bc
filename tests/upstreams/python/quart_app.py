"""Quart, for hypercorn."""

from hypercorn.middleware import ProxyFixMiddleware
from quart import Quart, request

from echo import report

app = Quart(__name__)


def answer(route, id=None):
    return report(
        route=route,
        id=id,
        path=request.path,
        prefix=request.root_path,
        method=request.method,
        host=request.host,
        subject=request.headers.get("x-auth-subject"),
        version=request.headers.get("x-api-version"),
        authorization=request.headers.get("authorization"),
        token=request.args.get("access_token"),
        session=request.cookies.get("session"),
    )


METHODS = ["GET", "POST", "DELETE"]


@app.route("/admin", methods=METHODS)
@app.route("/admin/", methods=METHODS)
@app.route("/admin/<path:rest>", methods=METHODS)
async def admin(rest=None):
    return answer("admin")


@app.route("/users/<id>/orders", methods=METHODS)
async def orders(id):
    return answer("orders", id)


@app.route("/users/<id>", methods=METHODS)
async def user(id):
    return answer("user", id)


@app.route("/public", methods=METHODS)
@app.route("/public/", methods=METHODS)
@app.route("/public/<path:rest>", methods=METHODS)
async def public(rest=None):
    return answer("public")


# "Proxy Server", of Quart's how-to guides.
behind_proxy = ProxyFixMiddleware(app, mode="legacy", trusted_hops=1)
