"""CherryPy, with its default dispatcher."""

from urllib.parse import urlsplit

import cherrypy

from echo import HOST, PORT, report


def answer(route, query, id=None):
    request = cherrypy.request
    session = request.cookie.get("session")
    return report(
        route=route,
        id=id,
        path=request.path_info,
        prefix=request.script_name,
        method=request.method,
        # The host as `tools.proxy` sets it.
        host=urlsplit(request.base).netloc,
        subject=request.headers.get("x-auth-subject"),
        version=request.headers.get("x-api-version"),
        authorization=request.headers.get("authorization"),
        token=query.get("access_token"),
        session=session.value if session else None,
    )


class Root:
    # Basics, "Positional arguments": the segments after the handler's name. A named argument would also be read from the query.
    @cherrypy.expose
    @cherrypy.tools.json_out()
    def users(self, *rest, **query):
        match rest:
            case [id]:
                return answer("user", query, id)
            case [id, "orders"]:
                return answer("orders", query, id)
            case _:
                raise cherrypy.NotFound()

    @cherrypy.expose
    @cherrypy.tools.json_out()
    def admin(self, *rest, **query):
        return answer("admin", query)

    @cherrypy.expose
    @cherrypy.tools.json_out()
    def public(self, *rest, **query):
        return answer("public", query)


cherrypy.config.update(
    {
        "environment": "production",
        "server.socket_host": HOST,
        "server.socket_port": PORT,
        # Deploy, "Reverse-proxying".
        "tools.proxy.on": True,
    }
)
cherrypy.quickstart(Root())
