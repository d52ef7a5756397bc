"""Flask, for gunicorn and for waitress."""

from flask import Flask, request
from werkzeug.middleware.proxy_fix import ProxyFix

from echo import report

app = Flask(__name__)


class HTTPMethodOverrideMiddleware:
    """Patterns for Flask, "Adding HTTP Method Overrides"."""

    allowed_methods = frozenset(["GET", "HEAD", "POST", "DELETE", "PUT", "PATCH", "OPTIONS"])
    bodyless_methods = frozenset(["GET", "HEAD", "OPTIONS", "DELETE"])

    def __init__(self, app):
        self.app = app

    def __call__(self, environ, start_response):
        method = environ.get("HTTP_X_HTTP_METHOD_OVERRIDE", "").upper()
        if method in self.allowed_methods:
            environ["REQUEST_METHOD"] = method
        if method in self.bodyless_methods:
            environ["CONTENT_LENGTH"] = "0"
        return self.app(environ, start_response)


app.wsgi_app = HTTPMethodOverrideMiddleware(app.wsgi_app)
# "Tell Flask it is Behind a Proxy".
app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=1, x_host=1, x_prefix=1)


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
def admin(rest=None):
    return answer("admin")


@app.route("/users/<id>/orders", methods=METHODS)
def orders(id):
    return answer("orders", id)


@app.route("/users/<id>", methods=METHODS)
def user(id):
    return answer("user", id)


@app.route("/public", methods=METHODS)
@app.route("/public/", methods=METHODS)
@app.route("/public/<path:rest>", methods=METHODS)
def public(rest=None):
    return answer("public")
