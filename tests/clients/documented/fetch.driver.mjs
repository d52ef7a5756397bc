// Plays scenarios with the code for fetch: see documented.rs.
import {send} from "./fetch.mjs";
import {play} from "./play.mjs";

await play(async ({url, method, headers, body}, token) => (await send(url, {method, headers, body}, token)).status);
