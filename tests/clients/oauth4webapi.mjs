// oauth4webapi parses the challenge of every kind of refusal, and takes the metadata that it names.
import assert from "node:assert/strict";

import * as oauth from "oauth4webapi";

import "./limit.mjs";

const { RESOURCE, TOKEN, WITHOUT_SCOPE } = process.env;
const url = new URL(`${RESOURCE}/17`);

/** What the library throws for a refusal: its status and its challenges, as the library parsed them. */
async function refusal(token, path = url) {
  const options = {
    [oauth.customFetch]: (url, init) => {
      const { authorization, ...others } = init.headers;
      return fetch(url, { ...init, headers: token ? init.headers : others });
    },
  };
  try {
    await oauth.protectedResourceRequest(token ?? "none", "GET", path, new Headers(), null, options);
  } catch (error) {
    assert.ok(error instanceof oauth.WWWAuthenticateChallengeError, error);
    console.log(error.status, JSON.stringify(error.cause));
    return { status: error.status, challenges: error.cause };
  }
  throw new Error("no challenge");
}

const where = url.href.replace("/orders/17", "/.well-known/oauth-protected-resource/orders");
const common = { realm: "orders", resource_metadata: where };
const bearer = (parameters) => [{ scheme: "bearer", parameters: { ...common, ...parameters } }];

assert.deepEqual(await refusal(), { status: 401, challenges: bearer({}) });
assert.deepEqual(await refusal("a.b"), {
  status: 401,
  challenges: bearer({ error: "invalid_token", error_description: "The access token is malformed" }),
});
const twice = await refusal("a b");
assert.equal(twice.status, 400);
const { error_description, ...others } = twice.challenges[0].parameters;
assert.deepEqual(others, { ...common, error: "invalid_request" });
assert.ok(error_description);
const narrow = await refusal(WITHOUT_SCOPE);
assert.equal(narrow.status, 403);
assert.equal(narrow.challenges.length, 1);
assert.equal(narrow.challenges[0].parameters.error, "insufficient_scope");
assert.equal(narrow.challenges[0].parameters.scope, "orders:read");
assert.equal(narrow.challenges[0].parameters.resource_metadata, where);

const weak = await refusal(TOKEN, new URL(`${RESOURCE}/pay`));
assert.equal(weak.status, 401);
const { error_description: why, ...stronger } = weak.challenges[0].parameters;
assert.deepEqual(stronger, {
  ...common,
  error: "insufficient_user_authentication",
  acr_values: "urn:example:mfa urn:example:key",
  max_age: "300",
});
assert.ok(why);

// The library compares `resource` with what it asked for, character by character.
const resource = new URL(RESOURCE);
const metadata = await oauth.processResourceDiscoveryResponse(resource, await oauth.resourceDiscoveryRequest(resource));
console.log(JSON.stringify(metadata));
assert.equal(metadata.resource, RESOURCE);
assert.deepEqual(metadata.authorization_servers, ["https://login.example.com"]);

const passed = await oauth.protectedResourceRequest(TOKEN, "GET", url);
assert.equal(passed.status, 200);
