// Fastify 4, with @fastify/cookie.

import Fastify from "fastify4";
import cookie from "fastify4-cookie";
import { host, port, report } from "./echo.mjs";

// Server, `trustProxy`.
const app = Fastify({ trustProxy: true });
await app.register(cookie);

const serve = (url, route) =>
  app.route({
    method: ["GET", "POST", "DELETE"],
    url,
    handler: async (request) =>
      report({
        route,
        id: request.params.id,
        path: request.url,
        method: request.method,
        host: request.hostname,
        subject: request.headers["x-auth-subject"],
        version: request.headers["x-api-version"],
        authorization: request.headers.authorization,
        token: request.query.access_token,
        session: request.cookies.session,
      }),
  });
serve("/admin", "admin");
serve("/admin/*", "admin");
serve("/users/:id/orders", "orders");
serve("/users/:id", "user");
serve("/public", "public");
serve("/public/*", "public");

await app.listen({ host, port });
