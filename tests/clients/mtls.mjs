// oauth4webapi gets tokens that are bound to its TLS certificate (RFC 8705), and sends them over several connections.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

import * as oauth from "oauth4webapi";

import "./limit.mjs";
import { reach } from "./reach.mjs";

const { ISSUER, ADDRESS, ORIGIN, JWT, OPAQUE, FOLDER } = process.env;
const insecure = { [oauth.allowInsecureRequests]: true };

const read = (file) => readFileSync(`${FOLDER}/${file}.pem`);
const ca = read("authority");
const certificates = {
  own: { ca, cert: read("own"), key: read("own.key") },
  other: { ca, cert: read("other"), key: read("other.key") },
  none: { ca },
};

const issuer = new URL(ISSUER);
const server = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, insecure));
const client = { client_id: "bound", use_mtls_endpoint_aliases: true };
const secret = oauth.ClientSecretPost("known to everybody");
const url = new URL("/orders/17?a=b%20c", ORIGIN);

/** A token for a resource, bound to the client's certificate. */
async function token(resource) {
  const { port } = new URL(server.mtls_endpoint_aliases.token_endpoint);
  const options = { [oauth.customFetch]: reach(`127.0.0.1:${port}`, certificates.own) };
  const asked = { resource, scope: "read" };
  const response = await oauth.clientCredentialsGrantRequest(server, client, secret, asked, options);
  return (await oauth.processClientCredentialsResponse(server, client, response)).access_token;
}

/** Sends a request over a connection with a certificate. The status and the challenges. */
async function send(certificate, token) {
  const options = { [oauth.customFetch]: reach(ADDRESS, certificates[certificate]) };
  try {
    const { status } = await oauth.protectedResourceRequest(token, "GET", url, new Headers(), null, options);
    return { status };
  } catch (error) {
    assert.ok(error instanceof oauth.WWWAuthenticateChallengeError, error);
    console.log(certificate, error.status, JSON.stringify(error.cause));
    return { status: error.status, challenges: error.cause };
  }
}

for (const resource of [JWT, OPAQUE]) {
  const bound = await token(resource);
  // Each request has a connection of its own.
  for (let i = 0; i < 4; i++) assert.equal((await send("own", bound)).status, 200);
  for (const certificate of ["other", "none"]) {
    const stolen = await send(certificate, bound);
    assert.equal(stolen.status, 401);
    const [{ scheme, parameters }] = stolen.challenges;
    assert.deepEqual([scheme, parameters.error], ["bearer", "invalid_token"]);
  }
  // Headers do not replace the certificate of the connection.
  const forged = await reach(ADDRESS, certificates.other)(url, {
    method: "GET",
    headers: {
      authorization: `Bearer ${bound}`,
      "client-cert": `:${read("own").toString().split("\n").slice(1, -2).join("")}:`,
      "x-forwarded-client-cert": `Cert="${encodeURIComponent(read("own"))}"`,
    },
  });
  assert.equal(forged.status, 401);
}
