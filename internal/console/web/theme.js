// The theme is set before the page is painted, so that it does not flash. "system" leaves it to the reader's machine.
document.documentElement.dataset.theme = (() => {
  try {
    const kept = localStorage.getItem("marquee-theme");
    return kept === "light" || kept === "dark" ? kept : "system";
  } catch {
    return "system"; // storage is switched off
  }
})();
