// A WebSocket client: the handshake is refused with a challenge, or the socket opens.
import assert from "node:assert/strict";
import { once } from "node:events";

import WebSocket from "ws";

import "./limit.mjs";

const { ADDRESS, TOKEN, WITHOUT_SCOPE } = process.env;
const connect = (token) =>
  new WebSocket(`ws://${ADDRESS}/orders/events`, { headers: token && { authorization: `Bearer ${token}` } });

async function refusal(token) {
  const socket = connect(token);
  socket.on("open", () => assert.fail("it opened"));
  const [, response] = await once(socket, "unexpected-response");
  let body = "";
  for await (const block of response) body += block;
  const { statusCode: status, headers } = response;
  console.log(status, headers["www-authenticate"], body);
  assert.equal(headers.upgrade, undefined);
  assert.equal(headers["sec-websocket-accept"], undefined);
  return { status, challenge: headers["www-authenticate"], error: JSON.parse(body).error };
}

const plain = 'Bearer realm="orders"';
assert.deepEqual(await refusal(), { status: 401, challenge: plain, error: "unauthorized" });
assert.deepEqual(await refusal(WITHOUT_SCOPE), { status: 403, challenge: undefined, error: "insufficient_scope" });
const { status, challenge } = await refusal("a.b");
assert.equal(status, 401);
assert.match(challenge, /^Bearer realm="orders", error="invalid_token"/);

const socket = connect(TOKEN);
await once(socket, "open");
socket.send("17");
const [message] = await once(socket, "message");
console.log(String(message));
assert.equal(String(message), "echo 17");
socket.close();
await once(socket, "close");
