// A gRPC client: the status of each refusal, its message in words, the challenge beside it.
import assert from "node:assert/strict";

import grpc from "@grpc/grpc-js";

import "./limit.mjs";
import { methods } from "./orders.mjs";

const { ADDRESS, WITHOUT_KEYS, TOKEN, WITHOUT_SCOPE } = process.env;
const Orders = grpc.makeGenericClientConstructor(methods, "orders.Orders");

/** Calls a method; its answer, or why there is none. */
function call(method, token, address = ADDRESS) {
  const client = new Orders(address, grpc.credentials.createInsecure());
  const metadata = new grpc.Metadata();
  if (token) metadata.set("authorization", `Bearer ${token}`);
  return new Promise((resolve) =>
    client[method](Buffer.from("17"), metadata, { deadline: Date.now() + 30_000 }, (error, answer) => {
      client.close();
      const { code, details, metadata: fields } = error ?? {};
      const field = (name) => fields?.get(name).join(", ");
      console.log(code ?? "passed", details ?? String(answer), field("www-authenticate"));
      resolve({ code, message: details, answer: answer && String(answer), field });
    }),
  );
}

const { UNAUTHENTICATED, PERMISSION_DENIED, RESOURCE_EXHAUSTED, UNAVAILABLE } = grpc.status;

const nobody = await call("get");
assert.equal(nobody.code, UNAUTHENTICATED);
assert.equal(nobody.message, "Authentication is required.");
assert.equal(nobody.field("www-authenticate"), 'Bearer realm="orders"');

const malformed = await call("get", "a.b");
assert.equal(malformed.code, UNAUTHENTICATED);
assert.equal(malformed.message, "The access token is malformed");
assert.match(malformed.field("www-authenticate"), /^Bearer realm="orders", error="invalid_token"/);

const twice = await call("get", "a b");
assert.equal(twice.code, UNAUTHENTICATED, "a malformed credential is 400 on HTTP, and no INTERNAL here");
assert.match(twice.field("www-authenticate"), /error="invalid_request"/);

const forbidden = await call("get", WITHOUT_SCOPE);
assert.equal(forbidden.code, PERMISSION_DENIED);
assert.equal(forbidden.message, "The credential lacks a scope that is needed here.");
assert.equal(forbidden.field("www-authenticate"), "");

const exhausted = await call("list", TOKEN);
assert.equal(exhausted.code, RESOURCE_EXHAUSTED, "429 is no UNAVAILABLE here");
assert.equal(exhausted.message, "Too many requests.");

const unjudged = await call("get", TOKEN, WITHOUT_KEYS);
assert.equal(unjudged.code, UNAVAILABLE);
assert.ok(unjudged.message && !unjudged.message.startsWith("{"), "words, no JSON");
assert.equal(unjudged.field("www-authenticate"), "");

const passed = await call("get", TOKEN);
assert.equal(passed.code, undefined);
assert.equal(passed.answer, "echo 17");
