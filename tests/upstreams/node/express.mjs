// Express, with cookie-parser and method-override. The argument is the package: `express4` or `express5`.

import cookieParser from "cookie-parser";
import methodOverride from "method-override";
import { host, port, report } from "./echo.mjs";

const [, , name] = process.argv;
const { default: express } = await import(name);
// Routing, "Route paths": `*` in a string matches any characters. Migrating to Express 5, "Path route matching syntax": a
// wildcard has a name, and braces make it optional.
const below = { express4: (path) => [path, `${path}/*`], express5: (path) => `${path}{/*rest}` }[name];

const app = express();
// "Express behind proxies".
app.set("trust proxy", "loopback");
// method-override, "multiple format support" and "override using a query value".
app.use(methodOverride("X-HTTP-Method"));
app.use(methodOverride("X-HTTP-Method-Override"));
app.use(methodOverride("X-Method-Override"));
app.use(methodOverride("_method"));
app.use(cookieParser());

const answer = (route) => (req, res) =>
  res.json(
    report({
      route,
      id: req.params.id,
      path: req.path,
      prefix: req.baseUrl,
      method: req.method,
      host: req.hostname,
      subject: req.get("x-auth-subject"),
      version: req.get("x-api-version"),
      authorization: req.get("authorization"),
      token: req.query.access_token,
      session: req.cookies.session,
    }),
  );

const serve = (path, route) => app.route(path).get(answer(route)).post(answer(route)).delete(answer(route));
serve(below("/admin"), "admin");
serve("/users/:id/orders", "orders");
serve("/users/:id", "user");
serve(below("/public"), "public");

app.listen(port, host);
