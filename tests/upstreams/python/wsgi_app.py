"""A WSGI application without a framework (PEP 3333), for gunicorn."""

import json
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs

from echo import report


def route_of(path):
    match path.split("/")[1:]:
        case ["admin" | "public" as route, *_]:
            return route, None
        case ["users", id, "orders"] if id:
            return "orders", id
        case ["users", id] if id:
            return "user", id
        case _:
            return None, None


def app(environ, start_response):
    # PEP 3333, "Unicode Issues": each character of the text is one byte.
    path = environ["PATH_INFO"].encode("latin-1").decode("utf-8", "replace")
    route, id = route_of(path)
    if route is None:
        start_response("404 Not Found", [("content-length", "0")])
        return [b""]
    query = parse_qs(environ["QUERY_STRING"])
    try:
        session = SimpleCookie(environ.get("HTTP_COOKIE", "")).get("session")
    except CookieError:
        session = None
    body = report(
        route=route,
        id=id,
        path=path,
        prefix=environ.get("SCRIPT_NAME"),
        method=environ["REQUEST_METHOD"],
        host=environ.get("HTTP_HOST"),
        subject=environ.get("HTTP_X_AUTH_SUBJECT"),
        version=environ.get("HTTP_X_API_VERSION"),
        authorization=environ.get("HTTP_AUTHORIZATION"),
        token=query.get("access_token"),
        session=session and session.value,
    )
    start_response("200 OK", [("content-type", "application/json")])
    return [json.dumps(body).encode()]
