// oauth4webapi gets tokens that are bound to its key, and sends them with proofs (RFC 9449).
import assert from "node:assert/strict";

import * as oauth from "oauth4webapi";

import "./limit.mjs";
import { reach } from "./reach.mjs";

const { ISSUER, NEVER, REQUIRED, ORIGIN, JWT, OPAQUE } = process.env;
const insecure = { [oauth.allowInsecureRequests]: true };

const issuer = new URL(ISSUER);
const server = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, insecure));
const client = { client_id: "tests" };
const secret = oauth.ClientSecretPost("known to everybody");
const url = new URL("/orders/17?a=b%20c", ORIGIN);

const proofs = async (algorithm) => oauth.DPoP(client, await oauth.generateKeyPair(algorithm));

/** A token for a resource, bound to the key of the proofs. */
async function token(resource, DPoP) {
  const asked = { resource, scope: "read" };
  const response = await oauth.clientCredentialsGrantRequest(server, client, secret, asked, { DPoP, ...insecure });
  const answer = await oauth.processClientCredentialsResponse(server, client, response);
  assert.equal(answer.token_type, "dpop");
  return answer.access_token;
}

/** Sends a request. The status, the challenges and what was sent; `nonce` if it is refused for the nonce of the proof. */
async function send(address, token, DPoP, method = "GET") {
  const fetch = reach(address);
  let sent;
  const options = {
    DPoP,
    [oauth.customFetch]: (url, request) => {
      sent = [url, { ...request, headers: { ...request.headers } }];
      return fetch(url, request);
    },
  };
  try {
    const { status } = await oauth.protectedResourceRequest(token, method, url, new Headers(), null, options);
    return { status, sent };
  } catch (error) {
    assert.ok(error instanceof oauth.WWWAuthenticateChallengeError, error);
    return { status: error.status, challenges: error.cause, nonce: oauth.isDPoPNonceError(error), sent };
  }
}

/** As a client does it: if it is refused for a nonce, it is sent once more with the nonce of the refusal. */
async function request(address, ...others) {
  const first = await send(address, ...others);
  return first.nonce ? { ...(await send(address, ...others)), again: true } : first;
}

const dpop = ({ challenges }) => challenges.filter(({ scheme }) => scheme === "dpop").map(({ parameters }) => parameters);
const bearer = ({ challenges }) =>
  challenges.filter(({ scheme }) => scheme === "bearer").map(({ parameters }) => parameters);

for (const address of [NEVER, REQUIRED]) {
  for (const resource of [JWT, OPAQUE]) {
    for (const algorithm of ["ES256", "Ed25519"]) {
      const own = await proofs(algorithm);
      const bound = await token(resource, own);
      console.log(address, resource, algorithm);

      const right = await request(address, bound, own);
      assert.equal(right.status, 200, JSON.stringify(right.challenges));
      assert.equal(right.again ?? false, address === REQUIRED, "only where a nonce is required, a proof is refused for it");
      for (const method of ["GET", "POST", "HEAD"]) {
        const next = await send(address, bound, own, method);
        assert.equal(next.status, 200, "the nonce is valid for further requests");
      }

      // Who stole the token has no key for a proof.
      const stolen = await send(address, bound);
      assert.equal(stolen.status, 401);
      console.log(JSON.stringify(stolen.challenges));
      const schemes = stolen.challenges.map(({ scheme }) => scheme);
      assert.deepEqual(schemes, ["bearer", "dpop"], "one challenge for each scheme");
      assert.equal(bearer(stolen)[0].error, "invalid_token");
      assert.equal(dpop(stolen)[0].algs, "ES256 EdDSA Ed25519");
      assert.equal(dpop(stolen)[0].error, undefined, "the error is in the challenge of the scheme that was used");

      const others = await request(address, bound, await proofs(algorithm));
      assert.equal(others.status, 401, "the key of another client");
      assert.equal(dpop(others)[0].error, "invalid_token");

      // The bytes of a request that passed.
      const fetch = reach(address);
      const [target, sent] = right.sent;
      const again = await fetch(target, sent);
      assert.equal(again.status, 401);
      assert.match(again.headers.get("www-authenticate"), /DPoP realm="orders".* error="invalid_dpop_proof"/);
      for (const [other, change] of [[target, { method: "POST" }], [new URL("/orders/18", ORIGIN), {}]]) {
        const moved = await fetch(other, { ...sent, ...change });
        assert.equal(moved.status, 401);
        assert.match(moved.headers.get("www-authenticate"), /DPoP realm="orders".* error="invalid_dpop_proof"/);
      }

      // A request that was not sent before, several times at once.
      let unsent;
      const keep = { DPoP: own, [oauth.customFetch]: async (...request) => ((unsent = request), new Response()) };
      await oauth.protectedResourceRequest(bound, "GET", url, new Headers(), null, keep);
      const statuses = await Promise.all(Array.from({ length: 8 }, async () => (await fetch(...unsent)).status));
      assert.deepEqual(statuses.toSorted(), [200, ...Array(7).fill(401)], "a proof passes once");
    }
  }
}
