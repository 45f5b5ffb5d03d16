// Who may call what: identities across, routes down, and the reason behind each cell.

import { fill, h, icon } from "./dom.js";
import { link, read, replace } from "./route.js";
import { get } from "./store.js";

const outcomes = {
  allow: { shape: "check", tone: "is-ok", word: "let in" },
  fails: { shape: "bolt", tone: "is-fail", word: "let in, but fails" },
  explicit_deny: { shape: "cross", tone: "is-no", word: "denied" },
  implicit_deny: { shape: "minus", tone: "is-warn", word: "not allowed" },
  refused: { shape: "door", tone: "is-fail", word: "refused" },
};

const meanings = {
  allow: "a policy allows it, and none denies it",
  fails: "a policy allows it, and nothing runs, whoever calls",
  explicit_deny: "a statement denies it",
  implicit_deny: "nothing allows it",
  refused: "a check besides the policies: the door, the signature, the route",
};

export function matrixView(run) {
  const element = h("section", { class: "view matrix", "aria-labelledby": "matrix-title" });
  const view = { run, element, door: "" };
  return { element, show: (params) => show(view, params) };
}

async function show(view, params) {
  view.door = params.get("door") ?? "";
  if (!view.matrix) {
    try {
      view.matrix = await get("/api/matrix");
    } catch (error) {
      fill(view.element, h("div", { class: "empty" }, h("h1", { id: "matrix-title" }, "Who may call what"), h("p", {}, error.message)));
      return;
    }
  }
  draw(view);
  const wanted = params.get("cell");
  if (wanted) choose(view, view.matrix.cells.find((c) => c.door === view.door && keyOf(c) === wanted));
}

function keyOf(cell) {
  return `${cell.api} ${cell.method} ${cell.path} ${cell.identity}`;
}

function draw(view) {
  const { doors, identities } = view.matrix;
  if (!doors.some((d) => d.name === view.door)) view.door = doors[0].name;
  view.reason = h("section", { class: "card reason", "aria-live": "polite" }, h("p", { class: "muted" }, "Choose a cell: here it says why."));
  fill(view.element,
    h("div", { class: "view-head" }, h("h1", { id: "matrix-title" }, "Who may call what"),
      h("p", {}, "Each call was put to the checks that a request meets, as the template now stands.")),
    h("div", { class: "matrix-bar" }, doorChoice(view, doors), legend(view.matrix.cells)),
    h("div", { class: "table-scroll matrix-scroll", tabindex: "0", role: "region", "aria-label": "Routes and identities", onkeydown: (event) => move(view, event) }, table(view, identities)),
    view.reason);
  makeCurrent(view, view.element.querySelector(".cell"));
}

/** makeCurrent lets one cell be reached by Tab; the arrow keys lead to the others. */
function makeCurrent(view, cell) {
  for (const other of view.element.querySelectorAll(".cell")) other.tabIndex = other === cell ? 0 : -1;
}

function move(view, event) {
  const step = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] }[event.key];
  const td = event.target.closest("td");
  if (!step || !td) return;
  event.preventDefault();
  const row = view.element.querySelector(".matrix-table").tBodies[0].rows[td.parentElement.sectionRowIndex + step[0]];
  const cell = row?.cells[td.cellIndex + step[1]]?.querySelector(".cell");
  if (!cell) return;
  makeCurrent(view, cell);
  cell.focus();
}

function doorChoice(view, doors) {
  const chips = doors.map((door) => h("button", {
    type: "button", class: "chip", role: "radio", "aria-checked": String(door.name === view.door), tabindex: door.name === view.door ? "0" : "-1",
    onclick: () => { view.door = door.name; replace(link("matrix", "", { door: door.name })); draw(view); view.element.querySelector("[role=radio][aria-checked=true]").focus(); },
  }, labelOf(view.run, door)));
  return h("div", { class: "chips", role: "radiogroup", "aria-label": "Through which door", onkeydown: (event) => {
    const at = chips.indexOf(event.target);
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!step || at < 0) return;
    event.preventDefault();
    chips[(at + step + chips.length) % chips.length].click();
  } }, chips);
}

function labelOf(run, door) {
  return run.doors?.find((d) => d.name === door.name)?.label ?? door.name;
}

/** legend says what the shapes mean; the one of a template's own mistake only where there is one. */
function legend(cells) {
  const shown = Object.entries(outcomes).filter(([name]) => name !== "fails" || cells.some((c) => c.outcome === name));
  return h("ul", { class: "legend" }, shown.map(([name, o]) =>
    h("li", { title: meanings[name] }, h("span", { class: `verdict ${o.tone}` }, icon(o.shape), o.word))));
}

function table(view, identities) {
  const cells = view.matrix.cells.filter((c) => c.door === view.door);
  const rows = new Map();
  for (const cell of cells) {
    const key = `${cell.api} ${cell.stage} ${cell.method} ${cell.path}`;
    if (!rows.has(key)) rows.set(key, { cell, by: new Map() });
    rows.get(key).by.set(cell.identity, cell);
  }
  const many = view.matrix.apis.length > 1;
  return h("table", { class: "matrix-table" },
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Route"), identities.map((i) =>
      h("th", { scope: "col", title: [i.arn, ...(i.aliases ?? [])].join("\n") }, h("span", { class: "who" }, i.name), h("span", { class: "who-kind" }, i.kind))))),
    h("tbody", {}, [...rows.values()].map(({ cell, by }) => h("tr", {},
      h("th", { scope: "row" }, many && h("span", { class: "muted" }, `${cell.api} `), h("span", { class: "mono" }, h("b", {}, cell.method), " ", routePath(cell)),
        samplePath(cell)),
      identities.map((i) => h("td", {}, button(view, by.get(i.name))))))));
}

function routePath(cell) {
  return cell.route.slice(cell.route.indexOf(" ") + 1);
}

function samplePath(cell) {
  return routePath(cell) !== cell.path && h("span", { class: "sample mono" }, cell.path);
}

function button(view, cell) {
  if (!cell) return h("span", { class: "muted" }, "–");
  const o = outcomes[cell.outcome];
  return h("button", {
    type: "button", class: `cell ${o.tone}`, dataset: { key: keyOf(cell) }, title: cell.reason,
    "aria-label": `${cell.identity}, ${cell.method} ${cell.path}: ${o.word}`, "aria-pressed": "false", onclick: () => choose(view, cell),
  }, icon(o.shape));
}

function choose(view, cell) {
  if (!cell) return;
  for (const b of view.element.querySelectorAll(".cell")) {
    const chosen = b.dataset.key === keyOf(cell);
    b.setAttribute("aria-pressed", String(chosen));
    if (chosen) makeCurrent(view, b);
  }
  replace(link("matrix", "", { door: view.door, cell: keyOf(cell) }));
  const o = outcomes[cell.outcome];
  const row = (name, value) => value && h("tr", {}, h("th", { scope: "row" }, name), h("td", {}, value));
  const stage = cell.stage;
  fill(view.reason,
    h("div", { class: "panel-head" }, h("h2", {}, cell.identity, " ", h("span", { class: "mono" }, `${cell.method} ${cell.path}`)),
      h("span", { class: `verdict ${o.tone}` }, icon(o.shape), o.word)),
    h("p", { class: "panel-reason" }, cell.reason.charAt(0).toUpperCase() + cell.reason.slice(1), "."),
    h("table", { class: "pairs" }, h("tbody", {},
      row("Decided at", cell.check), row("Kind of policy", cell.policy), row("Statement", statementOf(cell.by)),
      row("Written in", cell.by?.place && h("span", { class: "mono" }, cell.by.place)), row("Status", cell.status && String(cell.status)),
      row("API key", cell.api_key_required && "needed besides"), row("Door", labelOf(view.run, { name: view.door })),
      row("Caller", h("span", { class: "mono" }, view.matrix.identities.find((i) => i.name === cell.identity)?.arn ?? cell.identity)))),
    view.run.try && h("p", {}, h("a", {
      class: "button", href: link("try", "", { caller: cell.identity === "anonymous" || !callerKnown(view.run, cell.identity) ? "" : cell.identity, door: view.door, api: view.matrix.apis.find((a) => a.logical_id === cell.api)?.id, stage, method: cell.method, path: cell.path }),
    }, "Try this call")));
}

function callerKnown(run, name) {
  return (run.callers ?? []).some((c) => c.name === name);
}

function statementOf(by) {
  if (!by) return "";
  return [`${by.statement + 1}`, by.sid && `(${by.sid})`, by.name && `of ${by.name}`].filter(Boolean).join(" ");
}
