// Small means to make elements. Nothing here takes markup: text is text, so what a request holds cannot become part of
// the page.

const svgNamespace = "http://www.w3.org/2000/svg";

function apply(element, props, children) {
  for (const [name, value] of Object.entries(props ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "dataset") Object.assign(element.dataset, value);
    else if (name === "value") element.value = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  append(element, children);
  return element;
}

function append(element, children) {
  for (const child of children.flat(Infinity)) {
    if (child === undefined || child === null || child === false) continue;
    element.append(child);
  }
}

/** h makes an HTML element: h("p", {class: "note", onclick: f}, "text", child). */
export function h(tag, props, ...children) {
  return apply(document.createElement(tag), props, children);
}

/** s makes an SVG element. */
export function s(tag, props, ...children) {
  return apply(document.createElementNS(svgNamespace, tag), props, children);
}

/** fill replaces what an element holds. */
export function fill(element, ...children) {
  element.replaceChildren();
  append(element, children);
  return element;
}

const shapes = {
  check: ["M4 12.5l5 5L20 6.5"],
  cross: ["M6 6l12 12", "M18 6L6 18"],
  pause: ["M8 5v14", "M16 5v14"],
  bolt: ["M13 3L5 14h6l-1 7 8-11h-6z"],
  minus: ["M6 12h12"],
  dot: ["M12 12h.01"],
  door: ["M6 21V3h12v18", "M3 21h18", "M14 12h.01"],
  copy: ["M9 9h11v11H9z", "M5 15H4V4h11v1"],
  sun: ["M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8z", "M12 2v2", "M12 20v2", "M4.9 4.9l1.4 1.4", "M17.7 17.7l1.4 1.4", "M2 12h2", "M20 12h2", "M4.9 19.1l1.4-1.4", "M17.7 6.3l1.4-1.4"],
  moon: ["M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5z"],
  half: ["M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18z", "M12 3v18", "M12 8h5", "M12 12h9", "M12 16h7"],
  left: ["M15 5l-7 7 7 7"],
  right: ["M9 5l7 7-7 7"],
  up: ["M12 19V5", "M6 11l6-6 6 6"],
  star: ["M12 3.5l2.6 5.4 5.9.8-4.3 4.1 1 5.9-5.2-2.8-5.2 2.8 1-5.9L3.5 9.7l5.9-.8z"],
};

/** icon is a shape beside a word: it says nothing that the word does not. */
export function icon(name) {
  return s("svg", { class: "icon", viewBox: "0 0 24 24", "aria-hidden": "true" }, shapes[name].map((d) => s("path", { d })));
}

const verdictIcons = { "let in": "check", refused: "cross", throttled: "pause", failed: "bolt" };

/** verdict is the badge of a verdict: a shape, a word and a colour. */
export function verdict(word) {
  return h("span", { class: "verdict", dataset: { verdict: word } }, icon(verdictIcons[word] ?? "dot"), word);
}

let toast;

/** say tells the reader something in passing. */
export function say(text) {
  toast?.remove();
  toast = h("p", { class: "toast", role: "status" }, text);
  document.body.append(toast);
  const shown = toast;
  setTimeout(() => shown.remove(), 2500);
}

/** copyButton copies a text. */
export function copyButton(label, text, name) {
  return h("button", {
    type: "button", class: "button",
    onclick: async () => {
      try {
        await navigator.clipboard.writeText(text());
        say(`Copied ${name ?? label}`);
      } catch {
        say("The browser did not allow copying");
      }
    },
  }, icon("copy"), label);
}

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
const day = new Intl.DateTimeFormat(undefined, { year: "numeric", month: "short", day: "numeric" });

/** time is a moment as 05:06:07.089. */
export function time(iso) {
  const at = new Date(iso);
  return `${clock.format(at)}.${String(at.getMilliseconds()).padStart(3, "0")}`;
}

/** date is the day of a moment. */
export function date(iso) {
  return day.format(new Date(iso));
}

/** shortTime is a moment as 05:06:07. */
export function shortTime(iso) {
  return clock.format(new Date(iso));
}

/** duration is a number of microseconds as people read it. */
export function duration(us) {
  if (us < 1000) return `${us} µs`;
  if (us < 1e6) return `${(us / 1000).toFixed(us < 10000 ? 2 : us < 100000 ? 1 : 0)} ms`;
  return `${(us / 1e6).toFixed(2)} s`;
}

/** count is a number with separators. */
export function count(n) {
  return n.toLocaleString("en");
}

/** bytes is a size. */
export function bytes(n) {
  if (n < 1024) return `${n} B`;
  return n < 1 << 20 ? `${(n / 1024).toFixed(1)} KiB` : `${(n / (1 << 20)).toFixed(1)} MiB`;
}

/** reduce keeps one of many calls in a row: the last, at the next frame. */
export function reduce(f) {
  let asked = false;
  return () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      f();
    });
  };
}
