// Fastify, with @fastify/cookie. The first argument is the package: `fastify4` or `fastify5`. The second argument `lenient`
// turns on all options with which the router of Fastify 5 accepts other spellings.

import { host, port, report } from "./echo.mjs";

const [, , name, mode] = process.argv;
const { default: Fastify } = await import(name);
const { default: cookie } = await import(`${name}-cookie`);

// Server, `routerOptions`.
const lenient = { caseSensitive: false, ignoreDuplicateSlashes: true, ignoreTrailingSlash: true, useSemicolonDelimiter: true };
// Server, `trustProxy`.
const app = Fastify({ trustProxy: true, ...(mode === "lenient" && { routerOptions: lenient }) });
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
