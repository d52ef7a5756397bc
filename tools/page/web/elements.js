// Builds elements. Text from responses becomes text nodes and nothing else.

/** An element with attributes and children. Strings become text. */
export function element(name, attributes = {}, ...children) {
  const built = document.createElement(name);
  for (const [attribute, value] of Object.entries(attributes)) {
    if (attribute === "onclick") built.addEventListener("click", value);
    else if (value === true) built.setAttribute(attribute, "");
    else if (value !== false && value !== null && value !== undefined) built.setAttribute(attribute, value);
  }
  built.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== ""));
  return built;
}

/** Text whose parts in backticks are code. */
export function prose(text) {
  return text.split("`").map((part, index) => (index % 2 ? element("code", {}, part) : part));
}

/** Code that is broken after an underscore, if it is too long for a line. */
export function breakable(text) {
  return element("code", {}, text.split(/(?<=_)/).flatMap((part) => [part, element("wbr")]));
}

/** The values of a header. */
export function values(message, name) {
  return message.headers.filter(([own]) => own === name).map(([, value]) => value);
}

const WORDS = {
  200: "OK",
  400: "bad request",
  401: "challenge",
  403: "forbidden",
  404: "not found",
  405: "method not allowed",
  407: "challenge",
  429: "throttled",
  502: "unavailable",
  503: "unavailable",
};

/** What a response is, in a word: the colour of a status repeats it. */
export function outcome(response) {
  if (response.is_of_upstream) return { kind: "passes", word: "passes" };
  const [grpc] = values(response, "grpc-status");
  if (grpc && grpc !== "0") return { kind: "s401", word: `gRPC status ${grpc}` };
  const known = [400, 401, 403, 407, 429].includes(response.status);
  const kind = response.status >= 500 ? "s5xx" : known ? `s${response.status}` : response.status < 300 ? "passes" : "s403";
  return { kind, word: WORDS[response.status] ?? "" };
}

/** A status with its word. */
export function chip(response) {
  const { kind, word } = outcome(response);
  return element("span", { class: `chip ${kind}` }, element("b", {}, String(response.status)), word);
}

/** A value that is shortened in the middle, since nobody reads a token. */
function shortened(value) {
  if (value.length <= 160) return value;
  return `${value.slice(0, 72)}… (${value.length} characters) …${value.slice(-16)}`;
}

/** JSON with line breaks; other text as it is. */
function pretty(body) {
  try {
    return JSON.stringify(JSON.parse(body), null, 2);
  } catch {
    return body;
  }
}

/** The lines of a message, of which `first` is the first. */
function message(first, headers, body) {
  const lines = headers.map(([name, value]) => [element("span", { class: "name" }, `${name}: `), `${shortened(value)}\n`]);
  return element("pre", {}, element("b", {}, `${first}\n`), ...lines, body ? `\n${body}` : "");
}

/** A request as it was sent. */
export function requestText({ method, path, headers, certificate }) {
  const text = message(`${method} ${path}`, headers, "");
  if (certificate) text.append(element("span", { class: "name" }, `client certificate: ${certificate}\n`));
  return text;
}

/** A response as it was received. */
export function responseText({ status, headers, body, is_cut }) {
  const text = message(String(status), headers, pretty(body));
  if (is_cut) text.append("\n… (the rest is not shown)");
  return text;
}

/** Sends JSON to the server of the page. */
export async function post(path, body) {
  return read(
    await fetch(path, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    }),
  );
}

/** Reads JSON from the server of the page. */
export async function get(path) {
  return read(await fetch(path));
}

async function read(response) {
  const text = await response.text();
  if (response.ok) return JSON.parse(text);
  let fault = text.trim() || `the page answered ${response.status}`;
  try {
    fault = JSON.parse(text).error;
  } catch {
    // The text is the fault.
  }
  throw new Error(fault);
}

/** Says something to a screen reader. */
export function announce(text) {
  document.getElementById("status").textContent = text;
}

/** A fault, with what to do. */
export function fault(error) {
  const text = error instanceof TypeError ? "the server of this page does not answer: start it again" : error.message;
  return element("p", { class: "fault", role: "alert" }, element("b", {}, "Error: "), ...prose(text));
}
