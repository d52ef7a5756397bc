// Starts the parts of the page.
import { element, fault, get } from "./elements.js";
import { startCounters } from "./counters.js";
import { handedOver, startForm } from "./form.js";
import { startSituations } from "./situations.js";

const theme = document.getElementById("theme");
const chosen = document.documentElement.dataset.theme ?? "auto";
theme.querySelector(`[value=${chosen}]`).checked = true;
theme.addEventListener("change", ({ target }) => {
  if (target.value === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = target.value;
  try {
    localStorage.setItem("theme", target.value);
  } catch {
    // The browser stores nothing: the choice ends with the page.
  }
});

const token = handedOver();
startCounters();
try {
  const page = await get("/api/page");
  const form = startForm(page);
  if (token !== null) form.useToken(token);
  window.addEventListener("hashchange", () => {
    const token = handedOver();
    if (token !== null) form.useToken(token);
  });
  startSituations(page, form);
} catch (error) {
  document.getElementById("groups").replaceChildren(element("div", {}, fault(error)));
}
