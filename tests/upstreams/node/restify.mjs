// restify 11, the last version that supports Node.js 20. Node.js prints a deprecation warning for `process.binding`, which
// restify's SPDY dependency calls. HTTP/1 does not use it. The argument `sanitized` adds the handlers that clean up paths.

import { parse } from "cookie";
import restify from "restify";
import { host, port, report } from "./echo.mjs";

const server = restify.createServer();
if (process.argv[2] === "sanitized") {
  // Plugins API, `server.pre()`.
  server.pre(restify.plugins.pre.dedupeSlashes());
  server.pre(restify.plugins.pre.sanitizePath());
}
server.use(restify.plugins.acceptParser(server.acceptable));
server.use(restify.plugins.queryParser());
server.use(restify.plugins.bodyParser());

const serve = (path, route) => {
  const answer = (req, res, next) => {
    res.json(
      report({
        route,
        id: req.params.id,
        path: req.path(),
        method: req.method,
        host: req.header("host"),
        subject: req.header("x-auth-subject"),
        version: req.header("x-api-version"),
        authorization: req.header("authorization"),
        token: req.query.access_token,
        // restify does not parse cookies.
        session: parse(req.header("cookie", "")).session,
      }),
    );
    return next();
  };
  server.get(path, answer);
  server.post(path, answer);
  server.del(path, answer);
};
serve("/admin", "admin");
serve("/admin/*", "admin");
serve("/users/:id/orders", "orders");
serve("/users/:id", "user");
serve("/public", "public");
serve("/public/*", "public");

server.listen(port, host);
