// The list of requests, live. However many there are, the page holds the rows that can be seen and a few more.

import { count, date, duration, fill, h, icon, reduce, time, verdict } from "./dom.js";
import { link, read, replace } from "./route.js";

const verdicts = ["let in", "refused", "throttled", "failed"];
const margin = 8; // rows above and below those that can be seen
const narrow = window.matchMedia("(max-width: 47rem)");

/** matches says whether a request is one of those that the reader asked for. */
function matches(filter, r) {
  return (!filter.identity || r.identity === filter.identity) && (!filter.verdict || r.verdict === filter.verdict) &&
    (!filter.path || `${r.method} ${r.path}`.toLowerCase().includes(filter.path.toLowerCase()));
}

/** filterOf reads the filter of an address. */
export function filterOf(params) {
  return { identity: params.get("identity") ?? "", verdict: params.get("verdict") ?? "", path: params.get("path") ?? "" };
}

/** filtered are the requests of a filter, newest first. */
export function filtered(store, filter) {
  const all = store.summaries.filter((r) => matches(filter, r));
  all.reverse();
  return all;
}

export function requestsView(run, store) {
  const view = new RequestsView(run, store);
  return {
    element: view.element,
    show: (params) => view.show(params),
    hide: () => view.hide(),
    focus: () => view.focusActive(),
  };
}

class RequestsView {
  #run; #store;
  #filter = { identity: "", verdict: "", path: "" };
  #rows = []; // the requests that are listed, newest first
  #made = new Map(); // rows of the page, by the number of their request
  #active = 0; // the number of the request that has the focus or had it last
  #seen = 0; // the newest number when the reader was at the top
  #shown = false;
  #of = ""; // the run and the filter whose rows are made
  #kept = 0; // where the list was scrolled to

  constructor(run, store) {
    this.#run = run;
    this.#store = store;
    this.#build();
    const draw = reduce(() => this.#draw());
    this.body.addEventListener("scroll", draw, { passive: true });
    new ResizeObserver(draw).observe(this.body);
    narrow.addEventListener("change", draw);
    const update = reduce(() => this.#update());
    store.addEventListener("records", update);
  }

  #build() {
    this.path = h("input", { type: "search", id: "filter-path", placeholder: "GET /path", autocomplete: "off", spellcheck: "false", oninput: () => this.#choose({ path: this.path.value }) });
    this.identity = h("select", { id: "filter-identity", onchange: () => this.#choose({ identity: this.identity.value }) });
    this.chips = h("div", { class: "chips", role: "group", "aria-label": "Verdict" });
    this.shownCount = h("p", { class: "muted list-count", role: "status" });
    this.rowsBox = h("div", { class: "rows", role: "rowgroup" });
    this.fresh = h("button", { type: "button", class: "button primary fresh", hidden: true, onclick: () => this.#toTop() }, icon("up"), h("span"));
    this.grid = h("div", { class: "grid", role: "grid", "aria-label": "Requests, the newest first", onkeydown: (e) => this.#key(e) },
      h("div", { role: "rowgroup", class: "grid-head" }, h("div", { role: "row", class: "row head", "aria-rowindex": 1 },
        ["Time", "Identity", "Door", "Request", "Verdict", "Status", "Duration"].map((name) =>
          h("span", { role: "columnheader", class: `c-${name.toLowerCase()}` }, name)))),
      this.rowsBox);
    this.nothing = h("div", { class: "empty" });
    this.body = h("div", { class: "list-body" }, this.grid, this.nothing);
    this.element = h("section", { class: "list", "aria-labelledby": "requests-title" },
      h("div", { class: "list-top" },
        h("h1", { id: "requests-title" }, "Requests"),
        h("div", { class: "filters", role: "search", "aria-label": "Requests" },
          h("label", { class: "unseen", for: "filter-path" }, "Method and path contain"), this.path,
          h("label", { class: "unseen", for: "filter-identity" }, "Identity"), this.identity,
          this.chips),
        this.shownCount),
      h("div", { class: "list-frame" }, this.body, this.fresh));
    this.element.addEventListener("keydown", (e) => this.#shortcut(e));
  }

  show(params) {
    this.#shown = true;
    this.#filter = filterOf(params);
    if (this.path.value !== this.#filter.path) this.path.value = this.#filter.path;
    this.body.scrollTop = this.#kept;
    this.#update();
  }

  hide() {
    this.#kept = this.body.scrollTop;
    this.#shown = false;
  }

  focusActive() {
    const row = this.#made.get(this.#active);
    row?.focus({ preventScroll: true });
    return row !== undefined;
  }

  #choose(change) {
    Object.assign(this.#filter, change);
    replace(link("requests", "", this.#filter));
    this.body.scrollTop = 0;
    this.#update();
  }

  /** update takes the store as it now is. */
  #update() {
    if (!this.#shown) return;
    this.#forget();
    const height = this.#rowHeight();
    const before = this.#rows[0]?.n ?? 0;
    this.#rows = filtered(this.#store, this.#filter);
    // Who reads further down goes on reading: what is new pushes nothing away.
    const top = this.body.scrollTop;
    const added = before ? this.#rows.findIndex((r) => r.n <= before) : 0;
    if (top > height / 2 && added > 0) {
      this.rowsBox.style.height = `${this.#rows.length * height}px`;
      this.body.scrollTop = top + added * height;
    }
    this.#showFilters();
    this.#draw();
  }

  /** forget lets go of rows that no longer hold: their links keep the filter, and another run has other requests. */
  #forget() {
    const key = `${this.#store.runs} ${link("", "", this.#filter)}`;
    if (key === this.#of) return;
    if (!this.#of.startsWith(`${this.#store.runs} `)) {
      this.#rows = [];
      this.#active = this.#seen = 0;
    }
    this.#of = key;
    this.#made.clear();
    fill(this.rowsBox);
  }

  #showFilters() {
    const names = [...new Set(this.#store.summaries.map((r) => r.identity))];
    if (this.#filter.identity && !names.includes(this.#filter.identity)) names.push(this.#filter.identity);
    names.sort();
    const key = names.join("\n");
    if (this.identity.dataset.names !== key) {
      fill(this.identity, h("option", { value: "" }, "All identities"), names.map((name) => h("option", { value: name }, name)));
      this.identity.dataset.names = key;
    }
    this.identity.value = this.#filter.identity;
    this.#showChips();
    const all = this.#store.summaries.length;
    this.shownCount.textContent = this.#rows.length === all ? `${count(all)} ${all === 1 ? "request" : "requests"}` : `${count(this.#rows.length)} of ${count(all)}`;
    this.grid.setAttribute("aria-rowcount", this.#rows.length + 1);
    this.grid.hidden = this.#rows.length === 0;
    this.nothing.hidden = this.#rows.length > 0 || !this.#store.current;
    if (!this.nothing.hidden) this.#showNothing(all);
  }

  #showChips() {
    const counts = new Map();
    for (const r of this.#store.summaries) {
      if (matches({ ...this.#filter, verdict: "" }, r)) counts.set(r.verdict, (counts.get(r.verdict) ?? 0) + 1);
    }
    if (!this.chips.firstChild) {
      fill(this.chips, verdicts.map((v) => h("button", {
        type: "button", class: "chip", dataset: { verdict: v }, onclick: () => this.#choose({ verdict: this.#filter.verdict === v ? "" : v }),
      }, verdict(v), h("span", { class: "number" }))));
    }
    for (const chip of this.chips.children) {
      chip.setAttribute("aria-pressed", String(chip.dataset.verdict === this.#filter.verdict));
      chip.lastChild.textContent = count(counts.get(chip.dataset.verdict) ?? 0);
    }
  }

  #showNothing(all) {
    const kind = all > 0 ? "filter" : "none";
    if (this.nothing.dataset.kind === kind) return;
    this.nothing.dataset.kind = kind;
    if (kind === "filter") {
      fill(this.nothing, h("h2", {}, "No request fits"), h("p", {}, "Requests have come, but none that fits what is asked for above."),
        h("button", { type: "button", class: "button", onclick: () => { this.path.value = ""; this.#choose({ identity: "", verdict: "", path: "" }); } }, "Show all requests"));
      return;
    }
    if (this.#run.recorded) {
      fill(this.nothing, h("h2", {}, "The log holds no request"), h("p", {}, "It is ", h("code", {}, this.#run.recorded), "."));
      return;
    }
    fill(this.nothing, h("h2", {}, "No request yet"),
      h("p", {}, "Each request to the API will stand here, with the reason why it was let in or refused. Send one from a terminal, or from here."),
      h("code", { class: "code" }, "bin/marquee call /movie_list"),
      this.#run.try && h("a", { class: "button primary", href: link("try") }, "Try a call"));
  }

  #rowHeight() {
    return narrow.matches ? 62 : 34;
  }

  /** draw makes the rows that can be seen. */
  #draw() {
    if (!this.#shown) return;
    const height = this.#rowHeight();
    const head = narrow.matches ? 0 : 34;
    const top = Math.max(0, this.body.scrollTop - head);
    const first = Math.max(0, Math.floor(top / height) - margin);
    const last = Math.min(this.#rows.length, Math.ceil((top + this.body.clientHeight) / height) + margin);
    this.rowsBox.style.height = `${this.#rows.length * height}px`;
    if (!this.#rows.some((r) => r.n === this.#active)) this.#active = this.#rows[0]?.n ?? 0;
    const wanted = new Map();
    for (let i = first; i < last; i++) wanted.set(this.#rows[i].n, i);
    const active = this.#rows.findIndex((r) => r.n === this.#active);
    if (active >= 0) wanted.set(this.#active, active); // the focus stays where it is, though it may be out of sight
    for (const [number, row] of this.#made) {
      if (wanted.has(number)) continue;
      row.remove();
      this.#made.delete(number);
    }
    // In the order of the list, for those who read it aloud. A row that is there already is not moved: it would lose the focus.
    let before = null;
    for (const [number, i] of [...wanted].sort((a, b) => a[1] - b[1])) {
      let row = this.#made.get(number);
      if (!row) {
        row = this.#makeRow(this.#rows[i]);
        this.#made.set(number, row);
        before ? before.after(row) : this.rowsBox.prepend(row);
      }
      before = row;
      row.style.transform = `translateY(${i * height}px)`;
      row.setAttribute("aria-rowindex", i + 2);
      row.classList.toggle("odd", (this.#rows.length - i) % 2 === 1);
      row.tabIndex = number === this.#active ? 0 : -1;
    }
    this.#showFresh();
  }

  #showFresh() {
    const newest = this.#rows[0]?.n ?? 0;
    if (this.body.scrollTop < this.#rowHeight()) this.#seen = newest;
    const fresh = this.#rows.findIndex((r) => r.n <= this.#seen);
    this.fresh.hidden = fresh <= 0;
    this.fresh.lastChild.textContent = `${count(Math.max(0, fresh))} new`;
  }

  #makeRow(r) {
    const cell = (name, ...children) => h("span", { role: "gridcell", class: `c-${name}` }, children);
    const who = r.unproven ? [r.identity, h("span", { class: "muted" }, " (unproven)")] : r.identity;
    return h("div", {
      role: "row", class: "row", dataset: { n: r.n, verdict: r.verdict },
      onclick: (e) => { if (!e.target.closest("a") && !getSelection().toString()) this.#open(r.n); },
      onfocus: () => this.#activate(r.n),
    },
    cell("time", h("time", { datetime: r.time, title: date(r.time) }, time(r.time))),
    cell("identity", h("span", { class: r.arn ? "" : "muted" }, who)),
    cell("door", r.door),
    cell("request", h("a", { href: this.#href(r.n), tabindex: "-1", title: r.why ? `${r.path}\n${r.why}` : r.path }, h("b", {}, r.method), " ", r.path), r.why && h("span", { class: "why" }, r.why)),
    cell("verdict", verdict(r.verdict)),
    cell("status", String(r.status)),
    cell("duration", duration(r.us)));
  }

  #href(number) {
    return link("request", String(number), this.#filter);
  }

  #open(number) {
    this.#active = number;
    location.hash = this.#href(number);
  }

  #activate(number) {
    if (this.#active === number) return;
    const before = this.#made.get(this.#active);
    if (before) before.tabIndex = -1;
    this.#active = number;
    const row = this.#made.get(number);
    if (row) row.tabIndex = 0;
  }

  #toTop() {
    this.body.scrollTop = 0;
    this.#move(0);
  }

  /** move puts the focus on a row and brings it into sight. */
  #move(index) {
    const i = Math.max(0, Math.min(this.#rows.length - 1, index));
    const r = this.#rows[i];
    if (!r) return;
    const height = this.#rowHeight();
    const head = narrow.matches ? 0 : 34;
    const top = this.body.scrollTop;
    if (i * height < top) this.body.scrollTop = i * height;
    else if ((i + 1) * height + head > top + this.body.clientHeight) this.body.scrollTop = (i + 1) * height + head - this.body.clientHeight;
    this.#activate(r.n);
    this.#draw();
    this.#made.get(r.n)?.focus({ preventScroll: true });
  }

  #key(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const at = this.#rows.findIndex((r) => r.n === this.#active);
    const page = Math.max(1, Math.floor(this.body.clientHeight / this.#rowHeight()) - 2);
    const to = { ArrowDown: at + 1, j: at + 1, ArrowUp: at - 1, k: at - 1, PageDown: at + page, PageUp: at - page, Home: 0, End: this.#rows.length - 1 }[event.key];
    if (to !== undefined) {
      event.preventDefault();
      this.#move(to);
    } else if (event.key === "Enter" && event.target.matches(".row")) {
      event.preventDefault();
      this.#open(this.#active);
    }
  }

  #shortcut(event) {
    if (event.key === "/" && !event.target.matches("input, select")) {
      event.preventDefault();
      this.path.focus();
    } else if (event.key === "Escape" && event.target === this.path && this.path.value) {
      event.preventDefault();
      this.path.value = "";
      this.#choose({ path: "" });
    } else if (event.key === "ArrowDown" && event.target === this.path) {
      event.preventDefault();
      this.#move(this.#rows.findIndex((r) => r.n === this.#active));
    }
  }
}

/** current is the filter that the address holds, for the view of one request. */
export function current() {
  return filterOf(read().params);
}
