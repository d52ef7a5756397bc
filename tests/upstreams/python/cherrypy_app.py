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


# Advanced, "Dynamic dispatching with popargs".
@cherrypy.popargs("id")
class Users:
    # Without it, `/users/bob` is redirected to `/users/bob/`.
    @cherrypy.expose
    @cherrypy.tools.json_out()
    @cherrypy.tools.trailing_slash(on=False)
    def index(self, id, **query):
        return answer("user", query, id)

    @cherrypy.expose
    @cherrypy.tools.json_out()
    def orders(self, id, **query):
        return answer("orders", query, id)


class Root:
    users = Users()

    # Basics, "Positional arguments": the segments after the handler's name.
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
