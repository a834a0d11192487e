// Light or dark, before the first paint; the key is the one under which Mantine keeps the choice.
(function () {
  var wish = "auto";
  try {
    wish = window.localStorage.getItem("mantine-color-scheme-value") || "auto";
  } catch {
    // Storage may be forbidden: then the system decides.
  }
  var dark = wish === "dark" || (wish === "auto" && window.matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.setAttribute("data-mantine-color-scheme", dark ? "dark" : "light");
})();
