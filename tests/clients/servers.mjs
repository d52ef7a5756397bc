// What stands behind Envoy, and an authorization server beside it. Prints the ports as one line of JSON, and ends when
// its input does.
import { createServer } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { readFileSync } from "node:fs";

import grpc from "@grpc/grpc-js";
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js";
import { WebSocketServer } from "ws";

import { methods } from "./orders.mjs";

const { CERTIFICATE, KEY, TOKEN_TO_LIST, TOKEN_TO_READ } = process.env;

const listen = (server) =>
  new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(server.address().port)));

/** A server of the Model Context Protocol with one tool. */
const mcp = createServer(async (request, response) => {
  if (request.method !== "POST") {
    response.writeHead(405, { allow: "POST" }).end();
    return;
  }
  const server = new McpServer({ name: "orders", version: "1.0.0" });
  server.registerTool("count", { description: "How many orders there are" }, () => ({
    content: [{ type: "text", text: "17" }],
  }));
  const transport = new StreamableHTTPServerTransport({ sessionIdGenerator: undefined, enableJsonResponse: true });
  await server.connect(transport);
  await transport.handleRequest(request, response);
});

/** An authorization server: who asks gets in, with the token that is kept for the scope. */
async function authorization() {
  const tokens = { "orders:list": TOKEN_TO_LIST, "orders:read": TOKEN_TO_READ };
  const codes = new Map();
  const tls = { cert: readFileSync(CERTIFICATE), key: readFileSync(KEY) };
  const server = createSecureServer(tls, async (request, response) => {
    const issuer = `https://localhost:${server.address().port}`;
    const url = new URL(request.url, issuer);
    let body = "";
    for await (const block of request) body += block;
    const json = (status, value) =>
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
    if (url.pathname === "/.well-known/oauth-authorization-server") {
      json(200, {
        issuer,
        authorization_endpoint: `${issuer}/authorize`,
        token_endpoint: `${issuer}/token`,
        registration_endpoint: `${issuer}/register`,
        response_types_supported: ["code"],
        code_challenge_methods_supported: ["S256"],
        token_endpoint_auth_methods_supported: ["none"],
      });
    } else if (url.pathname === "/register") {
      json(201, { ...JSON.parse(body), client_id: "tests" });
    } else if (url.pathname === "/authorize") {
      const asked = url.searchParams;
      const code = `code-${codes.size}`;
      codes.set(code, { resource: asked.get("resource"), scope: asked.get("scope") });
      response.writeHead(302, { location: `${asked.get("redirect_uri")}?code=${code}` }).end();
    } else if (url.pathname === "/token") {
      const asked = new URLSearchParams(body);
      const granted = codes.get(asked.get("code"));
      const token = granted?.resource === asked.get("resource") && tokens[granted?.scope];
      if (token) json(200, { access_token: token, token_type: "Bearer", scope: granted.scope });
      else json(400, { error: "invalid_grant" });
    } else {
      json(404, {});
    }
  });
  return listen(server);
}

/** A gRPC service that returns what it is sent. */
async function orders() {
  const server = new grpc.Server();
  const answer = (call, done) => done(null, Buffer.concat([Buffer.from("echo "), call.request]));
  server.addService(methods, { get: answer, list: answer });
  return new Promise((resolve, reject) =>
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) =>
      error ? reject(error) : resolve(port),
    ),
  );
}

const sockets = createServer();
new WebSocketServer({ server: sockets }).on("connection", (socket) =>
  socket.on("message", (message) => socket.send(`echo ${message}`)),
);

const ports = { mcp: await listen(mcp), websocket: await listen(sockets), grpc: await orders() };
if (CERTIFICATE) ports.authorization = await authorization();
console.log(JSON.stringify(ports));
process.stdin.resume().on("end", () => process.exit());
