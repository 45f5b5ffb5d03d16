// What each policy said, with the statement that decided inside its document.

import { h, icon } from "./dom.js";
import { block, coloured } from "./json.js";

const said = {
  allow: ["check", "is-ok", "allows it"],
  explicit_deny: ["cross", "is-no", "denies it"],
  implicit_deny: ["minus", "is-warn", "does not speak of it"],
};

function statements(document) {
  const list = document.Statement;
  return Array.isArray(list) ? list : [list];
}

function documentOf(opinion, title) {
  const { Statement: _, ...rest } = opinion.document;
  const [, tone] = said[opinion.decision];
  return h("div", { class: "code policy", tabindex: "0", role: "region", "aria-label": title },
    Object.keys(rest).length > 0 && h("p", { class: "muted policy-rest" }, Object.entries(rest).map(([k, v]) => `${k} ${v}`).join(", ")),
    h("ol", { class: "statements" }, statements(opinion.document).map((statement, i) => {
      const decided = i === opinion.statement;
      return h("li", { class: decided ? `statement decided ${tone}` : "statement" },
        h("p", { class: "statement-head" }, `Statement ${i + 1}`, decided && h("span", { class: `flag ${tone}` }, icon(said[opinion.decision][0]), opinion.decided ? "this statement decided" : "this statement matched")),
        h("pre", {}, coloured(JSON.stringify(statement, null, 2))));
    })));
}

function opinionCard(opinion) {
  const [shape, tone, words] = said[opinion.decision];
  const title = opinion.number ? `${opinion.kind} ${opinion.number}` : opinion.kind;
  const sid = opinion.statement >= 0 ? `statement ${opinion.statement + 1}${opinion.sid ? ` (${opinion.sid})` : ""}` : "";
  return h("details", { class: "opinion", open: opinion.decided || opinion.decision === "explicit_deny" },
    h("summary", {}, h("span", { class: "opinion-title" }, title),
      h("span", { class: `verdict ${tone}` }, icon(shape), words), sid && h("span", { class: "muted" }, sid)),
    documentOf(opinion, title));
}

/** context is what the policies were asked. */
export function context(record) {
  const detail = record.detail;
  if (!detail?.resource) return null;
  const row = (name, value) => h("tr", {}, h("th", { scope: "row" }, name), h("td", { class: "mono" }, value));
  return h("section", {}, h("h3", {}, "What the policies were asked"),
    h("table", { class: "pairs" }, h("tbody", {},
      row("Principal", record.identity || "anonymous"), row("Action", "execute-api:Invoke"), row("Resource", detail.resource),
      Object.entries(detail.context ?? {}).sort().map(([key, values]) => row(key, values.join(", "))))));
}

/** policyPanel shows the policies of a step. */
export function policyPanel(record, step) {
  const endpoint = step.id === "endpoint_policy";
  const opinions = (record.detail?.policies ?? []).filter((p) => (p.kind === "VPC endpoint policy") === endpoint);
  if (step.state === "not reached") return [];
  if (record.detail && !endpoint && !opinions.some((p) => p.kind === "identity-based policy") && record.identity) {
    return [h("p", { class: "note" }, "The caller has no identity-based policy."), opinions.map(opinionCard), context(record)];
  }
  return [
    opinions.map(opinionCard),
    step.state === "refused" && record.message && h("section", {}, h("h3", {}, "What AWS says"), block("What AWS says", record.message)),
    (opinions.length > 0 || step.state === "refused") && context(record),
  ];
}
