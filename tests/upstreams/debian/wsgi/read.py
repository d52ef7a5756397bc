"""The application of WSGI servers, without a framework: it reads PATH_INFO and splits it at `/`."""

import json
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs


def route_of(path):
    match path.split("/")[1:]:
        case ["admin" | "public" as route, *_]:
            return route, None
        case ["users", id]:
            return "user", id
        case ["users", id, "orders"]:
            return "orders", id
    return None, None


def session_of(environ):
    try:
        morsel = SimpleCookie(environ.get("HTTP_COOKIE", "")).get("session")
    except CookieError:
        return None
    return morsel.value if morsel else None


def application(environ, start_response):
    path = environ.get("PATH_INFO", "")
    route, id = route_of(path)
    if route is None:
        start_response("404 Not Found", [("content-type", "text/plain"), ("content-length", "0")])
        return [b""]
    tokens = parse_qs(environ.get("QUERY_STRING", "")).get("access_token", [])
    body = json.dumps(
        {
            "route": route,
            "id": id,
            "path": path,
            "prefix": environ.get("SCRIPT_NAME"),
            "method": environ["REQUEST_METHOD"],
            "host": environ.get("HTTP_HOST"),
            "subject": environ.get("HTTP_X_AUTH_SUBJECT"),
            "version": environ.get("HTTP_X_API_VERSION"),
            "authorization": environ.get("HTTP_AUTHORIZATION"),
            "token": ",".join(tokens) or None,
            "session": session_of(environ),
        }
    ).encode()
    start_response("200 OK", [("content-type", "application/json"), ("content-length", str(len(body)))])
    return [body]
