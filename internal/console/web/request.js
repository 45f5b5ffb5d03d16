// One request: the way that it went, and what there is to know of each step.

import { bytes, copyButton, date, duration, fill, h, icon, time, verdict } from "./dom.js";
import { block, jsonBlock } from "./json.js";
import { policyPanel } from "./policies.js";
import { current, filtered } from "./requests.js";
import { link, read, replace } from "./route.js";
import { signaturePanel } from "./signature.js";
import { get } from "./store.js";

// The reasons of these steps, once passed, are names that stand in their panels.
const named = ["client", "door", "route", "function", "answer"];

const shapes = { passed: "check", refused: "cross", "not needed": "minus", "not reached": "dot" };

export function requestView(run, store) {
  const element = h("article", { class: "view request", tabindex: "-1", "aria-label": "Request" });
  const view = { run, store, element, number: "" };
  element.addEventListener("keydown", (event) => keys(view, event));
  store.addEventListener("records", () => showNeighbours(view));
  return {
    element,
    show: (params, number) => show(view, number),
    focus: () => { element.focus({ preventScroll: true }); return true; },
  };
}

async function show(view, number) {
  if (number === view.number && view.answer) {
    draw(view); // another step of it
    return;
  }
  view.number = number;
  try {
    const answer = await get(`/api/requests/${encodeURIComponent(number)}`);
    if (view.number !== number) return; // the reader has gone on meanwhile
    view.answer = answer;
    draw(view);
  } catch (error) {
    view.answer = undefined;
    fill(view.element, h("div", { class: "empty" }, h("h1", {}, "No such request"), h("p", {}, error.message),
      h("a", { class: "button", href: link("requests", "", current()) }, icon("left"), "All requests")));
  }
}

function draw(view) {
  const inside = view.element.contains(document.activeElement); // a button that is about to be made anew, perhaps
  fill(view.element, head(view, view.answer), wayOf(view, view.answer));
  if (inside) view.element.focus({ preventScroll: true });
}

/** neighbour is the request beside this one in the list as it is filtered: -1 the newer one, 1 the older one. */
function neighbour(view, step) {
  const list = filtered(view.store, current());
  const at = list.findIndex((r) => r.n === Number(view.number));
  return at < 0 ? undefined : list[at + step];
}

function showNeighbours(view) {
  if (!view.older) return;
  view.older.disabled = !neighbour(view, 1);
  view.newer.disabled = !neighbour(view, -1);
}

function go(view, step) {
  const to = neighbour(view, step);
  if (to) location.hash = link("request", String(to.n), { ...current(), step: read().params.get("step") });
}

function keys(view, event) {
  if (event.altKey || event.ctrlKey || event.metaKey || event.target.matches("input, select, textarea")) return;
  if (event.key === "Escape") location.hash = link("requests", "", current());
  else if (event.key === "j") go(view, 1);
  else if (event.key === "k") go(view, -1);
  else return;
  event.preventDefault();
}

function head(view, { summary, record, copies }) {
  const who = summary.unproven ? `${summary.identity} (unproven)` : summary.identity;
  const fact = (name, value) => h("div", {}, h("dt", {}, name), h("dd", {}, value));
  const older = h("button", { type: "button", class: "button", onclick: () => go(view, 1), title: "Older (j)" }, icon("left"), "Older");
  const newer = h("button", { type: "button", class: "button", onclick: () => go(view, -1), title: "Newer (k)" }, "Newer", icon("right"));
  Object.assign(view, { older, newer });
  showNeighbours(view);
  return h("header", { class: "request-head" },
    h("div", { class: "request-nav" },
      h("a", { href: link("requests", "", current()), class: "back" }, icon("left"), "All requests"),
      h("div", { class: "row-of" }, older, newer)),
    h("h1", { class: "request-title" }, h("span", { class: "method" }, summary.method), " ", h("span", { class: "path" }, summary.path)),
    h("div", { class: "request-line" }, verdict(summary.verdict), h("b", { class: "status" }, String(summary.status)),
      h("span", { class: "why" }, record.why || (summary.verdict === "let in" ? "Nothing stood against it." : ""))),
    h("dl", { class: "facts" },
      fact("Identity", who), fact("Door", summary.door), fact("Time", h("time", { datetime: summary.time }, `${date(summary.time)}, ${time(summary.time)}`)),
      fact("Duration", duration(summary.us)), record.function_duration_ns && fact("In the function", duration(Math.round(record.function_duration_ns / 1000))),
      fact("Request id", h("code", {}, record.request_id))),
    h("div", { class: "row-of", role: "group", "aria-label": "Send it again" },
      h("span", { class: "muted" }, "Copy as"),
      copies.call && copyButton("marquee call", () => copies.call, "the marquee call"),
      copyButton("curl", () => copies.curl, "the curl command"),
      copies.go && copyButton("Go", () => copies.go, "the Go program"),
      view.run.try && h("a", { class: "button", href: again(view.run, summary, record) }, "Try it again")),
    copies.note && h("p", { class: "muted" }, copies.note));
}

/** again is the form, filled in with this request. */
function again(run, summary, record) {
  const target = (record.detail?.target ?? record.path).replace(/([?&])(?:X-Amz-[^&]*|[^&=]*=\[redacted\])&?/gi, "$1").replace(/[?&]$/, "");
  const [, stage, path] = /^\/+([^/?]*)(.*)$/.exec(target) ?? ["", "", target];
  const known = (run.callers ?? []).some((c) => c.name === summary.identity);
  const same = (run.callers ?? []).find((c) => c.arn === record.identity);
  return link("try", "", {
    caller: known ? summary.identity : same?.name ?? "", door: summary.door, api: record.api, stage, method: summary.method, path: path || "/",
    body: record.detail?.request_body?.truncated ? "" : record.detail?.request_body?.text,
  });
}

/** wayOf is the way as a picture. Its steps are tabs: each opens what there is to know of it. */
function wayOf(view, answer) {
  const steps = answer.way;
  const stopped = steps.find((s) => s.state === "refused");
  const wanted = read().params.get("step");
  const chosen = steps.find((s) => s.id === wanted) ?? stopped ?? steps.find((s) => s.id === "function") ?? steps.at(-1);
  const panel = h("section", { class: "card panel", role: "tabpanel", id: "step-panel", tabindex: "0" });
  const tabs = steps.map((step, i) => tab(step, steps[i + 1]));
  const choose = (i, focus) => {
    tabs.forEach((t, at) => {
      t.setAttribute("aria-selected", String(at === i));
      t.tabIndex = at === i ? 0 : -1;
    });
    if (focus) tabs[i].focus();
    panel.setAttribute("aria-labelledby", tabs[i].id);
    fill(panel, panelOf(view, answer, steps[i]));
  };
  tabs.forEach((t, i) => t.addEventListener("click", () => {
    choose(i, true);
    replace(link("request", view.number, { ...current(), step: steps[i].id }));
  }));
  const list = h("div", { class: "way", role: "tablist", "aria-label": "The way of the request", onkeydown: (event) => {
    const at = tabs.indexOf(event.target.closest("[role=tab]"));
    const to = { ArrowRight: at + 1, ArrowDown: at + 1, ArrowLeft: at - 1, ArrowUp: at - 1, Home: 0, End: tabs.length - 1 }[event.key];
    if (at < 0 || to === undefined) return;
    event.preventDefault();
    tabs[(to + tabs.length) % tabs.length].click();
  } }, tabs);
  choose(steps.indexOf(chosen));
  return [list, panel];
}

function tab(step, next) {
  const took = step.duration_ns >= 1000 ? duration(Math.round(step.duration_ns / 1000)) : "";
  return h("button", {
    type: "button", class: "step", role: "tab", id: `step-${step.id}`, "aria-controls": "step-panel",
    dataset: { state: step.state, next: next?.state ?? "" },
  },
  h("span", { class: "step-node" }, icon(shapes[step.state])),
  h("span", { class: "step-label" }, step.label),
  h("span", { class: "step-state" }, step.state, took && h("span", { class: "muted" }, ` ${took}`)),
  h("span", { class: "step-reason", title: step.reason }, breakable(step.reason)));
}

function panelOf(view, { record, summary, trimmed }, step) {
  const detail = record.detail;
  const missing = !detail && h("p", { class: "muted" }, trimmed
    ? "Details of this request are not kept any more: those of the latest requests are."
    : "Details of this request were not recorded.");
  const panels = {
    client: () => [pairs("Request", [["Method", record.method], ["Target", detail?.target ?? record.path], ["Identity", record.identity || (summary.unproven ? "not proven" : "unsigned")],
      ["Access key", record.access_key_id], ["Source address", detail?.source_ip]]), headers("Headers", detail?.request_header), body("Body", detail?.request_body)],
    door: () => [pairs("", [["Door", record.door], ["VPC endpoint", detail?.vpc_endpoint_id || (detail ? "none: the public internet" : "")], ["Host", record.host], ["API", record.api]])],
    signature: () => signaturePanel(record, step),
    endpoint_policy: () => policyPanel(record, step),
    policies: () => policyPanel(record, step),
    route: () => [pairs("", [["Route", record.route], ["Path", record.path], ...Object.entries(detail?.path_parameters ?? {}).map(([k, v]) => [`{${k}}`, v])])],
    throttle: () => [],
    validation: () => [body("Body", detail?.request_body)],
    function: () => [pairs("", [["Function", record.function], ["Duration", record.function_duration_ns && duration(Math.round(record.function_duration_ns / 1000))]]), event(detail)],
    answer: () => [pairs("", [["Status", String(record.status)], ["Error type", record.error_type]]), headers("Headers", detail?.response_header), body("Body", detail?.response_body, record.message)],
  };
  return [
    h("div", { class: "panel-head" }, h("h2", {}, capital(step.label)), h("span", { class: "state-word", dataset: { state: step.state } }, icon(shapes[step.state]), step.state)),
    step.reason && step.reason !== record.why && !(step.state === "passed" && named.includes(step.id)) && h("p", { class: step.state === "refused" ? "panel-reason is-no" : "panel-reason" }, capital(step.reason), /[.!?]$/.test(step.reason) ? "" : "."),
    step.state !== "not reached" && panels[step.id](),
    step.state !== "not reached" && missing,
  ];
}

/** breakable lets a long name be broken between its words. */
function breakable(text) {
  return text.replace(/([a-z])([A-Z])/g, "$1\u200b$2");
}

function capital(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function pairs(title, rows) {
  const known = rows.filter(([, value]) => value);
  if (known.length === 0) return null;
  return h("section", {}, title && h("h3", {}, title),
    h("table", { class: "pairs" }, h("tbody", {}, known.map(([name, value]) => h("tr", {}, h("th", { scope: "row" }, name), h("td", { class: "mono" }, value))))));
}

function headers(title, map) {
  return pairs(title, Object.entries(map ?? {}).sort().map(([name, values]) => [name, values.join(", ")]));
}

function body(title, kept, otherwise) {
  if (!kept) return otherwise ? h("section", {}, h("h3", {}, title), block(title, otherwise)) : null;
  const size = `${title}, ${bytes(kept.bytes)}${kept.truncated ? ", the beginning" : ""}`;
  return h("section", {}, h("h3", {}, size), kept.binary ? h("p", { class: "muted" }, "It is no text.") : jsonBlock(title, kept.text));
}

function event(detail) {
  if (!detail?.event_bytes) return null;
  const title = `The event, ${bytes(detail.event_bytes)}`;
  return h("section", {}, h("h3", {}, title), detail.event ? jsonBlock("The event", detail.event) : h("p", { class: "muted" }, "It is too large to be kept."));
}
