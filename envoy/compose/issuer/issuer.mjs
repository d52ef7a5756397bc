// An identity provider for a demonstration: a person signs in at http://localhost:9000/ and gets an access token. Keys,
// sessions and tokens are kept in memory.
//
// ISSUER is its public URL, PAGE the URL of the page that shows decisions.

import { readFileSync } from "node:fs";
import { createServer } from "node:http";

import { interact } from "./form.mjs";
import { provider } from "./provider.mjs";

const { ISSUER = "http://localhost:9000", PAGE = "http://localhost:10100/", PORT = "9000" } = process.env;

/** The text of a file beside this one. */
const text = (name) => readFileSync(new URL(`web/${name}`, import.meta.url), "utf8");

const FILES = {
  "/": ["text/html; charset=utf-8", text("index.html")],
  "/style.css": ["text/css", text("style.css")],
  "/script.js": ["text/javascript", text("script.js")],
  "/page.json": ["application/json", JSON.stringify({ page: PAGE })],
};

const POLICY = "default-src 'self'; img-src data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

const issuer = provider(ISSUER);
const protocol = issuer.callback();

const server = createServer((request, response) => {
  response.setHeader("content-security-policy", POLICY);
  response.setHeader("x-content-type-options", "nosniff");
  // The address of the page has a code for a moment.
  response.setHeader("referrer-policy", "no-referrer");
  const [path] = request.url.split("?");
  const file = request.method === "GET" && Object.hasOwn(FILES, path) ? FILES[path] : undefined;
  if (path === "/" && request.headers.host !== new URL(ISSUER).host) {
    // A sign-in that starts at another name of this machine, such as 127.0.0.1, could not return.
    response.writeHead(302, { location: `${ISSUER}/` });
    response.end();
  } else if (file) {
    response.writeHead(200, { "content-type": file[0], "cache-control": "no-store" });
    response.end(file[1]);
  } else if (path.startsWith("/interaction/")) {
    interact(issuer, request, response).catch((error) => {
      console.error(error);
      response.destroy();
    });
  } else {
    protocol(request, response);
  }
});

server.listen(Number(PORT), () => console.log(`listening on ${PORT}; sign in at ${ISSUER}/`));
// Without it, process 1 of a container ignores the signal.
process.on("SIGTERM", () => process.exit());
