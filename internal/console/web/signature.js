// Two canonical requests beside each other, and the first line on which they part.

import { h, icon } from "./dom.js";
import { block } from "./json.js";

/** meanings says what each line of a canonical request is. */
export function meanings(lines) {
  const blank = lines.indexOf("", 3);
  return lines.map((_, i) => {
    if (i < 3) return ["method", "path", "query"][i];
    if (blank < 0 || i < blank) return "header";
    return ["", "signed headers", "body hash"][i - blank] ?? "";
  });
}

/** marked splits a line into what both have and what differs. */
function marked(line, other) {
  let start = 0;
  while (start < line.length && line[start] === other[start]) start++;
  let end = 0;
  while (end < line.length - start && end < other.length - start && line.at(-1 - end) === other.at(-1 - end)) end++;
  if (start === 0 && end === 0) return [h("mark", {}, line)];
  const middle = line.slice(start, line.length - end);
  return [line.slice(0, start), middle ? h("mark", {}, middle) : h("mark", { class: "gap", title: "here something is missing" }, "‸"), line.slice(line.length - end)];
}

function column(title, lines, others, first) {
  const kinds = meanings(lines);
  return h("div", { class: "side" }, h("h3", {}, title),
    h("ol", { class: "lines code", tabindex: "0", "aria-label": title }, lines.map((line, i) => {
      const differs = i === first;
      const text = differs ? marked(line, others[i] ?? "") : line;
      return h("li", { class: differs ? "differs" : line === others[i] ? "" : "later" },
        h("span", { class: "line-kind" }, kinds[i]),
        h("span", { class: "line-text" }, line === "" && !differs ? h("span", { class: "muted" }, "(empty)") : text),
        differs && h("span", { class: "line-flag" }, icon("cross"), "first difference"));
    })));
}

/** sideBySide shows what the gateway and what the client signed. */
export function sideBySide(server, client) {
  const a = server.split("\n");
  const b = client.split("\n");
  let first = a.findIndex((line, i) => line !== b[i]);
  if (first < 0 && a.length !== b.length) first = a.length;
  return h("div", { class: "sides" },
    column("What the gateway computed", a, b, first),
    column("What the client signed", b, a, first));
}

function differences(mismatch) {
  return (mismatch?.differences ?? []).filter((d) => d.why);
}

/** signaturePanel is what there is to know of the signature. */
export function signaturePanel(record, step) {
  const detail = record.detail ?? {};
  const server = record.canonical_request;
  if (!server) {
    return [
      detail.canonical_request && h("section", {}, h("h3", {}, "What was signed"), oneSide(detail.canonical_request, "The canonical request")),
      step.state === "refused" && record.message && h("section", {}, h("h3", {}, "What AWS says"), block("What AWS says", record.message)),
    ];
  }
  const found = differences(detail.mismatch);
  const client = detail.mismatch?.client;
  const same = client === server;
  return [
    found.length > 0
      ? h("div", { class: "note bad" }, found.map((d) => h("p", {}, h("b", {}, d.line ? `${d.part}${d.name ? ` ${d.name}` : ""}, line ${d.line}: ` : `${d.part}: `), d.why, ".")))
      : h("div", { class: "note bad" }, h("p", {}, suspicion(record, server))),
    client && !same ? sideBySide(server, client) : h("section", {}, h("h3", {}, "What the gateway computed"), oneSide(server, "The canonical request that the gateway computed")),
    record.string_to_sign && h("details", {}, h("summary", {}, "The string to sign"), block("The string to sign", record.string_to_sign)),
    !client && h("p", { class: "muted" }, "To see what the client signed, save what it logs or sent and give it to ", h("code", {}, "marquee explain"), "."),
  ];
}

function oneSide(text, name) {
  const lines = text.split("\n");
  const kinds = meanings(lines);
  return h("ol", { class: "lines code", tabindex: "0", "aria-label": name }, lines.map((line, i) => h("li", {},
    h("span", { class: "line-kind" }, kinds[i]),
    h("span", { class: "line-text" }, line === "" ? h("span", { class: "muted" }, "(empty)") : line))));
}

/** suspicion says where to look when no known mistake yields the signature. */
function suspicion(record, server) {
  const [, path, query] = server.split("\n");
  const looks = [];
  if (record.detail?.request_body) looks.push("the body, whose hash is the last line");
  if (query) looks.push("the query, line 3");
  if (path.includes("%")) looks.push("the path, line 2");
  const where = looks.length ? ` Then look at ${looks.join(", at ")}: something on the way may have changed it.` : "";
  return `None of the mistakes that clients are known to make yields this signature. Most likely the secret is not that of ${record.access_key_id ?? "the key"}.${where}`;
}

