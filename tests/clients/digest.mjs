// Chromium's login dialog for Digest.
import assert from "node:assert/strict";

import { browse, visit } from "./dialogs.mjs";
import "./limit.mjs";

const { SHA256, MD5, BOTH, EXPIRES, BESIDE, JASON, PASSWORD } = process.env;

const dialog = { source: "Server", scheme: "digest", realm: "orders" };

/** The parameters of the credential that reached the upstream. */
function credential({ headers }) {
  const [[, value]] = headers.filter(([name]) => name === "authorization");
  return Object.fromEntries([...value.matchAll(/(\w+)="?([^",]+)"?/g)].map(([, name, value]) => [name, value]));
}

/** What the page gets for requests at once: the statuses, and the credentials. */
async function fetchAll(page, count) {
  const answers = await page.evaluate(
    (count) =>
      Promise.all(
        Array.from({ length: count }, async (_, index) => {
          const response = await fetch(`/orders/${index}?a=b%20c`);
          return { status: response.status, seen: await response.json() };
        }),
      ),
    count,
  );
  const statuses = new Set(answers.map(({ status }) => status));
  assert.deepEqual([...statuses], [200], JSON.stringify(answers));
  return answers.map(({ seen }) => credential(seen));
}

await browse(async (browser) => {
  for (const [address, algorithm] of [[SHA256, "SHA-256"], [MD5, "MD5"], [BOTH, "SHA-256"], [BESIDE, "SHA-256"]]) {
    const right = await visit(browser, address, [["alice", PASSWORD]], async (page, dialogs, response) => {
      const first = credential(await response.json());
      assert.equal(first.algorithm, algorithm);
      const others = await fetchAll(page, 8);
      assert.equal(dialogs.length, 1, "one dialog is enough");
      console.log(JSON.stringify(others.map(({ nc }) => nc)));
      assert.deepEqual([...new Set(others.map(({ nonce }) => nonce))], [first.nonce], "one nonce is enough");
      assert.equal(new Set(others.map(({ nc }) => nc)).size, 8);
    });
    assert.equal(right.status, 200);
    assert.deepEqual(right.dialogs, [dialog]);
  }

  const second = await visit(browser, SHA256, [["alice", "wrong"], ["alice", PASSWORD]]);
  assert.equal(second.status, 200);
  assert.deepEqual(second.dialogs, [dialog, dialog], "a wrong password leads to another dialog");

  const name = await visit(browser, SHA256, [[JASON, PASSWORD]]);
  assert.equal(name.status, 200);

  const cancelled = await visit(browser, SHA256, []);
  assert.equal(cancelled.status, 401);
  assert.equal(cancelled.title, "Authentication required", "behind a dialog is the page");

  // The nonce expires, once before a single request and once before several.
  await visit(browser, EXPIRES, [["alice", PASSWORD]], async (page, dialogs, response) => {
    let { nonce } = credential(await response.json());
    for (const count of [1, 8]) {
      const end = Date.now() + 40_000;
      for (;;) {
        const others = await fetchAll(page, count);
        const last = nonce;
        nonce = others.at(-1).nonce;
        if (nonce !== last) break;
        assert.ok(Date.now() < end, "the nonce does not expire");
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
    }
    assert.equal(dialogs.length, 1, "a nonce that expires leads to no dialog");
  });
});
