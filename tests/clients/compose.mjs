// Signs in at the identity provider of compose.yaml with Chromium, as a person does, and hands the access token to the page
// that shows decisions. Prints the token.
// CHROMIUM names the program. SIGN_IN is the URL, USER_NAME, PASSWORD and CODE (optional) are what the person enters.
// With SCREENSHOTS, a folder, it also takes pictures of the pages.
import assert from "node:assert/strict";

import puppeteer from "puppeteer-core";

import "./limit.mjs";

const { CHROMIUM, SIGN_IN, USER_NAME, PASSWORD, CODE, SCREENSHOTS } = process.env;
assert.ok(CHROMIUM, "CHROMIUM names no browser: `make test-all` finds one");

const browser = await puppeteer.launch({
  executablePath: CHROMIUM,
  args: process.getuid() === 0 ? ["--no-sandbox"] : [],
});
const page = await browser.newPage();
await page.setViewport({ width: 900, height: 900 });
const errors = [];
page.on("pageerror", (error) => errors.push(String(error)));
page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
let pictures = 0;
const picture = async () =>
  SCREENSHOTS && (await page.screenshot({ path: `${SCREENSHOTS}/sign-in-${pictures++}.png`, fullPage: true }));

await page.goto(SIGN_IN);
await picture();
const button = CODE ? "Sign in with a second factor" : "Sign in";
await Promise.all([page.waitForNavigation(), page.locator(`::-p-aria([name="${button}"][role="button"])`).click()]);

/** Fills in the form and sends it. */
async function submit(password) {
  await page.locator("#user").fill(USER_NAME);
  await page.locator("#password").fill(password);
  if (CODE) await page.locator("#code").fill(CODE);
  await Promise.all([page.waitForNavigation(), page.locator("form button").click()]);
}

await submit("wrong");
assert.match(await page.$eval("[role=alert]", (element) => element.textContent), /password is wrong/);
await picture();
// The browser reports the status 401 of the form.
assert.equal(errors.splice(0).length, 1);
await submit(PASSWORD);
await page.waitForSelector("#result:not([hidden])");
await picture();
assert.deepEqual(errors, []);
assert.equal(page.url(), SIGN_IN, "the code is removed from the address");

const token = await page.$eval("#token", (element) => element.textContent);
console.log(token);

// The page that shows decisions gets the token, and removes it from its address.
await Promise.all([page.waitForNavigation(), page.locator("#page").click()]);
await page.waitForFunction((token) => document.getElementById("authorization").value === token, {}, token);
assert.ok(!page.url().includes(token), "the token is removed from the address");
await page.locator("#submit").click();
await page.waitForFunction(() => document.getElementById("answer").textContent.includes("200"));
await picture();
assert.deepEqual(errors, []);
await browser.close();
