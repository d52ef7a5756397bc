// The situations of the demo: a table for each group, and what came back.
import { announce, breakable, chip, element, fault, outcome, post, requestText, responseText, values } from "./elements.js";

const TITLES = {
  public: ["Rules and tokens", "JSON Web Tokens, scopes, roles, paths, and what clients accept."],
  credentials: ["Kinds of credentials", "Tokens, opaque tokens, API keys and passwords, side by side."],
  proofs: ["Proofs of possession", "Digest, and tokens that are bound to a key (DPoP)."],
  certificates: ["Client certificates", "Services with certificates, and tokens that are bound to one."],
};
const COLUMNS = ["Request", "Countersign", "jwt_authn + rbac", "Actions"];

export function startSituations({ groups }, form) {
  const total = groups.reduce((sum, group) => sum + group.situations.length, 0);
  const tables = groups.map((group) => new Group(group, form));
  document.getElementById("groups").replaceChildren(...tables.map((table) => table.section));

  const all = document.getElementById("play-all");
  all.textContent = `Play all ${total}`;
  all.disabled = false;
  all.addEventListener("click", async () => {
    all.disabled = true;
    for (const table of tables) await table.play();
    all.disabled = false;
    all.focus();
    summarise(tables, total);
  });
  document.addEventListener("played", () => summarise(tables, total));
  document.getElementById("differing").addEventListener("change", ({ target }) => {
    document.getElementById("groups").classList.toggle("only-different", target.checked);
    const shown = tables.flatMap((table) => table.rows).filter((row) => row.differs).length;
    announce(target.checked ? `${shown} situations with different statuses are shown` : `all ${total} situations are shown`);
  });
}

/** A group of situations, which one listener decides. */
class Group {
  constructor(group, form) {
    this.name = group.name;
    const [title, about] = TITLES[group.name] ?? [group.title, ""];
    this.rows = group.situations.map((situation, index) => new Row(this, situation, index, form));
    const id = `group-${group.name}`;
    this.button = element("button", { type: "button", onclick: () => this.play(true) }, "Play group", hidden(`: ${title}`));
    this.fault = element("div", {});
    const header = COLUMNS.map((column, index) =>
      element("th", { scope: "col", role: "columnheader" }, index === 3 ? hidden(column) : column),
    );
    this.table = element(
      "table",
      { role: "table", "aria-labelledby": id },
      element("thead", { role: "rowgroup" }, element("tr", { role: "row" }, header)),
      element("tbody", { role: "rowgroup" }, this.rows.flatMap((row) => [row.line, row.more])),
    );
    this.section = element(
      "section",
      { class: "group", "aria-labelledby": id },
      element(
        "div",
        { class: "heading" },
        element("div", {}, element("h3", { id }, title), element("p", {}, about, " ", element("span", { class: "quiet" }, group.address))),
        this.button,
      ),
      this.fault,
      this.table,
    );
  }

  /** Plays every situation of the group. */
  async play(alone = false) {
    this.button.disabled = true;
    this.table.setAttribute("aria-busy", "true");
    this.fault.replaceChildren();
    try {
      const { results } = await post("/api/play", { group: this.name });
      for (const result of results) this.rows[result.situation].show(result);
    } catch (error) {
      this.fault.replaceChildren(fault(error));
    }
    this.table.removeAttribute("aria-busy");
    this.button.disabled = false;
    if (alone) {
      this.button.focus();
      document.dispatchEvent(new Event("played"));
    }
  }
}

/** A situation: the line of the table, and the messages below it. */
class Row {
  constructor(group, situation, index, form) {
    this.group = group;
    this.index = index;
    this.situation = situation;
    const { method, path, content } = situation;
    const id = `${group.name}-${index}`;
    const what = `: ${method} ${path}, ${content}`;
    this.answer = element("td", { role: "cell", "data-column": COLUMNS[1] }, expected(situation));
    this.comparison = element("td", { role: "cell", "data-column": COLUMNS[2] }, this.counterpart());
    this.button = element("button", { type: "button", class: "small", onclick: () => this.play() }, "Play", hidden(what));
    this.toggle = element(
      "button",
      { type: "button", class: "small", "aria-expanded": "false", "aria-controls": id, disabled: true, onclick: () => this.open() },
      "Messages",
      hidden(what),
    );
    this.line = element(
      "tr",
      { role: "row", class: "line" },
      element(
        "th",
        { scope: "row", role: "rowheader" },
        element("code", {}, element("b", {}, method), ` ${path}`),
        element("span", { class: "content" }, content),
      ),
      this.answer,
      this.comparison,
      element("td", { role: "cell", class: "buttons" }, this.button, this.toggle),
    );
    this.messages = element("td", { role: "cell", colspan: "4" });
    this.more = element("tr", { role: "row", class: "more", id, hidden: true }, this.messages);
    this.form = form;
  }

  counterpart() {
    if (this.situation.has_counterpart) return element("span", { class: "quiet" }, "not played");
    return element("span", { class: "quiet" }, `no counterpart: these filters do not support ${this.situation.beyond_tokens}`);
  }

  async play() {
    this.button.disabled = true;
    try {
      const { results } = await post("/api/play", { group: this.group.name, situation: this.index });
      this.show(results[0]);
      this.open(true);
      document.dispatchEvent(new Event("played"));
      const { before, response } = results[0];
      const prefix = before ? `${before} requests were sent before. ` : "";
      announce(`${prefix}Countersign answered ${response.status}, ${outcome(response).word}`);
    } catch (error) {
      this.answer.replaceChildren(fault(error));
    }
    this.button.disabled = false;
    this.button.focus();
  }

  show(result) {
    const { response, comparison } = result;
    this.result = result;
    const words = outcome(response).word;
    this.differs =
      comparison !== null && (comparison.status !== response.status || outcome(comparison).word !== words);
    this.line.classList.toggle("different", this.differs);
    this.line.classList.add("played");
    this.answer.replaceChildren(
      chip(response),
      result.is_expected ? "" : element("strong", { class: "unexpected" }, "unexpected"),
      challenges(response),
      state(response),
      element("span", { class: "why" }, this.situation.reason),
    );
    this.comparison.replaceChildren(
      ...(comparison === null
        ? [this.counterpart()]
        : [
            chip(comparison),
            this.differs ? element("span", { class: "differs" }, "differs") : "",
            challenges(comparison),
            element("span", { class: "state" }, breakable(comparison.details ?? "")),
          ]),
    );
    this.toggle.disabled = false;
    this.messages.replaceChildren(this.exchange(result));
  }

  exchange({ request, response, comparison, before }) {
    const part = (title, content) => element("div", {}, element("h4", {}, title), content);
    const parts = [part("Request", requestText(request)), part("Response of Countersign", responseText(response))];
    if (comparison) parts.push(part("Response of jwt_authn + rbac", responseText(comparison)));
    if (before) {
      parts[0].append(element("p", { class: "quiet" }, `The page sent ${before} requests before, because this one uses their responses.`));
    }
    if (this.group.name === "public") {
      const edit = () => this.form.fill(request);
      parts[0].append(element("button", { type: "button", class: "small", onclick: edit }, "Edit in the form"));
    }
    return element("div", { class: "exchange" }, parts);
  }

  open(always = false) {
    this.more.hidden = !always && !this.more.hidden;
    this.toggle.setAttribute("aria-expanded", String(!this.more.hidden));
  }
}

function expected({ expected }) {
  return element("span", { class: "quiet" }, `expected: ${expected.status}`);
}

function challenges(response) {
  const shown = values(response, "www-authenticate");
  return shown.length ? element("code", { class: "challenge" }, shown.map(shortChallenge).join(", ")) : "";
}

/** A challenge without its long parameters, which the messages show. */
function shortChallenge(challenge) {
  const short = challenge.replace(/,? *(error_description|nonce|opaque|qop|algorithm|charset|algs|resource_metadata|acr_values|max_age|scope)=("[^"]*"|[^ ,]*)/g, "");
  return short.length < challenge.length ? `${short}, …` : short;
}

/** The filter state. */
function state({ reason, rule, provider }) {
  const parts = [
    ["reason", reason],
    ["rule", rule],
    ["provider", provider],
  ].filter(([, value]) => value);
  return element(
    "span",
    { class: "state" },
    parts.flatMap(([name, value], index) => [index ? " · " : "", `${name} `, element("code", {}, value)]),
  );
}

function hidden(text) {
  return element("span", { class: "hidden" }, text);
}

/** How many responses are as expected, and how many of each status there are. */
function summarise(tables, total) {
  const results = tables.flatMap((table) => table.rows).filter((row) => row.result);
  const good = results.filter((row) => row.result.is_expected).length;
  const compared = results.filter((row) => row.result.comparison);
  const differing = compared.filter((row) => row.differs);
  const box = document.getElementById("summary");
  const verdict = good === results.length ? "as expected" : `as expected, ${results.length - good} unexpected`;
  const open = differing.filter((row) => passes(row.result.comparison) && !passes(row.result.response)).length;
  box.replaceChildren(
    element(
      "div",
      {},
      element("p", { class: "big" }, element("b", {}, `${good} of ${results.length}`), ` ${verdict}`),
      element("p", {}, "jwt_authn + rbac: ", element("b", {}, String(differing.length)), ` of ${compared.length} statuses differ`),
      open ? element("p", {}, element("b", {}, String(open)), " requests pass that Countersign denies") : "",
    ),
    bar("Countersign", results.map((row) => row.result.response)),
    bar("jwt_authn + rbac", compared.map((row) => row.result.comparison)),
  );
  box.hidden = false;
  announce(`${good} of ${results.length} responses are as expected. ${total} situations.`);
}

const passes = (response) => outcome(response).word === "passes";

/** How often each outcome is among responses, as a list and as widths. */
function bar(title, responses) {
  const counts = new Map();
  for (const response of responses) {
    const { kind, word } = outcome(response);
    const key = passes(response) ? "passes" : `${response.status} ${word}`;
    const entry = counts.get(key) ?? { kind, count: 0 };
    counts.set(key, { kind, count: entry.count + 1 });
  }
  const order = [...counts].sort(([a], [b]) => (a === "passes" ? -1 : b === "passes" ? 1 : a.localeCompare(b)));
  const items = order.map(([key, { kind, count }]) => {
    const item = element("li", {}, element("span", { class: `part ${kind}`, "aria-hidden": "true" }), `${key} `, element("b", {}, String(count)));
    return item;
  });
  const track = element(
    "div",
    { class: "track", "aria-hidden": "true" },
    order.map(([, { kind, count }]) => {
      const part = element("span", { class: kind });
      part.style.flexGrow = String(count);
      return part;
    }),
  );
  return element("div", { class: "bar" }, element("h3", {}, title), track, element("ul", {}, items));
}
