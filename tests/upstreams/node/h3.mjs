// h3 1.

import { createServer } from "node:http";
import {
  createApp,
  createRouter,
  defineEventHandler,
  getCookie,
  getHeader,
  getQuery,
  getRequestHost,
  getRequestPath,
  getRouterParam,
  toNodeListener,
} from "h3";
import { host, port, report } from "./echo.mjs";

const app = createApp();
const router = createRouter();
app.use(router);

const serve = (path, route) => {
  const answer = defineEventHandler((event) =>
    report({
      route,
      id: getRouterParam(event, "id", { decode: true }),
      path: getRequestPath(event),
      method: event.method,
      host: getRequestHost(event, { xForwardedHost: true }),
      subject: getHeader(event, "x-auth-subject"),
      version: getHeader(event, "x-api-version"),
      authorization: getHeader(event, "authorization"),
      token: getQuery(event).access_token,
      session: getCookie(event, "session"),
    }),
  );
  router.get(path, answer).post(path, answer).delete(path, answer);
};
serve("/admin", "admin");
serve("/admin/**", "admin");
serve("/users/:id/orders", "orders");
serve("/users/:id", "user");
serve("/public", "public");
serve("/public/**", "public");

createServer(toNodeListener(app)).listen(port, host);
