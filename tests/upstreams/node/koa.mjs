// Koa, with @koa/router and koa-override.

import Koa from "koa";
import Router from "@koa/router";
import override from "koa-override";
import { host, port, report } from "./echo.mjs";

const app = new Koa();
// Settings, `app.proxy`.
app.proxy = true;
app.use(override());

const router = new Router();
const serve = (path, route) => {
  const answer = (ctx) => {
    ctx.body = report({
      route,
      id: ctx.params.id,
      path: ctx.path,
      method: ctx.method,
      host: ctx.hostname,
      subject: ctx.get("x-auth-subject") || null,
      version: ctx.get("x-api-version") || null,
      authorization: ctx.get("authorization") || null,
      token: ctx.query.access_token,
      session: ctx.cookies.get("session"),
    });
  };
  router.get(path, answer).post(path, answer).delete(path, answer);
};
serve("/admin{/*rest}", "admin");
serve("/users/:id/orders", "orders");
serve("/users/:id", "user");
serve("/public{/*rest}", "public");
app.use(router.routes()).use(router.allowedMethods());

app.listen(port, host);
