// The official SDK of the Model Context Protocol, given nothing but the address of a server: it finds the authorization
// server from the 401, comes back with a token, asks for more when the 403 says what is missing, and calls a tool.
import assert from "node:assert/strict";

import { UnauthorizedError } from "@modelcontextprotocol/sdk/client/auth.js";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";

import "./limit.mjs";

const { RESOURCE, AUTHORIZATION_SERVER } = process.env;
const endpoint = new URL(`${RESOURCE}/mcp`);
const redirectUrl = "http://127.0.0.1/callback";

/** Keeps what the SDK hands it, and remembers where the user would be sent. */
class Provider {
  redirectUrl = redirectUrl;
  clientMetadata = { client_name: "tests", redirect_uris: [redirectUrl], token_endpoint_auth_method: "none" };
  clientInformation = () => this.client;
  saveClientInformation = (client) => void (this.client = client);
  tokens = () => this.saved;
  saveTokens = (tokens) => void (this.saved = tokens);
  codeVerifier = () => this.verifier;
  saveCodeVerifier = (verifier) => void (this.verifier = verifier);
  redirectToAuthorization = (url) => void (this.sentTo = url);
}

const seen = [];
async function recorded(url, init) {
  const response = await fetch(url, init);
  const challenge = response.headers.get("www-authenticate");
  seen.push({ method: init?.method ?? "GET", url: String(url), status: response.status, challenge });
  console.log(init?.method ?? "GET", String(url), response.status, challenge ?? "");
  return response;
}

const provider = new Provider();

/** Connects, or is sent away to ask the user: then what the user is asked for. */
async function connect() {
  const transport = new StreamableHTTPClientTransport(endpoint, { authProvider: provider, fetch: recorded });
  const client = new Client({ name: "tests", version: "1.0.0" });
  try {
    await client.connect(transport);
    return { client };
  } catch (error) {
    assert.ok(error instanceof UnauthorizedError, error);
    return { transport, asked: provider.sentTo.searchParams };
  }
}

/** The user agrees. */
async function agree(transport) {
  const answer = await fetch(provider.sentTo, { redirect: "manual" });
  await transport.finishAuth(new URL(answer.headers.get("location")).searchParams.get("code"));
}

// The SDK would guess another address for the metadata than the one that the challenge names.
const metadata = new URL("/.well-known/oauth-protected-resource/orders", endpoint).href;
const first = await connect();
assert.deepEqual(seen.slice(0, 3), [
  {
    method: "POST",
    url: endpoint.href,
    status: 401,
    challenge: `Bearer realm="orders", resource_metadata="${metadata}"`,
  },
  { method: "GET", url: metadata, status: 200, challenge: null },
  {
    method: "GET",
    url: `${AUTHORIZATION_SERVER}/.well-known/oauth-authorization-server`,
    status: 200,
    challenge: null,
  },
]);
assert.equal(provider.sentTo.origin, AUTHORIZATION_SERVER);
assert.equal(first.asked.get("resource"), RESOURCE);
assert.equal(first.asked.get("scope"), "orders:list", "what the metadata says is there");
await agree(first.transport);

seen.length = 0;
const second = await connect();
assert.equal(seen[0].status, 403);
assert.match(seen[0].challenge, /error="insufficient_scope", .*scope="orders:read"/);
assert.equal(second.asked.get("scope"), "orders:read", "what the 403 says is missing");
await agree(second.transport);

const { client } = await connect();
const answer = await client.callTool({ name: "count" });
console.log(JSON.stringify(answer));
assert.equal(answer.content[0].text, "17");
await client.close();
