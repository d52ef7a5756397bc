// Node's own HTTP server, without a framework. The argument selects how the program finds the path:
//   url     `new URL(request.url, base)`, then split at `/`
//   host    `new URL("http://localhost" + request.url)`, then split at `/`, as in Node's documentation of `message.url`
//   legacy  `url.parse(request.url)`, then decoded, then split at `/`
//   split   the text before `?`, then split at `/`, then each segment decoded

import { createServer } from "node:http";
import { parse as parseQuery } from "node:querystring";
import { parse as parseUrl } from "node:url";
import { parse as parseCookies } from "cookie";
import { host, port, report } from "./echo.mjs";

const IDIOMS = { url, host: hostname, legacy, split };

function url(request) {
  const { pathname, searchParams, host } = new URL(request.url, `http://${request.headers.host}`);
  return { ...pieces(pathname), query: Object.fromEntries(searchParams), host };
}

function hostname(request) {
  const { pathname, searchParams } = new URL(`http://localhost${request.url}`);
  return { ...pieces(pathname), query: Object.fromEntries(searchParams), host: request.headers.host };
}

/** The path of a `URL` is encoded. The program compares the encoded segments and decodes the parameter. */
function pieces(path) {
  const segments = path.split("/");
  return { path, segments, id: decodeURIComponent(segments[2] ?? "") };
}

function legacy(request) {
  const { pathname, query } = parseUrl(request.url, true);
  const path = decodeURIComponent(pathname);
  const segments = path.split("/");
  return { path, segments, id: segments[2], query, host: request.headers.host };
}

function split(request) {
  const [path, query] = request.url.split("?");
  const segments = path.split("/").map(decodeURIComponent);
  return { path, segments, id: segments[2], query: parseQuery(query), host: request.headers.host };
}

function routeOf([, first, second, third, ...more]) {
  if (first === "admin" || first === "public") return first;
  if (first !== "users" || !second || more.length > 0) return undefined;
  if (third === undefined) return "user";
  return third === "orders" ? "orders" : undefined;
}

const read = IDIOMS[process.argv[2]];

createServer((request, response) => {
  let target;
  try {
    target = read(request);
  } catch {
    response.writeHead(400).end();
    return;
  }
  const route = routeOf(target.segments);
  if (route === undefined) {
    response.writeHead(404).end();
    return;
  }
  const { headers, method } = request;
  const answer = report({
    route,
    id: route === "admin" || route === "public" ? undefined : target.id,
    path: target.path,
    method,
    host: target.host,
    subject: headers["x-auth-subject"],
    version: headers["x-api-version"],
    authorization: headers.authorization,
    token: target.query.access_token,
    session: parseCookies(headers.cookie ?? "").session,
  });
  response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(answer));
}).listen(port, host);
