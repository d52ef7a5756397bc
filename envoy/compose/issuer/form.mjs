// The sign-in form, and what a person sends with it.

import { CODE, faultOf, SECOND_FACTOR, USERS } from "./users.mjs";

const LARGEST_FORM = 4096;

const escaped = (text) => text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);

function html({ uid, isCodeRequired, user, fault }) {
  const hints = [...USERS].map(([name, { password, what }]) =>
    `<tr><th scope="row"><code>${name}</code></th><td><code>${password}</code></td><td>${what}</td></tr>`);
  const code = isCodeRequired
    ? `<label for="code">One-time code</label>
       <input id="code" name="code" inputmode="numeric" autocomplete="one-time-code" required>
       <p class="hint">The code is always <code>${CODE}</code>.</p>`
    : "";
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Sign in</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/style.css">
</head>
<body>
<main>
<h1>Sign in</h1>
<p class="notice">This is a demonstration. Do not enter a password that you use anywhere else.</p>
${fault ? `<p class="fault" role="alert">${fault}</p>` : ""}
<form method="post" action="/interaction/${uid}">
<label for="user">User name</label>
<input id="user" name="user" value="${escaped(user)}" autocomplete="username" autocapitalize="none" required>
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required>
${code}
<button>Sign in</button>
</form>
<table>
<caption>Users</caption>
<thead><tr><th scope="col">User name</th><th scope="col">Password</th><th scope="col">Permissions</th></tr></thead>
<tbody>${hints.join("")}</tbody>
</table>
</main>
</body>
</html>
`;
}

async function formOf(request) {
  const parts = [];
  let length = 0;
  for await (const part of request) {
    length += part.length;
    if (length > LARGEST_FORM) return undefined;
    parts.push(part);
  }
  return new URLSearchParams(Buffer.concat(parts).toString());
}

/** Answers a request below `/interaction/`: the form, or the way back to the client. */
export async function interact(provider, request, response) {
  let details;
  try {
    details = await provider.interactionDetails(request, response);
  } catch {
    response.writeHead(400, { "content-type": "text/plain" });
    response.end("This sign-in has expired. Start again at http://localhost:9000/\n");
    return;
  }
  const { uid, params } = details;
  const isCodeRequired = (params.acr_values ?? "").split(" ").includes(SECOND_FACTOR);
  const shown = { uid, isCodeRequired, user: "", fault: undefined };
  if (request.method === "POST") {
    const form = await formOf(request);
    shown.fault = form ? faultOf(form, isCodeRequired) : "The form is too large.";
    if (!shown.fault) {
      const login = { accountId: form.get("user"), acr: isCodeRequired ? SECOND_FACTOR : undefined };
      await provider.interactionFinished(request, response, { login });
      return;
    }
    shown.user = form?.get("user") ?? "";
  }
  response.writeHead(shown.fault ? 401 : 200, { "content-type": "text/html; charset=utf-8", "cache-control": "no-store" });
  response.end(html(shown));
}
