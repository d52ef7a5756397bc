// Starts the parts of the page.
import { element, fault, get } from "./elements.js";
import { startCounters } from "./counters.js";
import { startForm } from "./form.js";
import { startSituations } from "./situations.js";

const theme = document.getElementById("theme");
const chosen = document.documentElement.dataset.theme ?? "auto";
theme.querySelector(`[value=${chosen}]`).checked = true;
theme.addEventListener("change", ({ target }) => {
  if (target.value === "auto") {
    localStorage.removeItem("theme");
    delete document.documentElement.dataset.theme;
  } else {
    localStorage.setItem("theme", target.value);
    document.documentElement.dataset.theme = target.value;
  }
});

startCounters();
try {
  const page = await get("/api/page");
  const form = startForm(page);
  startSituations(page, form);
} catch (error) {
  document.getElementById("groups").replaceChildren(element("div", {}, fault(error)));
}
