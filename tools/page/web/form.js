// The form: sends a request, and shows the response and the decision step by step.
import { announce, chip, element, fault, outcome, post, prose, responseText } from "./elements.js";

const field = (id) => document.getElementById(id);

/** Returns what other parts of the page do with the form. */
export function startForm({ targets, sign_in: signIn }) {
  const select = field("target");
  select.replaceChildren(...targets.map(({ name, title }) => element("option", { value: name }, title)));
  field("target-field").hidden = targets.length < 2;
  const target = () => targets.find(({ name }) => name === select.value);
  const showTokens = () => {
    field("tokens").querySelectorAll("[data-token]:not([data-token=''])").forEach((button) => {
      button.hidden = !target().accepts_demo_tokens;
    });
    field("sign-in").hidden = !signIn || target().accepts_demo_tokens;
  };
  if (signIn) field("sign-in").querySelector("a").href = signIn;
  select.addEventListener("change", showTokens);
  showTokens();

  field("tokens").addEventListener("click", async ({ target: button }) => {
    if (!("token" in button.dataset)) return;
    const name = button.dataset.token;
    try {
      const token = name && (await post("/api/token", { name })).token;
      field("authorization").value = token;
      announce(name ? `A new token is in the form: ${button.textContent}` : "The token is removed");
    } catch (error) {
      field("answer").replaceChildren(fault(error));
    }
  });
  field("form").addEventListener("submit", (event) => {
    event.preventDefault();
    send();
  });

  const choose = (name) => {
    select.value = name;
    showTokens();
  };
  takeToken(targets, choose);
  window.addEventListener("hashchange", () => takeToken(targets, choose));

  return {
    /** Fills in a request, for the listener of the demo. */
    fill({ method, path, headers }) {
      choose("public");
      const is = (wanted) => ([name]) => name === wanted;
      field("method").value = method;
      field("path").value = path;
      field("authorization").value = headers.find(is("authorization"))?.[1] ?? "";
      const others = headers.filter(([name]) => name !== "authorization" && name !== "host");
      field("headers").value = others.map(([name, value]) => `${name}: ${value}`).join("\n");
      field("send").scrollIntoView();
      field("submit").focus();
      announce("The request is in the form");
    },
  };
}

/** Puts the token of `#token=…` into the form, and removes it from the address bar. */
function takeToken(targets, choose) {
  if (!location.hash.startsWith("#token=")) return;
  const token = new URLSearchParams(location.hash.slice(1)).get("token");
  history.replaceState(null, "", `${location.pathname}#send`);
  choose((targets.find((target) => !target.accepts_demo_tokens) ?? targets[0]).name);
  field("authorization").value = token;
  field("send").scrollIntoView();
  field("submit").focus();
  announce("The token is in the form");
}

/** The lines of the field as names and values. */
function headers() {
  const lines = field("headers").value.split("\n").filter((line) => line.trim());
  return lines.map((line) => {
    const colon = line.indexOf(":");
    if (colon < 1) throw new Error("the headers: expected `name: value` on each line");
    return [line.slice(0, colon), line.slice(colon + 1).trim()];
  });
}

async function send() {
  const answer = field("answer");
  field("submit").disabled = true;
  answer.setAttribute("aria-busy", "true");
  try {
    const result = await post("/api/send", {
      target: field("target").value,
      method: field("method").value.trim(),
      path: field("path").value.trim(),
      authorization: field("authorization").value,
      headers: headers(),
    });
    answer.replaceChildren(...shown(result));
    const { reason } = result.response;
    announce(`Envoy answered ${result.response.status}, ${outcome(result.response).word}${reason ? `: ${reason}` : ""}`);
  } catch (error) {
    answer.replaceChildren(fault(error));
  }
  answer.removeAttribute("aria-busy");
  field("submit").disabled = false;
  field("submit").focus();
}

function shown({ response, explanation, fault: unexplained }) {
  const parts = [verdict(response)];
  if (explanation?.steps) parts.push(...explained(explanation, response));
  else if (explanation?.faults) parts.push(fault(new Error(explanation.faults.join("\n"))));
  else parts.push(fault(new Error(`no explanation: ${unexplained}`)));
  parts.push(element("h3", {}, "Response as received"), responseText(response));
  return parts;
}

function verdict(response) {
  const { kind } = outcome(response);
  const facts = [
    ["Reason", response.reason],
    ["Rule", response.rule],
    ["Provider", response.provider],
    ["Details", response.details],
  ].filter(([, value]) => value && value !== `countersign_${response.reason}`);
  return element(
    "div",
    { class: `verdict ${kind}` },
    element("p", {}, chip(response)),
    element("dl", {}, facts.map(([name, value]) => element("div", {}, element("dt", {}, name), element("dd", {}, element("code", {}, value))))),
  );
}

function explained(explanation, response) {
  const failing = explanation.findings.map((finding) => finding.message);
  const steps = explanation.steps.map((step) => {
    const { sign, word, kind } = mark(step, failing);
    return element("li", { class: kind }, element("span", { class: "sign", "aria-hidden": "true" }, sign), element("span", {}, element("span", { class: "hidden" }, word), ...prose(step)));
  });
  const subject = explanation.subject ?? "anonymous";
  const end =
    explanation.verdict === "passes"
      ? `passes: subject \`${subject}\``
      : `${explanation.verdict}${explanation.reason ? `: \`${explanation.reason}\`` : ""}`;
  const passes = explanation.verdict === "passes";
  steps.push(
    element(
      "li",
      { class: passes ? "good last" : "bad last" },
      element("span", { class: "sign", "aria-hidden": "true" }, passes ? "✓" : "✕"),
      element("span", {}, ...prose(end)),
    ),
  );
  const parts = [element("h3", {}, "Decision"), element("ol", { class: "steps" }, steps)];
  const status = explanation.response?.status;
  if (status !== undefined && status !== response.status) {
    const text = `\`countersign explain\` expects ${status}. It has no requests before this one and none of the keys, lists and answers that Envoy fetched.`;
    parts.push(element("p", { class: "fault" }, ...prose(text)));
  }
  return parts.concat(changes(explanation.upstream));
}

/** What a step means: its sign, the word that a screen reader says, and its class. */
function mark(step, failing) {
  if (failing.includes(step)) return { sign: "✕", word: "Fails: ", kind: "bad" };
  if (step.includes(" does not match")) return { sign: "–", word: "", kind: "skipped" };
  if (/ matches$| verified /.test(step)) return { sign: "✓", word: "", kind: "good" };
  return { sign: "·", word: "", kind: "" };
}

/** What the upstream receives differently. */
function changes(upstream) {
  if (!upstream) return [];
  const lines = [
    ...(upstream.target ? [`target: \`${upstream.target}\``] : []),
    ...upstream.removed.map((name) => `removed: \`${name}\``),
    ...upstream.set.map(({ name, value, claims }) => `set: \`${name}: ${value ?? JSON.stringify(claims)}\``),
  ];
  if (!lines.length) return [];
  return [
    element("h3", {}, "What the upstream receives differently"),
    element("ul", { class: "changes" }, lines.map((line) => element("li", {}, ...prose(line)))),
  ];
}
