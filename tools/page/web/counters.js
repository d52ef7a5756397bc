// The counters of the filter, read again every two seconds.
import { element, fault, get } from "./elements.js";

const PERIOD = 2000;
/** How long a change is shown. */
const SHOWN = 8000;
const STATUSES = {
  401: ["401", "The credential is missing or invalid."],
  403: ["403", "The caller is not permitted."],
  others: ["Other statuses", "Bad requests, hidden paths, unavailable issuers."],
};

/** The last values, and the changes that are shown: `name{labels}` to a number. */
const before = new Map();
const changes = new Map();
let paused = false;
/** The elements, which stay when the values change, so that the focus stays too. */
let view;

export function startCounters() {
  const pause = document.getElementById("pause");
  pause.addEventListener("click", () => {
    paused = !paused;
    pause.setAttribute("aria-pressed", String(paused));
    if (!paused) read();
  });
  read();
  setInterval(() => !paused && !document.hidden && read(), PERIOD);
}

async function read() {
  const box = document.getElementById("series");
  try {
    const { series } = await get("/api/counters");
    const isFirst = before.size === 0;
    for (const one of series) remember(one, isFirst);
    view ??= new View(box);
    view.show(series);
    document.getElementById("read-at").textContent = `read at ${new Date().toLocaleTimeString("en-GB")}`;
  } catch (error) {
    view = undefined;
    box.replaceChildren(fault(error));
  }
}

const key = ({ name, labels }) => `${name}${JSON.stringify(labels)}`;

/** Notes by how much a series has changed. A series that appears later began at 0. */
function remember(series, isFirst) {
  const own = key(series);
  const last = before.get(own) ?? (isFirst ? series.value : 0);
  before.set(own, series.value);
  if (series.value === last) return;
  const shownUntil = Date.now() + SHOWN;
  const earlier = changes.get(own);
  const sum = earlier && earlier.shownUntil > Date.now() ? earlier.by : 0;
  changes.set(own, { by: sum + series.value - last, shownUntil });
}

class View {
  constructor(box) {
    this.tiles = element("div", { class: "tiles" });
    this.denials = Object.entries(STATUSES).map(([status, [title, about]]) => {
      const id = `denied-${status}`;
      const content = scrolling({ "aria-labelledby": id });
      const card = element("div", { class: "card" }, element("div", {}, element("h3", { id }, title), element("p", {}, about)), content);
      return { status, id, content, card };
    });
    const cards = this.denials.map(({ card }) => card);
    this.others = scrolling({ "aria-label": "Other metrics" });
    box.replaceChildren(
      this.tiles,
      element("div", { class: "denials" }, element("div", {}, cards[0]), element("div", {}, cards.slice(1))),
      element("details", { class: "card" }, element("summary", {}, "Caches, keys, lists and configurations"), this.others),
    );
  }

  show(series) {
    const named = (name) => series.filter((one) => one.name === name);
    const denied = named("denied");
    const of = (status) =>
      denied.filter(({ labels }) => (status === "others" ? !(labels.status in STATUSES) : labels.status === status));
    this.tiles.replaceChildren(
      tile("Allowed", named("allowed"), "passes"),
      tile("Denied with 401", of("401"), "s401"),
      tile("Denied with 403", of("403"), "s403"),
      tile("Denied otherwise", of("others"), "s400"),
    );
    for (const { status, id, content } of this.denials) content.replaceChildren(deniedTable(status, id, of(status)));
    const rest = series.filter(({ name }) => name !== "denied" && name !== "allowed");
    this.others.replaceChildren(otherTable(rest));
  }
}

/** A box that scrolls, and that the keyboard reaches. */
const scrolling = (label) => element("div", { class: "scroll", tabindex: "0", role: "region", ...label });

function changeOf(list) {
  const now = Date.now();
  const recent = list.map((one) => changes.get(key(one))).filter((change) => change && change.shownUntil > now);
  return recent.reduce((total, { by }) => total + by, 0);
}

function change(by) {
  if (!by) return "";
  return element("span", { class: "change" }, by > 0 ? `+${by}` : `−${-by}`);
}

function tile(title, list, kind) {
  const sum = list.reduce((total, { value }) => total + value, 0);
  return element(
    "div",
    { class: `tile ${kind}` },
    element("p", { class: "title" }, title),
    element("p", { class: "number" }, number(sum), " ", change(changeOf(list))),
  );
}

function deniedTable(status, id, list) {
  const rows = list.filter(({ value }) => value > 0).sort((a, b) => b.value - a.value);
  if (!rows.length) return element("p", { class: "quiet" }, "None yet.");
  const has = (label) => list.some(({ labels }) => label in labels);
  const columns = [
    ...(status === "others" ? [["status", ({ labels }) => code(labels.status)]] : []),
    has("reason") ? ["reason, error", reason] : ["error", ({ labels }) => code(labels.error)],
    ...["rule", "provider"].filter(has).map((label) => [label, ({ labels }) => code(labels[label])]),
  ];
  const cells = rows.map((one) => [one, columns.map(([, cell]) => cell(one))]);
  return table({ "aria-labelledby": id }, [...columns.map(([title]) => title), "requests"], cells);
}

const code = (text) => element("code", {}, !text || text === "-" ? "–" : text);

/** The reason, and the error that the client receives. */
function reason({ labels }) {
  const { reason, error } = labels;
  return [code(reason), reason === error ? "" : element("code", { class: "error" }, error)];
}

function otherTable(list) {
  const labels = (one) =>
    Object.entries(one.labels).flatMap(([name, value], index) => [index ? ", " : "", `${name} `, element("code", {}, value)]);
  return table(
    {},
    ["metric", "labels", "value"],
    list.map((one) => [one, [element("code", {}, `countersign_${one.name}`), labels(one)]]),
  );
}

/** A table, whose last column is the value of a series. */
function table(attributes, columns, rows) {
  const right = (index) => (index === columns.length - 1 ? "count" : false);
  const head = columns.map((column, index) => element("th", { scope: "col", class: right(index) }, column));
  const body = rows.map(([one, cells]) => {
    const by = changeOf([one]);
    const count = element("td", { class: "count" }, change(by), " ", element("b", {}, number(one.value)));
    return element("tr", { class: by ? "changed" : false }, cells.map((cell) => element("td", {}, ...[cell].flat())), count);
  });
  return element("table", attributes, element("thead", {}, element("tr", {}, head)), element("tbody", {}, body));
}

/** A number with separators; more than fifteen digits are not exact. */
const number = (value) => value.toLocaleString("en");
