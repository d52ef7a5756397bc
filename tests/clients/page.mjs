// Chromium with the page of `make run`: every situation, the form, the counters, the keyboard, and axe-core in each state.
// CHROMIUM names the program, PAGE the address. With SCREENSHOTS, a folder, it also takes pictures.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { request } from "node:http";

import puppeteer from "puppeteer-core";

import "./limit.mjs";

const { PAGE, CHROMIUM, SCREENSHOTS } = process.env;
assert.ok(CHROMIUM, "CHROMIUM names no browser: `make test-all` finds one");
const AXE = readFileSync("node_modules/axe-core/axe.min.js", "utf8");
const SITUATIONS = 57;
const MARKUP = '<img src=x onerror="document.title=1"><script>document.title=2</script>';

const browser = await puppeteer.launch({
  executablePath: CHROMIUM,
  args: ["--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", ...(process.getuid() === 0 ? ["--no-sandbox"] : [])],
});

const VIEWS = {
  light: { width: 1280, height: 1000, scheme: "light" },
  dark: { width: 1280, height: 1000, scheme: "dark" },
  phone: { width: 390, height: 844, deviceScaleFactor: 2, scheme: "light" },
};

/** Opens the page, hands it over, closes it. Nothing may be loaded from elsewhere, and no script may fail. */
async function visit(work, view = VIEWS.light, hash = "") {
  const page = await browser.newPage();
  const errors = [];
  page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
  page.on("pageerror", (error) => errors.push(String(error)));
  page.on("request", (sent) => assert.ok(sent.url().startsWith(`${PAGE}/`), `loads ${sent.url()}`));
  await page.setViewport(view);
  await page.emulateMediaFeatures([
    { name: "prefers-color-scheme", value: view.scheme },
    { name: "prefers-reduced-motion", value: "reduce" },
  ]);
  await page.goto(`${PAGE}/${hash}`);
  await page.waitForSelector("#play-all:not([disabled])");
  await page.waitForSelector(".tile");
  await work(page, errors);
  assert.equal(await page.title(), "Countersign in Envoy", "a script of a response ran");
  // Chromium reports the statuses of the server of the page, which some tests expect.
  assert.deepEqual(errors.filter((error) => !error.startsWith("Failed to load resource")), []);
  await page.close();
}

/** The text of an element, its white space collapsed. */
const text = (page, selector) => page.$eval(selector, (found) => found.innerText.replace(/\s+/g, " ").trim());
const said = (page, wanted) =>
  page.waitForFunction((wanted) => document.getElementById("status").textContent.includes(wanted), {}, wanted);

async function playAll(page) {
  await page.click("#play-all");
  await said(page, "responses are as expected");
}

/** Fills in the form, sends it, and returns what the page shows. */
async function send(page, { token, authorization, method = "GET", path = "/orders/17", headers = "" }) {
  await page.$eval("#answer", (answer) => answer.replaceChildren());
  if (token) {
    await page.click(`[data-token=${token}]`);
    await said(page, "A new token is in the form");
    await page.$eval("#status", (status) => status.replaceChildren());
  }
  const set = (id, value) => page.$eval(id, (field, value) => void (field.value = value), value);
  if (!token) await set("#authorization", authorization ?? "");
  await set("#method", method);
  await set("#path", path);
  await set("#headers", headers);
  await page.click("#submit");
  await page.waitForSelector("#answer > *");
  await page.waitForSelector("#submit:not([disabled])");
  return text(page, "#answer");
}

/** axe-core finds nothing. */
async function accessible(page, state) {
  await page.evaluate(AXE);
  const findings = await page.evaluate(async () => {
    const { violations } = await axe.run(document, { resultTypes: ["violations"] });
    return violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.slice(0, 3).map(({ html }) => html.slice(0, 160)).join(" | ")}`);
  });
  assert.deepEqual(findings, [], state);
  console.log("axe", state);
}

async function situations() {
  await visit(async (page) => {
    await playAll(page);
    const rows = await page.$$eval(".group .line", (lines) =>
      lines.map((line) => ({
        request: line.cells[0].innerText,
        answer: line.cells[1].innerText,
        comparison: line.cells[2].innerText,
        played: line.classList.contains("played"),
      })),
    );
    assert.equal(rows.length, SITUATIONS);
    for (const { request, answer, comparison, played } of rows) {
      assert.ok(played && /^\d{3}/.test(answer), request);
      assert.doesNotMatch(answer, /unexpected/, request);
      assert.match(comparison, /^\d{3}|^no counterpart: these filters do not support \w/, request);
      assert.ok(/^200\s*passes/.test(answer) || /reason [a-z_]+/.test(answer), `${request}: ${answer}`);
    }
    assert.match(await text(page, "#summary"), new RegExp(`${SITUATIONS} of ${SITUATIONS} as expected`));
    const audience = rows.find(({ request }) => request.includes("a token for invoices"));
    assert.match(audience.answer, /401[^]*invalid_token[^]*reason token_audience · rule read-orders/);
    assert.match(audience.comparison, /403[^]*differs[^]*Audiences_in_Jwt_are_not_allowed/);
    assert.match(rows.find(({ request }) => request.includes("a proof by another key")).comparison, /DPoP/);

    await page.click("#differing");
    const visible = await page.$$eval(".group .line", (lines) => lines.filter((line) => line.offsetHeight).length);
    assert.ok(visible > 5 && visible < 20, `${visible} rows differ`);
    await said(page, `${visible} situations`);
  });
  // One alone, which needs the challenge of another one.
  await visit(async (page) => {
    const row = '.line:has([aria-controls="proofs-4"])';
    await page.click(`${row} .buttons button`);
    await said(page, "requests were sent before. Countersign answered 401");
    assert.match(await text(page, row), /a wrong password[^]*password_wrong/);
    assert.match(await text(page, "#proofs-4"), /authorization: Digest [^]*www-authenticate: Digest/);
  });
}

async function form() {
  await visit(async (page) => {
    const reader = await send(page, { token: "reader" });
    assert.match(reader, /200\s*passes[^]*provider corp verified subject alice[^]*passes: subject alice[^]*set: x-auth-subject/);
    assert.match(reader, /"x-auth-subject"/, "the upstream shows what it received");
    assert.doesNotMatch(reader, /x-countersign-page/);
    const forbidden = await send(page, { token: "reader", method: "POST", path: "/orders" });
    assert.match(forbidden, /403[^]*insufficient_scope[^]*Fails: requires scope orders:write: the token has orders:read[^]*denied/);
    assert.match(await send(page, { token: "expired" }), /401[^]*token_expired[^]*the token expired/);
    assert.match(await send(page, { token: "operator", path: "/admin/users" }), /200\s*passes[^]*subject olga/);
    assert.match(await send(page, {}), /401[^]*denied: unauthorized/);
    assert.match(await send(page, { authorization: "Basic YWxpY2U6c2VjcmV0" }), /401/);
    assert.match(await send(page, { authorization: "a.b.c" }), /401[^]*token_malformed/);
    assert.match(await send(page, { path: "/catalogue/../admin" }), /400[^]*ambiguous_path/);
    assert.match(await send(page, { headers: "accept: text/html" }), /401[^]*<!doctype html>/i);
    assert.match(await send(page, { method: "HEAD" }), /401/);

    // Markup in the token, the path, a header, and so in the response of the upstream.
    assert.match(await send(page, { authorization: MARKUP }), /^(401|400)/);
    assert.match(await send(page, { authorization: `Bearer ${MARKUP}` }), /^(401|400)/);
    const echoed = await send(page, { path: `/healthz?${MARKUP.replaceAll(" ", "/")}`, headers: `x-markup: ${MARKUP}` });
    assert.match(echoed, /200\s*passes[^]*<img/);
    assert.equal(await page.$("#answer img, #answer script, #groups img, #groups script"), null);

    for (const [given, wanted] of [
      [{ path: "/a b" }, "the path contains a space: write it as %20"],
      [{ path: "orders" }, "the path: expected a text that begins with /"],
      [{ path: "http://other.example/" }, "the path: expected a text that begins with /"],
      [{ path: "/ü" }, "percent-encode it"],
      [{ method: "GET /x" }, "the method: expected letters such as GET"],
      [{ method: "CONNECT" }, "the method CONNECT opens a tunnel"],
      [{ headers: "content-length: 5" }, "the header content-length concerns the connection: remove it"],
      [{ headers: "no colon" }, "expected name: value on each line"],
      [{ authorization: "a\nx: y" }, "the header authorization contains a line break"],
      [{ authorization: "a".repeat(200_000) }, "length limit exceeded"],
    ]) {
      assert.match(await send(page, given), new RegExp(`^Error: [^]*${wanted}`), JSON.stringify(given).slice(0, 80));
    }
    const injected = await page.evaluate(async () => {
      const body = { target: "public", method: "GET", path: "/", headers: [["x", "a\r\ny: z"]] };
      const sent = { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
      return (await fetch("/api/send", sent)).status;
    });
    assert.equal(injected, 400);

    // A situation is edited in the form.
    await page.click('.line:has([aria-controls="public-3"]) .buttons button');
    await page.waitForSelector("#public-3:not([hidden]) .exchange button");
    await page.click("#public-3 .exchange button");
    await said(page, "The request is in the form");
    assert.match(await page.$eval("#authorization", ({ value }) => value), /^Bearer ey/);
  });
  // A token that the identity provider hands over.
  await visit(
    async (page) => {
      assert.equal(await page.$eval("#authorization", ({ value }) => value), MARKUP);
      assert.equal(new URL(page.url()).hash, "#send");
      assert.equal(await page.evaluate(() => document.activeElement.id), "submit");
    },
    VIEWS.light,
    `#token=${encodeURIComponent(MARKUP)}`,
  );
}

async function counters() {
  await visit(async (page) => {
    const number = async () => {
      const [, , forbidden] = await page.$$eval(".tile .number", (tiles) => tiles.map((tile) => tile.firstChild.data));
      return Number(forbidden.replaceAll(",", ""));
    };
    const before = await number();
    await send(page, { token: "reader", method: "POST", path: "/orders" });
    await page.waitForFunction(
      (wanted) => Number(document.querySelectorAll(".tile .number")[2].firstChild.data.replaceAll(",", "")) === wanted,
      {},
      before + 1,
    );
    assert.match(await text(page, ".tile.s403"), /\+[1-9]/);
    assert.match(await text(page, ".card:has(#denied-403)"), /insufficient_scope [^+]*\+[1-9]/);
    await page.click("#series summary");
    await page.focus("#series summary");
    const read = await text(page, "#read-at");
    await page.waitForFunction((read) => document.getElementById("read-at").textContent !== read, {}, read);
    assert.equal(await page.evaluate(() => document.activeElement.localName), "summary", "reading moves the focus");
    assert.match(await text(page, "#series details"), /countersign_token_cache/);
    await page.click("#pause");
    assert.equal(await page.$eval("#pause", (button) => button.ariaPressed), "true");
  });
}

async function keyboard() {
  await visit(async (page) => {
    const focused = () =>
      page.evaluate(() => {
        const { id, localName, textContent, value } = document.activeElement;
        const style = (found) => found && getComputedStyle(found).outlineStyle;
        const label = document.activeElement.nextElementSibling;
        const seen = [style(document.activeElement), style(label)].some((outline) => outline && outline !== "none");
        return { id, localName, text: textContent.trim(), value, seen };
      });
    const seen = [];
    const tabTo = async (wanted) => {
      for (let count = 0; count < 300; count += 1) {
        await page.keyboard.press("Tab");
        const at = await focused();
        assert.ok(at.seen, `the focus is not visible: ${JSON.stringify(at)}`);
        seen.push(at);
        if (wanted(at)) return at;
      }
      throw new Error(`Tab does not reach it: ${JSON.stringify(seen.slice(-3))}`);
    };
    await tabTo(({ text }) => text === "Skip to the content");
    await tabTo(({ value }) => value === "auto");
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("ArrowRight");
    assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), "dark");
    await page.keyboard.press("ArrowRight");
    assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), undefined);
    await tabTo(({ id }) => id === "play-all");
    await page.keyboard.press("Enter");
    await said(page, "responses are as expected");
    assert.equal((await focused()).id, "play-all", "the focus stays");
    await tabTo(({ text }) => text.startsWith("Messages"));
    await page.keyboard.press("Enter");
    assert.equal(await page.evaluate(() => document.activeElement.ariaExpanded), "true");
    assert.equal(await page.$eval("#public-0", (row) => row.hidden), false);
    await page.focus('[aria-controls="certificates-5"]');
    await tabTo(({ id }) => id === "path");
    await tabTo(({ text }) => text === "Expired");
    await page.keyboard.press("Space");
    await said(page, "A new token is in the form: Expired");
    await tabTo(({ id }) => id === "submit");
    await page.keyboard.press("Enter");
    await said(page, "Envoy answered 401, challenge: token_expired");
    assert.equal((await focused()).id, "submit");
    await tabTo(({ id }) => id === "pause");
  });
}

/** What the pictures in the documentation show. */
const SHOWN = {
  async light(page, path) {
    await page.reload();
    await page.waitForSelector("#play-all:not([disabled])");
    await playAll(page);
    await page.click("#differing");
    await shoot(page, path, "body");
  },
  async dark(page, path) {
    await send(page, { token: "reader", method: "POST", path: "/orders" });
    await shoot(page, path, "#send");
  },
  async phone(page, path) {
    await page.reload();
    await page.waitForSelector("#play-all:not([disabled])");
    await playAll(page);
    await shoot(page, path, "#groups section .line:nth-of-type(15)");
  },
};

async function shoot(page, path, selector) {
  await page.mouse.move(0, 0);
  await page.evaluate((selector) => {
    document.activeElement.blur();
    document.querySelector(selector).scrollIntoView();
  }, selector);
  await page.screenshot({ path });
}

async function looks() {
  const backgrounds = new Set();
  for (const [name, view] of Object.entries(VIEWS)) {
    await visit(async (page) => {
      await accessible(page, `${name}, before`);
      await playAll(page);
      await page.evaluate(() => document.querySelectorAll(".line [aria-expanded]").forEach((button, index) => index % 9 || button.click()));
      await send(page, { token: "reader", method: "POST", path: "/orders" });
      await page.click(".note summary");
      await page.click("#series summary");
      await accessible(page, `${name}, after`);
      await send(page, { path: "/a b" });
      await accessible(page, `${name}, with an error`);
      backgrounds.add(await page.evaluate(() => getComputedStyle(document.body).backgroundColor));
      if (SCREENSHOTS) await SHOWN[name](page, `${SCREENSHOTS}/page-${name}.png`);
      await page.setViewport({ ...view, width: 320 });
      const width = await page.evaluate(() => document.documentElement.scrollWidth);
      assert.ok(width <= 320, `a small window scrolls sideways: ${width}`);
    }, view);
  }
  assert.equal(backgrounds.size, 2, "light and dark differ");
  // The choice of the reader wins over the system.
  await visit(async (page) => {
    await page.click("#theme [value=light] + span");
    const light = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    await page.reload();
    assert.equal(await page.evaluate(() => getComputedStyle(document.body).backgroundColor), light);
    await page.click("#theme [value=auto] + span");
  }, VIEWS.dark);
}

/** The status of a request that no browser on this page sends. */
const status = (options, body) =>
  new Promise((resolve, reject) => {
    const sent = request(`${PAGE}${options.path ?? "/"}`, options, (response) => {
      response.resume();
      resolve([response.statusCode, response.headers["access-control-allow-origin"]]);
    });
    sent.on("error", reject).end(body);
  });

async function strangers() {
  const json = { "content-type": "application/json" };
  const play = { path: "/api/play", method: "POST" };
  assert.deepEqual(await status({ headers: { host: "attacker.example" } }), [421, undefined]);
  assert.deepEqual(await status({ path: "/api/page", headers: { origin: "http://attacker.example" } }), [200, undefined]);
  assert.deepEqual(await status({ ...play, headers: json }, "{}"), [403, undefined]);
  assert.deepEqual(await status({ ...play, headers: { ...json, origin: "http://attacker.example" } }, "{}"), [403, undefined]);
  assert.deepEqual(await status({ ...play, headers: { origin: PAGE, "content-type": "text/plain" } }, "{}"), [415, undefined]);
  assert.deepEqual(await status({ ...play, headers: { ...json, origin: PAGE } }, '{"group":"public","more":1}'), [422, undefined]);
  assert.deepEqual(await status({ path: "/api/play", method: "OPTIONS", headers: { origin: "http://attacker.example" } }), [403, undefined]);
  assert.deepEqual(await status({ path: "/../Cargo.toml" }), [404, undefined]);
}

try {
  await strangers();
  await situations();
  await form();
  await counters();
  await keyboard();
  await looks();
} finally {
  await browser.close();
}
