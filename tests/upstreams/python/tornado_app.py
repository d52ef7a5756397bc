"""Tornado."""

import asyncio

import tornado.web
from tornado.httpserver import HTTPServer

from echo import HOST, PORT, report


class Answer(tornado.web.RequestHandler):
    def initialize(self, route):
        self.route = route

    def get(self, id=None):
        headers = self.request.headers
        self.write(
            report(
                route=self.route,
                id=id,
                path=self.request.path,
                method=self.request.method,
                host=self.request.host,
                subject=headers.get("x-auth-subject"),
                version=headers.get("x-api-version"),
                authorization=headers.get("authorization"),
                token=self.get_query_argument("access_token", None),
                session=self.get_cookie("session"),
            )
        )

    post = delete = get


async def main():
    app = tornado.web.Application(
        [
            (r"/admin(?:/.*)?", Answer, {"route": "admin"}),
            (r"/users/([^/]+)/orders", Answer, {"route": "orders"}),
            (r"/users/([^/]+)", Answer, {"route": "user"}),
            (r"/public(?:/.*)?", Answer, {"route": "public"}),
        ]
    )
    # "Running behind a load balancer".
    HTTPServer(app, xheaders=True).listen(PORT, address=HOST)
    await asyncio.Event().wait()


asyncio.run(main())
