// hapi.

import Hapi from "@hapi/hapi";
import { host, port, report } from "./echo.mjs";

const server = Hapi.server({ host, port });

const serve = (path, route) =>
  server.route({
    method: ["GET", "POST", "DELETE"],
    path,
    handler: (request) =>
      report({
        route,
        id: request.params.id,
        path: request.path,
        method: request.method.toUpperCase(),
        host: request.info.hostname,
        subject: request.headers["x-auth-subject"],
        version: request.headers["x-api-version"],
        authorization: request.headers.authorization,
        token: request.query.access_token,
        session: request.state.session,
      }),
  });
// Routing, "Parameters": `*` matches any number of segments, including none.
serve("/admin/{rest*}", "admin");
serve("/users/{id}/orders", "orders");
serve("/users/{id}", "user");
serve("/public/{rest*}", "public");

await server.start();
