// Chromium: reads a refusal of another origin, shows the pages, follows the login redirect.
// CHROMIUM names the program. With SCREENSHOTS, a folder, it also takes pictures of the pages.
import assert from "node:assert/strict";
import { X509Certificate, createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:https";

import puppeteer from "puppeteer-core";

import "./limit.mjs";

const { API, SHOP, CERTIFICATE, KEY, TOKEN, WITHOUT_SCOPE, CHROMIUM, SCREENSHOTS } = process.env;
assert.ok(CHROMIUM, "CHROMIUM names no browser: `make test-all` finds one");

// The pages of the application, of a stranger, and of the login.
const cert = readFileSync(CERTIFICATE);
const site = createServer({ cert, key: readFileSync(KEY) }, (request, response) => {
  response.writeHead(200, { "content-type": "text/html" });
  response.end(`<!doctype html><title>${request.headers.host}</title><link rel="icon" href="data:,">`);
});
await new Promise((resolve) => site.listen(0, "127.0.0.1", resolve));

const here = `127.0.0.1:${site.address().port}`;
const hosts = { api: API, shop: SHOP, app: here, stranger: here, login: here };
const rules = Object.entries(hosts).map(([name, address]) => `MAP ${name}.example.com:443 ${address}`);
const known = new X509Certificate(cert).publicKey.export({ type: "spki", format: "der" });
const browser = await puppeteer.launch({
  executablePath: CHROMIUM,
  args: [
    `--host-resolver-rules=${rules.join(", ")}, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1`,
    `--ignore-certificate-errors-spki-list=${createHash("sha256").update(known).digest("base64")}`,
    ...(process.getuid() === 0 ? ["--no-sandbox"] : []),
  ],
});

/** Opens a page, hands it over, closes it. */
async function visit(work) {
  const page = await browser.newPage();
  const errors = [];
  page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
  page.on("pageerror", (error) => errors.push(String(error)));
  await work(page, errors);
  await page.close();
}

/** What a script on the page gets for an address. */
const fetched = (page, url, init) =>
  page.evaluate(
    async (url, init) => {
      try {
        const response = await fetch(url, init);
        const { status, redirected } = response;
        const challenge = response.headers.get("www-authenticate");
        return { status, redirected, challenge, error: (await response.json()).error };
      } catch (error) {
        return { failed: error.name };
      }
    },
    url,
    init,
  );

const ORDER = "https://api.example.com/orders/17";
const METADATA = "https://api.example.com/.well-known/oauth-protected-resource/orders";
const plain = {
  status: 401,
  redirected: false,
  challenge: `Bearer realm="orders", resource_metadata="${METADATA}"`,
  error: "unauthorized",
};
const withToken = (token) => ({ headers: { authorization: `Bearer ${token}` } });

async function crossOrigin() {
  await visit(async (page) => {
    await page.goto("https://app.example.com/");
    const nobody = await fetched(page, ORDER);
    console.log("app", nobody);
    assert.deepEqual(nobody, plain);
    assert.deepEqual(await fetched(page, ORDER, { credentials: "include" }), plain, "cookies may come along");
    // With a preflight.
    const malformed = await fetched(page, ORDER, withToken("a.b"));
    console.log("app", malformed);
    assert.equal(malformed.status, 401);
    assert.match(malformed.challenge, /error="invalid_token"/);
    const forbidden = await fetched(page, ORDER, { method: "DELETE", ...withToken(WITHOUT_SCOPE) });
    console.log("app", forbidden);
    assert.equal(forbidden.status, 403);
    assert.equal(forbidden.error, "insufficient_scope");
  });
  await visit(async (page) => {
    await page.goto("https://stranger.example.com/");
    for (const init of [undefined, withToken("a.b")]) {
      const nothing = await fetched(page, ORDER, init);
      console.log("stranger", nothing);
      assert.deepEqual(nothing, { failed: "TypeError" });
    }
    // Where to ask for a token is nobody's secret; the field, which MCP's SDK sends, makes it a preflight too.
    const resource = await page.evaluate(async (url) => {
      const response = await fetch(url, { headers: { "mcp-protocol-version": "2025-11-25" } });
      return (await response.json()).resource;
    }, METADATA);
    console.log("stranger", resource);
    assert.equal(resource, "https://api.example.com/orders");
  });
}

/** Of every text on the page: how it stands out from what is behind it, as WCAG counts. */
const contrasts = (page) =>
  page.evaluate(() => {
    const parts = (color) => color.match(/[\d.]+/g).map(Number);
    const linear = (value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
    const luminance = ([r, g, b]) =>
      0.2126 * linear(r / 255) + 0.7152 * linear(g / 255) + 0.0722 * linear(b / 255);
    const behind = (element) => {
      for (let at = element; at; at = at.parentElement) {
        const color = parts(getComputedStyle(at).backgroundColor);
        if (color[3] !== 0) return color;
      }
      return [255, 255, 255];
    };
    const texts = [...document.body.querySelectorAll("*")].filter((element) =>
      [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim()),
    );
    return texts.map((element) => {
      const [low, high] = [behind(element), parts(getComputedStyle(element).color)]
        .map(luminance)
        .sort((a, b) => a - b);
      return { text: element.textContent.trim(), contrast: (high + 0.05) / (low + 0.05) };
    });
  });

/** The page of a refusal, in both colour schemes. */
async function shows({ url, token, status, heading, link }) {
  await visit(async (page, errors) => {
    await page.setViewport({ width: 1000, height: 640 });
    if (token) await page.setExtraHTTPHeaders(withToken(token).headers);
    const requests = [];
    page.on("request", (request) => requests.push(request.url()));
    const backgrounds = new Set();
    for (const scheme of ["light", "dark"]) {
      await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
      const response = await page.goto(url);
      assert.equal(response.status(), status);
      assert.match(response.headers()["content-type"], /^text\/html/);
      const seen = await page.evaluate(() => ({
        title: document.title,
        headings: [...document.querySelectorAll("h1")].map((heading) => heading.textContent),
        links: [...document.querySelectorAll("a")].map((link) => [link.textContent, link.href]),
        language: document.documentElement.lang,
        text: document.body.innerText,
        background: getComputedStyle(document.body).backgroundColor,
      }));
      console.log(scheme, JSON.stringify(seen));
      assert.equal(seen.title, heading);
      assert.deepEqual(seen.headings, [heading]);
      assert.deepEqual(seen.links, link ? [link] : []);
      assert.equal(seen.language, "en");
      backgrounds.add(seen.background);
      const all = await contrasts(page);
      assert.ok(all.length > 1, "there is text");
      for (const { text, contrast } of all) assert.ok(contrast >= 4.5, `${scheme}: ${contrast} of ${text}`);
      if (SCREENSHOTS) await page.screenshot({ path: `${SCREENSHOTS}/page-${status}-${scheme}.png` });
    }
    assert.equal(backgrounds.size, 2, "light and dark differ");
    // Chromium reports the status of the page itself; nothing else may be wrong, nor anything be loaded.
    const own = `Failed to load resource: the server responded with a status of ${status} `;
    const others = errors.filter((error) => !error.startsWith(own));
    assert.deepEqual(others, []);
    assert.deepEqual(requests, [url, url]);

    await page.setViewport({ width: 320, height: 640 });
    const width = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(width <= 320, `a small window scrolls sideways: ${width}`);
  });
}

const cookie = (value) => ({ name: "session", value, domain: "shop.example.com", path: "/", secure: true });

async function login() {
  await visit(async (page) => {
    const wanted = "https://shop.example.com/orders/17?a=1&b=%C3%BC";
    const arrives = async () => {
      const response = await page.goto(wanted);
      const passed = response.request().redirectChain().map((request) => request.response().status());
      console.log(...passed, response.status(), page.url());
      return { passed, response, at: new URL(page.url()) };
    };
    const { passed, at } = await arrives();
    assert.deepEqual(passed, [302]);
    assert.equal(at.origin, "https://login.example.com");
    assert.deepEqual([...at.searchParams], [["return_to", wanted]]);
    assert.equal(await page.title(), "login.example.com");

    await browser.setCookie(cookie("a.b"));
    assert.equal((await arrives()).at.href, at.href, "a session that is no good needs another login");

    await browser.setCookie(cookie(TOKEN));
    const back = await page.goto(at.searchParams.get("return_to"));
    assert.equal(back.status(), 200);
    assert.equal((await back.json()).path, "/orders/17?a=1&b=%C3%BC");
    await browser.deleteCookie(cookie(TOKEN));
  });
  await visit(async (page) => {
    await page.goto("https://shop.example.com/healthz");
    for (const headers of [{}, { accept: "text/html" }]) {
      const nobody = await page.evaluate(
        async (headers) => {
          const { status, redirected } = await fetch("/orders/17", { headers });
          return { status, redirected };
        },
        headers,
      );
      console.log("fetch", headers, nobody);
      assert.deepEqual(nobody, { status: 401, redirected: false }, "a script is told, not sent away");
    }
    const [response] = await Promise.all([
      page.waitForNavigation(),
      page.evaluate(() => {
        const form = Object.assign(document.createElement("form"), { method: "post", action: "/orders/17" });
        document.documentElement.append(form);
        form.submit();
      }),
    ]);
    console.log("form", response.status(), page.url());
    assert.equal(response.status(), 401, "what a form sends would be lost on the way");
    assert.equal(page.url(), "https://shop.example.com/orders/17");
  });
}

try {
  await crossOrigin();
  await shows({ url: ORDER, status: 401, heading: "Authentication required" });
  await shows({
    url: ORDER,
    token: WITHOUT_SCOPE,
    status: 403,
    heading: "Insufficient scope",
    link: ["Ask for access", "https://help.example.com/access"],
  });
  await login();
} finally {
  await browser.close();
  site.close();
}
