// polka, with cookie-parser and method-override. The argument is the package: `polka`, or `polka1`, the prerelease
// that SvelteKit's servers use.

import cookieParser from "cookie-parser";
import methodOverride from "method-override";
import { host, port, report } from "./echo.mjs";

const { default: polka } = await import(process.argv[2]);

const app = polka().use(methodOverride("X-HTTP-Method-Override"), methodOverride("_method"), cookieParser());

const serve = (path, route) => {
  const answer = (req, res) => {
    const read = report({
      route,
      id: req.params.id,
      path: req.path,
      method: req.method,
      host: req.headers.host,
      subject: req.headers["x-auth-subject"],
      version: req.headers["x-api-version"],
      authorization: req.headers.authorization,
      token: req.query?.access_token,
      session: req.cookies.session,
    });
    res.writeHead(200, { "content-type": "application/json" });
    res.end(JSON.stringify(read));
  };
  app.get(path, answer).post(path, answer).delete(path, answer);
};
serve("/admin", "admin");
serve("/admin/*", "admin");
serve("/users/:id/orders", "orders");
serve("/users/:id", "user");
serve("/public", "public");
serve("/public/*", "public");

app.listen(port, host);
