// Plays scenarios with the code for axios: see documented.rs.
import {client} from "./axios.mjs";
import {play} from "./play.mjs";

await play(async ({url, method, headers, body}, token) => {
  try {
    return (await client(token).request({url, method, headers, data: body})).status;
  } catch (failure) {
    return failure.response.status;
  }
});
