// Signs a person in by the authorization code flow with PKCE (RFC 6749 §4.1, RFC 7636), and shows the access token.

const byId = (id) => document.getElementById(id);

const base64url = (bytes) =>
  btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

const random = () => base64url(crypto.getRandomValues(new Uint8Array(32)));

async function signIn(acr) {
  const [state, verifier] = [random(), random()];
  sessionStorage.setItem("sign-in", JSON.stringify({ state, verifier }));
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier));
  const parameters = new URLSearchParams({
    client_id: "page",
    response_type: "code",
    redirect_uri: `${location.origin}/`,
    scope: "openid orders:read orders:write",
    prompt: "login",
    state,
    code_challenge: base64url(new Uint8Array(digest)),
    code_challenge_method: "S256",
    ...(acr && { acr_values: acr }),
  });
  location.assign(`/auth?${parameters}`);
}

/** Exchanges the code in the address for an access token, and removes it from the address. */
async function finish() {
  const answer = new URLSearchParams(location.search);
  if (!answer.has("state")) return;
  history.replaceState(null, "", "/");
  const started = JSON.parse(sessionStorage.getItem("sign-in") ?? "{}");
  sessionStorage.removeItem("sign-in");
  if (answer.get("state") !== started.state) {
    fail("This sign-in was not started in this tab. Sign in again.");
    return;
  }
  if (answer.has("error")) {
    fail(`The identity provider answered: ${answer.get("error_description") ?? answer.get("error")}`);
    return;
  }
  const response = await fetch("/token", {
    method: "POST",
    body: new URLSearchParams({
      grant_type: "authorization_code",
      client_id: "page",
      redirect_uri: `${location.origin}/`,
      code: answer.get("code"),
      code_verifier: started.verifier,
    }),
  });
  const { access_token: token, error, error_description: description } = await response.json();
  if (token) await show(token);
  else fail(`The identity provider answered: ${description ?? error}`);
}

async function show(token) {
  const { page } = await (await fetch("/page.json")).json();
  const [, payload] = token.split(".");
  const binary = atob(payload.replaceAll("-", "+").replaceAll("_", "/"));
  const claims = JSON.parse(new TextDecoder().decode(Uint8Array.from(binary, (character) => character.charCodeAt(0))));
  const expiry = new Date(claims.exp * 1000);
  byId("subject").textContent = claims.sub;
  byId("expiry").textContent = expiry.toLocaleTimeString();
  byId("expiry").dateTime = expiry.toISOString();
  byId("token").textContent = token;
  byId("curl").textContent = `curl -i ${claims.aud}/orders/17 \\\n  -H 'Authorization: Bearer ${token}'`;
  byId("claims").textContent = JSON.stringify(claims, null, 2);
  // A fragment is not sent to a server.
  byId("page").href = `${page}#token=${token}`;
  byId("result").hidden = false;
  byId("result-heading").focus();
}

function fail(message) {
  byId("fault").textContent = message;
  byId("fault").hidden = false;
}

for (const button of document.querySelectorAll("button[data-acr]")) {
  button.addEventListener("click", () => signIn(button.dataset.acr));
}
for (const button of document.querySelectorAll("button[data-copy]")) {
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(byId(button.dataset.copy).textContent);
    byId("copied").textContent = "Copied.";
  });
}
await finish();
