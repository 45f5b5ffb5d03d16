// The run in numbers: requests a second, latency, verdicts over time.

import { count, duration, fill, h } from "./dom.js";
import { bars, key, lines, table } from "./plot.js";
import { link, replace } from "./route.js";
import { get } from "./store.js";

const windows = [["60", "Last minute"], ["600", "Last 10 minutes"], ["3600", "Last hour"], ["0", "Whole run"]];
const verdicts = [
  { name: "let in", tone: "is-ok" },
  { name: "refused", tone: "is-no", angle: 45 },
  { name: "throttled", tone: "is-warn", angle: 0 },
  { name: "failed", tone: "is-fail", angle: 90 },
];
const percentiles = [
  { name: "median", field: "p50", tone: "is-accent", dash: "" },
  { name: "90 %", field: "p90", tone: "is-warn", dash: "7 3" },
  { name: "99 %", field: "p99", tone: "is-fail", dash: "2 3" },
];

export function figuresView(run, store) {
  const view = new FiguresView(run, store);
  return { element: view.element, show: (params) => view.show(params), hide: () => view.hide() };
}

class FiguresView {
  #window = "600";
  #timer;
  #shown = false;
  #run;
  #figures;

  constructor(run, store) {
    this.#run = run;
    this.choice = h("select", { id: "figures-window", onchange: () => this.#choose(this.choice.value) }, windows.map(([value, text]) => h("option", { value }, text)));
    this.tiles = h("dl", { class: "tiles" });
    this.rate = plotCard("Requests a second");
    this.latency = plotCard("Latency");
    this.verdicts = plotCard("Verdicts over time");
    this.body = h("div", { class: "plots" }, this.tiles, this.rate.element, this.latency.element, this.verdicts.element);
    this.nothing = h("div", { class: "empty", hidden: true }, h("h2", {}, "Nothing to count"), h("p", {}, "No request came in this time."));
    this.element = h("section", { class: "view", "aria-labelledby": "figures-title" },
      h("div", { class: "view-head" }, h("h1", { id: "figures-title" }, "Figures"),
        h("div", { class: "inline-field" }, h("label", { for: "figures-window" }, "Of the"), this.choice)),
      this.body, this.nothing);
    new ResizeObserver(() => this.#draw()).observe(this.element);
    store.addEventListener("records", () => this.#soon());
  }

  show(params) {
    this.#shown = true;
    const wanted = params.get("seconds") ?? (this.#run.recorded ? "0" : "600");
    this.#window = windows.some(([value]) => value === wanted) ? wanted : "600";
    this.choice.value = this.#window;
    this.#load();
  }

  hide() {
    this.#shown = false;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #choose(value) {
    this.#window = value;
    replace(link("figures", "", { seconds: value }));
    this.#load();
  }

  /** soon keeps up with what comes, once a second at most. */
  #soon() {
    if (!this.#shown || this.#timer) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#load();
    }, 1000);
  }

  async #load() {
    try {
      this.#figures = await get(`/api/figures?seconds=${this.#window}`);
    } catch {
      return; // the next record asks again
    }
    this.#draw();
  }

  #draw() {
    const f = this.#figures;
    if (!f || !this.#shown) return;
    const none = f.total.count === 0;
    this.nothing.hidden = !none;
    this.body.hidden = none;
    if (none) return;
    const times = f.buckets.map((b) => b.time);
    const share = (n) => `${Math.round((100 * n) / f.total.count)} %`;
    const got = (name) => f.total.verdicts[name] ?? 0;
    fill(this.tiles, tile("Requests", count(f.total.count)), tile("Let in", share(got("let in"))), tile("Refused", share(got("refused"))),
      tile("Throttled or failed", share(got("throttled") + got("failed"))), tile("Median", duration(f.total.p50)), tile("99 %", duration(f.total.p99)));
    const span = f.step_seconds === 1 ? "second" : `${f.step_seconds} seconds`;
    const rates = [{ name: "requests a second", tone: "is-accent", values: f.buckets.map((b) => b.count / f.step_seconds) }];
    const busiest = Math.max(...rates[0].values);
    this.rate.show(bars, { name: "Requests a second", description: `By ${span}. The most is ${decimal(busiest)} a second.`, times, series: rates, format: decimal }, false);
    this.latency.show(lines, { name: "Latency", description: `The median, 90th and 99th percentile of each ${span}. Of all: ${duration(f.total.p50)}, ${duration(f.total.p90)}, ${duration(f.total.p99)}.`,
      times, series: percentiles.map((p) => ({ ...p, values: f.buckets.map((b) => b[p.field]) })), format: (us) => duration(Math.round(us)) }, true);
    this.verdicts.show(bars, { name: "Verdicts over time", description: `Requests of each ${span}: ${verdicts.map((v) => `${count(got(v.name))} ${v.name}`).join(", ")}.`,
      times, series: verdicts.map((v) => ({ ...v, values: f.buckets.map((b) => b.verdicts[v.name] ?? 0) })), format: (n) => count(Math.round(n * 100) / 100) }, true);
  }
}

function decimal(n) {
  return n >= 10 || n === 0 ? String(Math.round(n)) : String(Math.round(n * 100) / 100);
}

function tile(name, value) {
  return h("div", { class: "tile" }, h("dt", {}, name), h("dd", {}, value));
}

/** plotCard is a plot with its key and its table, which stays open when the numbers change. */
function plotCard(title) {
  const place = h("div", { class: "plot-place" });
  const legend = h("div");
  const numbers = h("div");
  return {
    element: h("section", { class: "card" }, h("div", { class: "panel-head" }, h("h2", {}, title), legend), place, numbers),
    show(draw, plot, withKey) {
      const width = Math.max(260, Math.floor(place.clientWidth));
      const open = numbers.querySelector("details")?.open ?? false;
      fill(place, draw(width, plot));
      fill(legend, withKey && key(plot.series));
      if (open && numbers.contains(document.activeElement)) return; // somebody is reading it
      fill(numbers, table(plot.name, plot.times, plot.series, plot.format));
      numbers.firstChild.open = open;
    },
  };
}
