// Hono on @hono/node-server, with its method override.

import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { getCookie } from "hono/cookie";
import { methodOverride } from "hono/method-override";
import { host, port, report } from "./echo.mjs";

const app = new Hono();
app.use(methodOverride({ app, header: "X-METHOD-OVERRIDE" }));
app.use(methodOverride({ app, query: "_method" }));

const on = (path, route) =>
  app.on(["GET", "POST", "DELETE"], path, (c) =>
    c.json(
      report({
        route,
        id: c.req.param("id"),
        path: c.req.path,
        method: c.req.method,
        host: new URL(c.req.url).hostname,
        subject: c.req.header("x-auth-subject"),
        version: c.req.header("x-api-version"),
        authorization: c.req.header("authorization"),
        token: c.req.query("access_token"),
        session: getCookie(c, "session"),
      }),
    ),
  );
// Routing, "Basic": a wildcard at the end also matches `/admin`.
on("/admin/*", "admin");
on("/users/:id/orders", "orders");
on("/users/:id", "user");
on("/public/*", "public");

serve({ fetch: app.fetch, hostname: host, port });
