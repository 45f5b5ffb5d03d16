// The movie list as a person would browse it: through the private API, signed as the reader.

import { fill, h, icon } from "./dom.js";
import { link, replace } from "./route.js";
import { post } from "./store.js";

const size = 24;
const filters = [
  { name: "title_prefix", label: "Title begins with", type: "search" },
  { name: "year", label: "Year", type: "number" },
  { name: "genre", label: "Genre", type: "search" },
  { name: "director", label: "Director", type: "search" },
  { name: "actor", label: "Actor", type: "search" },
  { name: "min_rating", label: "Rated at least", type: "number" },
];
const sorts = [["", "Usual order"], ["year", "Oldest first"], ["-year", "Newest first"], ["title", "Title, A to Z"], ["-title", "Title, Z to A"], ["-rating", "Best rated first"], ["rating", "Worst rated first"]];

export function moviesView(run) {
  const view = new MoviesView(run);
  return { element: view.element, show: (params) => view.show(params) };
}

class MoviesView {
  #run;
  #pages = [""]; // the token of each page up to this one
  #asked = 0;
  #shown = "";
  #token; // of the page that follows

  constructor(run) {
    this.#run = run;
    this.fields = Object.fromEntries(filters.map((f) => [f.name, h("input", {
      id: `movie-${f.name}`, type: f.type, autocomplete: "off",
      ...(f.name === "year" ? { min: 1888, max: 9999, step: 1 } : f.type === "number" ? { min: 0.01, max: 10, step: 0.01 } : {}),
    })]));
    this.fields.sort = h("select", { id: "movie-sort", onchange: () => this.#search() }, sorts.map(([value, text]) => h("option", { value }, text)));
    this.list = h("ul", { class: "movies", "aria-label": "Movies" });
    this.state = h("div", { role: "status", class: "movies-state" });
    this.previous = h("button", { type: "button", class: "button", onclick: () => this.#turn(-1) }, icon("left"), "Previous");
    this.next = h("button", { type: "button", class: "button", onclick: () => this.#turn(1) }, "Next", icon("right"));
    this.page = h("span", { class: "muted" });
    const field = (name, label) => h("div", { class: "field" }, h("label", { for: this.fields[name].id }, label), this.fields[name]);
    this.element = h("section", { class: "view", "aria-labelledby": "movies-title" },
      h("div", { class: "view-head" }, h("h1", { id: "movies-title" }, "Movies"),
        h("p", {}, "GET /movie_list through the VPC endpoint, signed as ", h("code", {}, "reader"), ".")),
      h("form", { class: "movie-filters", role: "search", "aria-label": "Movies", onsubmit: (e) => { e.preventDefault(); this.#search(); } },
        filters.map((f) => field(f.name, f.label)), field("sort", "Order"),
        h("div", { class: "row-of" }, h("button", { type: "submit", class: "button primary" }, "Show"),
          h("button", { type: "button", class: "button", onclick: () => this.#clear() }, "Clear"))),
      this.state, this.list,
      h("nav", { class: "row-of pages", "aria-label": "Pages" }, this.previous, this.page, this.next));
  }

  show(params) {
    for (const [name, control] of Object.entries(this.fields)) control.value = params.get(name) ?? "";
    const key = this.#query().toString();
    if (key === this.#shown) return;
    this.#pages = [""];
    this.#load();
  }

  #query() {
    const query = new URLSearchParams();
    for (const [name, control] of Object.entries(this.fields)) {
      if (control.value.trim()) query.set(name, control.value.trim());
    }
    query.set("limit", size);
    return query;
  }

  #search() {
    this.#pages = [""];
    const params = Object.fromEntries(this.#query());
    delete params.limit;
    replace(link("movies", "", params));
    this.#load();
  }

  #clear() {
    for (const control of Object.values(this.fields)) control.value = "";
    this.#search();
  }

  #turn(step) {
    if (step < 0) this.#pages.pop();
    else this.#pages.push(this.#token);
    this.#load();
    document.getElementById("main").scrollTop = 0;
  }

  async #load() {
    const asked = ++this.#asked;
    const query = this.#query();
    this.#shown = query.toString();
    if (this.#pages.at(-1)) query.set("next", this.#pages.at(-1));
    this.list.setAttribute("aria-busy", "true");
    const api = this.#run.apis.find((a) => a.routes.some((r) => r.path === "/movie_list"));
    try {
      const outcome = await post("/api/try", this.#run.token, { caller: "reader", door: api.private ? "vpce" : "public", stage: api.stage, method: "GET", path: `/movie_list?${encode(query)}` });
      if (asked === this.#asked) this.#show(outcome);
    } catch (error) {
      if (asked === this.#asked) this.#showError(error.message, undefined);
    } finally {
      this.list.removeAttribute("aria-busy");
    }
  }

  #show(outcome) {
    let answer;
    try {
      answer = JSON.parse(outcome.body?.text ?? "");
    } catch {
      this.#showError(`The API answered ${outcome.status}, and no list.`, outcome.n);
      return;
    }
    if (outcome.status !== 200) {
      this.#showError(answer.error?.message ?? answer.message ?? answer.Message ?? `The API answered ${outcome.status}.`, outcome.n);
      return;
    }
    this.#token = answer.NextToken;
    fill(this.list, answer.Items.map(card));
    fill(this.state, answer.Items.length === 0 && h("div", { class: "empty" }, h("h2", {}, "No movie fits"), h("p", {}, "Ask for less, or for something else.")));
    this.#showPages();
  }

  #showPages() {
    this.previous.disabled = this.#pages.length < 2;
    this.next.disabled = !this.#token;
    this.page.textContent = `Page ${this.#pages.length}`;
  }

  #showError(message, n) {
    this.#token = undefined;
    fill(this.list);
    fill(this.state, h("div", { class: "note bad" }, h("p", {}, message), n && h("p", {}, h("a", { href: link("request", String(n)) }, "The way it went"))));
    this.#showPages();
  }
}

/** encode writes a query as SigV4 wants it: a space is %20. */
function encode(query) {
  return query.toString().replaceAll("+", "%20");
}

function card(movie) {
  const { info = {} } = movie;
  const minutes = info.running_time_secs ? `${Math.round(info.running_time_secs / 60)} min` : "";
  return h("li", { class: "movie card" },
    h("div", { class: "movie-head" }, h("h2", {}, movie.title), info.rating !== undefined && h("span", { class: "rating" }, icon("star"), h("span", { class: "unseen" }, "rated "), info.rating.toFixed(1))),
    h("p", { class: "muted" }, [movie.year, minutes, (info.genres ?? []).join(", ")].filter(Boolean).join(" · ")),
    info.plot && h("p", { class: "plot" }, info.plot),
    (info.directors ?? []).length > 0 && h("p", { class: "people" }, h("span", { class: "muted" }, "Directed by "), info.directors.join(", ")),
    (info.actors ?? []).length > 0 && h("p", { class: "people" }, h("span", { class: "muted" }, "With "), info.actors.slice(0, 4).join(", ")));
}
