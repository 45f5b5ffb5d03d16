// JSON as people read it.

import { h } from "./dom.js";

const token = /"(?:[^"\\]|\\.)*"(\s*:)?|\b(?:true|false|null)\b|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/** coloured is JSON text with its keys, strings and words told apart. */
export function coloured(text) {
  const out = [];
  let at = 0;
  for (const match of text.matchAll(token)) {
    out.push(text.slice(at, match.index));
    at = match.index + match[0].length;
    if (match[1] !== undefined) {
      out.push(h("span", { class: "json-key" }, match[0].slice(0, -match[1].length)), match[1]);
    } else {
      out.push(h("span", { class: match[0][0] === '"' ? "json-string" : "json-word" }, match[0]));
    }
  }
  out.push(text.slice(at));
  return out;
}

/** block is a scrollable block of text; its name is what it is called where it is read aloud. */
export function block(name, text) {
  return h("pre", { class: "code", tabindex: "0", role: "region", "aria-label": name }, text);
}

/** jsonBlock shows a value, or a text that may be JSON. */
export function jsonBlock(name, value) {
  let text = value;
  if (typeof value === "string") {
    try {
      text = JSON.stringify(JSON.parse(value), null, 2);
    } catch {
      return block(name, value); // cut off, or another kind of text
    }
  } else {
    text = JSON.stringify(value, null, 2);
  }
  return block(name, coloured(text));
}
