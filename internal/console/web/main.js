// The frame around the views: the bar at the top, the address, the theme.

import { fill, h, icon } from "./dom.js";
import { figuresView } from "./figures.js";
import { matrixView } from "./matrix.js";
import { moviesView } from "./movies.js";
import { requestView } from "./request.js";
import { requestsView } from "./requests.js";
import { read } from "./route.js";
import { get, Store } from "./store.js";
import { tryView } from "./try.js";

const main = document.getElementById("main");
const themes = { system: "half", light: "sun", dark: "moon" };

function setUpTheme() {
  const button = document.getElementById("theme");
  const root = document.documentElement;
  const show = () => {
    const theme = root.dataset.theme;
    fill(button, icon(themes[theme]));
    button.setAttribute("aria-label", `Theme: ${theme}`);
    button.title = `Theme: ${theme}`;
  };
  button.addEventListener("click", () => {
    const names = Object.keys(themes);
    root.dataset.theme = names[(names.indexOf(root.dataset.theme) + 1) % names.length];
    try {
      localStorage.setItem("marquee-theme", root.dataset.theme);
    } catch {
      // Storage is switched off: the choice lasts as long as the page.
    }
    show();
  });
  show();
}

const states = {
  connecting: "Connecting", live: "Live", waiting: "Reconnecting", recorded: "Recorded",
};

function showState(store) {
  const live = document.getElementById("live");
  live.dataset.state = store.state;
  live.textContent = states[store.state];
}

/** showRun says which stack, or which log, the page is about. */
function showRun(run) {
  const stages = (run.apis ?? []).map((api) => api.stage);
  document.getElementById("about").textContent = run.recorded ? run.recorded.split("/").at(-1) : [[...new Set(stages)].join(", "), run.region].filter(Boolean).join(" · ");
}

/** hasMovies says whether the stack's API is the movie list. */
function hasMovies(run) {
  return run.try && (run.apis ?? []).some((api) => api.routes.some((r) => r.path === "/movie_list" && r.method === "GET"));
}

function makeViews(run, store) {
  const views = [
    { name: "requests", label: "Requests", make: () => requestsView(run, store) },
    { name: "request", parent: "requests", label: "Request", make: () => requestView(run, store) },
  ];
  if (run.matrix) views.push({ name: "matrix", label: "Who may call what", make: () => matrixView(run) });
  if (run.try) views.push({ name: "try", label: "Try it", make: () => tryView(run) });
  if (hasMovies(run)) views.push({ name: "movies", label: "Movies", make: () => moviesView(run) });
  views.push({ name: "figures", label: "Figures", make: () => figuresView(run, store) });
  return views;
}

function setUpViews(views) {
  const nav = document.getElementById("nav");
  fill(nav, views.filter((v) => !v.parent).map((v) =>
    h("li", {}, h("a", { href: `#/${v.name}`, dataset: { view: v.name } }, h("span", { "data-text": v.label }, v.label)))));
  let shown;
  const show = () => {
    const { view, argument, params } = read();
    const wanted = views.find((v) => v.name === view) ?? views[0];
    const moved = shown !== undefined && shown !== wanted;
    if (shown !== wanted) {
      shown?.made.hide?.();
      wanted.made ??= wanted.make();
      fill(main, wanted.made.element);
      main.scrollTop = 0;
    }
    shown = wanted;
    document.title = `${wanted.label} – Marquee`;
    for (const a of nav.querySelectorAll("a")) {
      const current = a.dataset.view === (wanted.parent ?? wanted.name);
      current ? a.setAttribute("aria-current", "page") : a.removeAttribute("aria-current");
      if (current) a.scrollIntoView({ block: "nearest", inline: "nearest" });
    }
    wanted.made.show?.(params, argument);
    // A reader who came by a link of the page hears where they are; the list puts the focus on its row itself.
    if (moved && !wanted.made.focus?.()) main.focus({ preventScroll: true });
  };
  window.addEventListener("hashchange", show);
  show();
}

async function start() {
  setUpTheme();
  // The address holds the view: the link must not replace it.
  document.getElementById("skip").addEventListener("click", (event) => {
    event.preventDefault();
    main.focus();
  });
  let run;
  try {
    run = await get("/api/run");
  } catch (error) {
    fill(main, h("div", { class: "empty" }, h("h1", {}, "The stack does not answer"), h("p", {}, String(error.message))));
    return;
  }
  const store = new Store(run);
  store.addEventListener("state", () => showState(store));
  showState(store);
  showRun(run);
  setUpViews(makeViews(run, store));
}

start();
