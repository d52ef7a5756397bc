// An OpenID provider on loopback for tests/clients/issuer.rs, introspection.rs and possession.rs: client credentials,
// everything in memory. Access tokens are JWTs, and opaque for the resource OPAQUE. The client `gate` introspects them.
// Tokens are bound to the key of a DPoP proof (RFC 9449), and those of the client `bound` to its TLS certificate
// (RFC 8705): for them the provider listens with TLS too, if FOLDER has `server.pem` and `server.key.pem`.
//
// Takes commands on standard input, one a line, and answers each with a line on standard output; the first line of all
// is the port. It ends when its input does.
//
//     keys es256-2 rs256-1    publishes these keys, made when first named; the first one signs
//     stop                    listens no more
//     start                   listens again, on the same port

import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { createInterface } from "node:readline";

import { exportJWK, generateKeyPair } from "jose";
import Provider from "oidc-provider";

// Standard output is for answers alone.
console.info = console.error;

const ALGORITHMS = { rs256: "RS256", es256: "ES256", ed25519: "EdDSA" };

const OPAQUE = "https://opaque.example.com";

const made = new Map();

async function key(kid) {
  if (!made.has(kid)) {
    const alg = ALGORITHMS[kid.split("-")[0]];
    const { privateKey } = await generateKeyPair(alg, { extractable: true });
    made.set(kid, { ...(await exportJWK(privateKey)), alg, kid, use: "sig" });
  }
  return made.get(kid);
}

async function provider(issuer, kids) {
  const keys = await Promise.all(kids.map(key));
  const [{ alg }] = keys;
  const client = {
    client_secret: "known to everybody",
    grant_types: ["client_credentials"],
    redirect_uris: [],
    response_types: [],
    token_endpoint_auth_method: "client_secret_post",
    id_token_signed_response_alg: alg,
  };
  return new Provider(issuer, {
    jwks: { keys },
    clients: [
      { ...client, client_id: "tests" },
      { ...client, client_id: "bound", tls_client_certificate_bound_access_tokens: true },
      {
        ...client,
        client_id: "gate",
        client_secret: "a colon: and 100% + more",
        grant_types: [],
        token_endpoint_auth_method: "client_secret_basic",
      },
    ],
    discovery: aliases && { mtls_endpoint_aliases: aliases },
    ttl: { ClientCredentials: 600 },
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      introspection: { enabled: true },
      mTLS: {
        enabled: true,
        certificateBoundAccessTokens: true,
        getCertificate: ({ req }) => req.socket.getPeerX509Certificate?.()?.toString(),
      },
      revocation: { enabled: true },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (_, audience) => ({
          audience,
          scope: "read",
          accessTokenFormat: audience === OPAQUE ? "opaque" : "jwt",
          jwt: { sign: { alg } },
        }),
      },
    },
  }).callback();
}

/** Listens with TLS, and asks for a certificate of any authority. What clients with a certificate use there. */
async function secure(folder) {
  const read = (file) => readFileSync(`${folder}/${file}.pem`);
  const tls = { cert: read("server"), key: read("server.key"), requestCert: true, rejectUnauthorized: false };
  const server = createSecureServer(tls, (request, response) => answer(request, response));
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { token_endpoint: `https://localhost:${server.address().port}/token` };
}

let answer;
const server = createServer((request, response) => answer(request, response));
const listen = (port) => new Promise((resolve) => server.listen(port, "127.0.0.1", resolve));

await listen(0);
const { port } = server.address();
const aliases = process.env.FOLDER && (await secure(process.env.FOLDER));
const issuer = `http://127.0.0.1:${port}`;
answer = await provider(issuer, ["rs256-1"]);
console.log(port);

for await (const line of createInterface({ input: process.stdin })) {
  const [command, ...kids] = line.split(" ");
  if (command === "keys") {
    answer = await provider(issuer, kids);
  } else if (command === "stop") {
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  } else if (command === "start") {
    await listen(port);
  } else {
    throw new Error(`no such command: ${line}`);
  }
  console.log("done");
}
process.exit();
