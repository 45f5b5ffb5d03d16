// A call as anybody, through any door, right or wrong on purpose. The server signs it: keys never come here.

import { bytes, fill, h, icon, verdict } from "./dom.js";
import { jsonBlock } from "./json.js";
import { link, replace } from "./route.js";
import { get, post } from "./store.js";

const withBody = ["POST", "PUT", "PATCH"];

export function tryView(run) {
  const view = new TryView(run);
  return { element: view.element, show: (params) => view.show(params) };
}

class TryView {
  #run;
  #api; // of the chosen stage

  constructor(run) {
    this.#run = run;
    const choice = (id, options, onchange) => h("select", { id, name: id, onchange: onchange ?? (() => this.#changed()) }, options.map(([value, text]) => h("option", { value }, text)));
    this.caller = choice("try-caller", [...run.callers.map((c) => [c.name, c.name]), ["", "nobody (unsigned)"]]);
    this.door = choice("try-door", run.doors.map((d) => [d.name, d.label]));
    this.stage = choice("try-stage", run.apis.map((a) => [`${a.id}/${a.stage}`, `${a.id}/${a.stage}`]), () => { this.#showRoutes(); this.#changed(); });
    this.route = h("select", { id: "try-route", onchange: () => this.#takeRoute() });
    this.method = choice("try-method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"].map((m) => [m, m]));
    this.path = h("input", { id: "try-path", required: true, autocomplete: "off", spellcheck: "false", pattern: "/.*", title: "a path that begins with a slash", oninput: () => this.#changed(), class: "mono" });
    this.body = h("textarea", { id: "try-body", rows: 7, spellcheck: "false", oninput: () => this.#changed() });
    this.type = h("input", { id: "try-type", autocomplete: "off", value: "application/json" });
    this.headers = h("textarea", { id: "try-headers", rows: 2, spellcheck: "false", placeholder: "If-Match: *" });
    this.key = choice("try-key", [["", "none"], ...(run.api_keys ?? []).map((k) => [k, k])]);
    this.fault = choice("try-fault", (run.faults ?? []).map((f) => [f.name, f.label]));
    this.send = h("button", { type: "submit", class: "button primary" }, "Send the call");
    this.result = h("section", { class: "card try-result", "aria-live": "polite", "aria-label": "What came of it" });
    this.#build();
    this.#showRoutes();
    this.#showNothing();
  }

  #build() {
    const field = (label, control, extra) => h("div", { class: `field ${extra ?? ""}` }, h("label", { for: control.id }, label), control);
    this.bodyField = h("div", { class: "field-group" }, field("Content type", this.type), field("Body", this.body));
    this.element = h("section", { class: "view try", "aria-labelledby": "try-title" },
      h("div", { class: "view-head" }, h("h1", { id: "try-title" }, "Try it"),
        h("p", {}, "A real call, signed here on the machine as whom you choose, and refused as AWS would refuse it.",
          (this.#run.documents ?? []).map((path) => [" The API's document: ", h("a", { href: path }, path.slice(1)), "."]))),
      h("div", { class: "try-columns" },
        h("form", { class: "card try-form", onsubmit: (event) => { event.preventDefault(); this.#submit(); } },
          h("div", { class: "two" }, field("Signed as", this.caller), field("Through", this.door)),
          this.#run.apis.length > 1 && field("API and stage", this.stage),
          field("Route", this.route),
          h("div", { class: "method-path" }, field("Method", this.method), field("Path, with the query", this.path)),
          this.bodyField,
          h("details", { class: "more" }, h("summary", {}, "Headers", (this.#run.api_keys ?? []).length > 0 && " and API key"),
            field("Headers, one a line", this.headers), (this.#run.api_keys ?? []).length > 0 && field("API key", this.key)),
          field("What goes wrong", this.fault),
          h("div", { class: "row-of" }, this.send)),
        this.result));
  }

  show(params) {
    if ([...params.keys()].length === 0 && this.path.value) return; // what was typed stays
    const set = (control, name) => {
      const value = params.get(name);
      if (value === null) return;
      if (control.tagName !== "SELECT" || [...control.options].some((o) => o.value === value)) control.value = value;
    };
    const api = this.#run.apis.find((a) => a.id === params.get("api") && a.stage === params.get("stage")) ?? this.#run.apis.find((a) => a.stage === params.get("stage"));
    if (api) this.stage.value = `${api.id}/${api.stage}`;
    this.#showRoutes();
    if (params.has("path")) this.caller.value = params.get("caller") ?? "";
    set(this.caller, "caller");
    set(this.door, "door");
    set(this.method, "method");
    set(this.path, "path");
    set(this.body, "body");
    set(this.fault, "fault");
    if (params.has("path")) this.route.value = this.#routeOf(this.method.value, this.path.value);
    this.#changed();
  }

  #showRoutes() {
    this.#api = this.#run.apis.find((a) => `${a.id}/${a.stage}` === this.stage.value) ?? this.#run.apis[0];
    fill(this.route, this.#api.routes.map((r) => h("option", { value: `${r.method} ${r.path}` }, `${r.method} ${r.path}`)), h("option", { value: "" }, "another path"));
    if (!this.path.value) this.#takeRoute();
  }

  #takeRoute() {
    const route = this.route.value;
    if (route) {
      const [method, path] = route.split(" ");
      this.method.value = method === "ANY" ? "GET" : method;
      this.path.value = samplePath(path);
    }
    this.#changed();
    if (route) replace(link("try", "", this.#address()));
  }

  /** routeOf is the choice that means just this call, or none. */
  #routeOf(method, path) {
    return [...this.route.options].some((o) => o.value === `${method} ${path}`) ? `${method} ${path}` : "";
  }

  #address() {
    return { caller: this.caller.value, door: this.door.value, ...(this.#run.apis.length > 1 ? { api: this.#api.id, stage: this.#api.stage } : {}), method: this.method.value, path: this.path.value, fault: this.fault.value };
  }

  #changed() {
    this.bodyField.hidden = !withBody.includes(this.method.value);
    if (location.hash.startsWith("#/try")) replace(link("try", "", this.#address()));
  }

  #showNothing() {
    fill(this.result, h("div", { class: "empty small" }, h("h2", {}, "Nothing sent yet"),
      h("p", {}, "The answer will stand here, with a link to the way that the request went.")));
  }

  #attempt() {
    const header = {};
    for (const line of this.headers.value.split("\n")) {
      const at = line.indexOf(":");
      if (at > 0) header[line.slice(0, at).trim()] = line.slice(at + 1).trim();
    }
    const sends = withBody.includes(this.method.value) && this.body.value !== "";
    if (sends && this.type.value) header["Content-Type"] = this.type.value;
    return {
      caller: this.caller.value, door: this.door.value, stage: this.#api.stage, method: this.method.value, path: this.path.value,
      ...(this.#run.apis.length > 1 ? { api: this.#api.id } : {}), header, body: sends ? this.body.value : "", api_key: this.key.value, fault: this.fault.value,
    };
  }

  async #submit() {
    this.send.disabled = true;
    try {
      const outcome = await post("/api/try", this.#run.token, this.#attempt());
      await this.#showOutcome(outcome);
    } catch (error) {
      fill(this.result, h("h2", {}, "It was not sent"), h("p", { class: "note bad" }, error.message));
    } finally {
      this.send.disabled = false;
    }
  }

  async #showOutcome(outcome) {
    const known = outcome.n ? await get(`/api/requests/${outcome.n}`).catch(() => undefined) : undefined;
    const stopped = known?.way.find((s) => s.state === "refused" && s.id !== "answer");
    fill(this.result,
      h("div", { class: "panel-head" }, h("h2", {}, outcome.status ? `Answered ${outcome.status}` : "No answer"), known && verdict(known.summary.verdict)),
      known?.record.why && h("p", { class: "note bad" }, h("b", {}, capital(stopped?.label ?? "refused")), ": ", known.record.why),
      outcome.n && h("p", {}, h("a", { class: "button", href: link("request", String(outcome.n)) }, "The way it went", icon("right"))),
      outcome.body && h("section", {}, h("h3", {}, `Body, ${bytes(outcome.body.bytes)}${outcome.body.truncated ? ", the beginning" : ""}`),
        outcome.body.binary ? h("p", { class: "muted" }, "It is no text.") : jsonBlock("The body of the answer", outcome.body.text)));
  }
}

function capital(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** samplePath puts a value for each parameter. */
function samplePath(path) {
  const values = { year: "1999", title: "The%20Matrix" };
  return path.replace(/\{([^}+]+)\+?\}/g, (_, name) => values[name] ?? "x");
}
