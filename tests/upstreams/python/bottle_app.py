"""Bottle on its default server, wsgiref."""

from bottle import request, route, run

from echo import HOST, PORT, report

METHODS = ["GET", "POST", "DELETE"]


def answer(route, id=None):
    return report(
        route=route,
        id=id,
        path=request.path,
        prefix=request.script_name,
        method=request.method,
        host=request.urlparts.netloc,
        subject=request.headers.get("x-auth-subject"),
        version=request.headers.get("x-api-version"),
        authorization=request.headers.get("authorization"),
        token=request.query.get("access_token"),
        session=request.get_cookie("session"),
    )


@route("/admin", METHODS)
@route("/admin/", METHODS)
@route("/admin/<rest:path>", METHODS)
def admin(rest=None):
    return answer("admin")


@route("/users/<id>/orders", METHODS)
def orders(id):
    return answer("orders", id)


@route("/users/<id>", METHODS)
def user(id):
    return answer("user", id)


@route("/public", METHODS)
@route("/public/", METHODS)
@route("/public/<rest:path>", METHODS)
def public(rest=None):
    return answer("public")


run(host=HOST, port=PORT, quiet=True)
