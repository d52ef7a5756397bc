// Fastify 5, with @fastify/cookie. The argument `lenient` turns on all options with which its router accepts other spellings.

import Fastify from "fastify5";
import cookie from "@fastify/cookie";
import { host, port, report } from "./echo.mjs";

// Server, `routerOptions`.
const lenient = { caseSensitive: false, ignoreDuplicateSlashes: true, ignoreTrailingSlash: true, useSemicolonDelimiter: true };
// Server, `trustProxy`.
const app = Fastify({ trustProxy: true, routerOptions: process.argv[2] === "lenient" ? lenient : {} });
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
