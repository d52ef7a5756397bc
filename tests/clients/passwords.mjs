// Chromium's login dialog, which the DevTools protocol answers as a user would.
import assert from "node:assert/strict";

import puppeteer from "puppeteer-core";

import "./limit.mjs";

const { ADDRESS, BESIDE, PASSWORD, CHROMIUM } = process.env;
assert.ok(CHROMIUM, "CHROMIUM names no browser: `make test-all` finds one");

const browser = await puppeteer.launch({
  executablePath: CHROMIUM,
  args: process.getuid() === 0 ? ["--no-sandbox"] : [],
});

/** Opens an address in a new session. The dialogs get the answers in their order; without one, a dialog is cancelled. */
async function visit(address, answers, more = async () => {}) {
  const context = await browser.createBrowserContext();
  const page = await context.newPage();
  const devtools = await page.createCDPSession();
  const dialogs = [];
  // Requests of the browser's own, such as the one for the icon, can be pending when the session closes.
  let closing = false;
  const send = (method, parameters) =>
    devtools.send(method, parameters).catch((error) => {
      if (!closing) throw error;
    });
  devtools.on("Fetch.requestPaused", ({ requestId }) => send("Fetch.continueRequest", { requestId }));
  devtools.on("Fetch.authRequired", ({ requestId, authChallenge: { source, scheme, realm } }) => {
    const answer = answers[dialogs.length];
    dialogs.push({ source, scheme, realm });
    const authChallengeResponse = answer
      ? { response: "ProvideCredentials", username: answer[0], password: answer[1] }
      : { response: "CancelAuth" };
    send("Fetch.continueWithAuth", { requestId, authChallengeResponse });
  });
  await devtools.send("Fetch.enable", { handleAuthRequests: true });
  const response = await page.goto(`http://${address}/orders/17`);
  const seen = { status: response.status(), title: await page.title(), dialogs };
  console.log(address, seen);
  await more(page, dialogs);
  closing = true;
  await context.close();
  return seen;
}

const dialog = { source: "Server", scheme: "basic", realm: "orders" };

try {
  const right = await visit(ADDRESS, [["alice", PASSWORD]], async (page, dialogs) => {
    // The browser keeps the password for the other paths.
    const again = await page.evaluate(async () => (await fetch("/orders/18")).status);
    assert.equal(again, 200);
    assert.equal(dialogs.length, 1, "one dialog is enough");
  });
  assert.equal(right.status, 200);
  assert.deepEqual(right.dialogs, [dialog]);

  const second = await visit(ADDRESS, [["alice", "wrong"], ["alice", PASSWORD]]);
  assert.equal(second.status, 200);
  assert.deepEqual(second.dialogs, [dialog, dialog], "a wrong password leads to another dialog");

  // The challenge says that names and passwords are UTF-8.
  const name = await visit(ADDRESS, [["jörg", PASSWORD]]);
  assert.equal(name.status, 200);

  const cancelled = await visit(ADDRESS, []);
  assert.equal(cancelled.status, 401);
  assert.equal(cancelled.title, "Authentication required", "behind a dialog is the page");

  const beside = await visit(BESIDE, [["alice", PASSWORD]]);
  assert.equal(beside.status, 200);
  assert.deepEqual(beside.dialogs, [dialog], "the challenge of a scheme that it does not know is no obstacle");
} finally {
  await browser.close();
}
