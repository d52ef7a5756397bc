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

/** A token for a resource, bound to the client's certificate, and to the key of the proofs if there are any. */
async function token(resource, DPoP) {
  const fetch = reach(new URL(server.mtls_endpoint_aliases.token_endpoint).host.replace("localhost", "127.0.0.1"), certificates.own);
  const options = { DPoP, [oauth.customFetch]: fetch };
  const asked = { resource, scope: "read" };
  const response = await oauth.clientCredentialsGrantRequest(server, client, secret, asked, options);
  return (await oauth.processClientCredentialsResponse(server, client, response)).access_token;
}

/** Sends a request over a connection with a certificate. The status and the challenges. */
async function send(certificate, token, DPoP) {
  const options = { DPoP, [oauth.customFetch]: reach(ADDRESS, certificates[certificate]) };
  try {
    const { status } = await oauth.protectedResourceRequest(token, "GET", url, new Headers(), null, options);
    return { status };
  } catch (error) {
    assert.ok(error instanceof oauth.WWWAuthenticateChallengeError, error);
    console.log(certificate, error.status, JSON.stringify(error.cause));
    return { status: error.status, challenges: error.cause };
  }
}

const error = ({ challenges }, scheme) => challenges.find((challenge) => challenge.scheme === scheme).parameters.error;

for (const resource of [JWT, OPAQUE]) {
  const bound = await token(resource);
  // Each request has a connection of its own.
  for (let i = 0; i < 4; i++) assert.equal((await send("own", bound)).status, 200);
  for (const certificate of ["other", "none"]) {
    const stolen = await send(certificate, bound);
    assert.equal(stolen.status, 401);
    assert.equal(error(stolen, "bearer"), "invalid_token");
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

  // Bound to a key and to a certificate: both are checked.
  const proofs = oauth.DPoP(client, await oauth.generateKeyPair("ES256"));
  const both = await token(resource, proofs);
  assert.equal((await send("own", both, proofs)).status, 200);
  for (const certificate of ["other", "none"]) {
    const stolen = await send(certificate, both, proofs);
    assert.equal(stolen.status, 401);
    assert.equal(error(stolen, "dpop"), "invalid_token");
  }
  const without = await send("own", both);
  assert.equal(without.status, 401);
  assert.equal(error(without, "bearer"), "invalid_token");
}
