// Chromium's login dialog, which the DevTools protocol answers as a user would.
import assert from "node:assert/strict";

import puppeteer from "puppeteer-core";

const { CHROMIUM } = process.env;
assert.ok(CHROMIUM, "CHROMIUM names no browser: `make test-all` finds one");

/** Starts the browser, which ends after `use`. */
export async function browse(use) {
  const browser = await puppeteer.launch({
    executablePath: CHROMIUM,
    args: process.getuid() === 0 ? ["--no-sandbox"] : [],
  });
  try {
    await use(browser);
  } finally {
    await browser.close();
  }
}

/** Opens an address in a new session. The dialogs get the answers in their order; without one, a dialog is cancelled. */
export async function visit(browser, address, answers, more = async () => {}) {
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
  await more(page, dialogs, response);
  closing = true;
  await context.close();
  return seen;
}
