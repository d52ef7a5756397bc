// The colour scheme that the user chose. This runs before the page is painted.
"use strict";
try {
  const chosen = localStorage.getItem("theme");
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
} catch {
  // The browser stores nothing: the system's scheme is used.
}
