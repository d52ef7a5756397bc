// Chromium's login dialog for Basic.
import assert from "node:assert/strict";

import { browse, visit } from "./dialogs.mjs";
import "./limit.mjs";

const { ADDRESS, BESIDE, PASSWORD } = process.env;

const dialog = { source: "Server", scheme: "basic", realm: "orders" };

await browse(async (browser) => {
  const right = await visit(browser, ADDRESS, [["alice", PASSWORD]], async (page, dialogs) => {
    // The browser keeps the password for the other paths.
    const again = await page.evaluate(async () => (await fetch("/orders/18")).status);
    assert.equal(again, 200);
    assert.equal(dialogs.length, 1, "one dialog is enough");
  });
  assert.equal(right.status, 200);
  assert.deepEqual(right.dialogs, [dialog]);

  const second = await visit(browser, ADDRESS, [["alice", "wrong"], ["alice", PASSWORD]]);
  assert.equal(second.status, 200);
  assert.deepEqual(second.dialogs, [dialog, dialog], "a wrong password leads to another dialog");

  // The challenge says that names and passwords are UTF-8.
  const name = await visit(browser, ADDRESS, [["jörg", PASSWORD]]);
  assert.equal(name.status, 200);

  const cancelled = await visit(browser, ADDRESS, []);
  assert.equal(cancelled.status, 401);
  assert.equal(cancelled.title, "Authentication required", "behind a dialog is the page");

  const beside = await visit(browser, BESIDE, [["alice", PASSWORD]]);
  assert.equal(beside.status, 200);
  assert.deepEqual(beside.dialogs, [dialog], "the challenge of a scheme that it does not know is no obstacle");
});
