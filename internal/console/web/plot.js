// Plots as SVG, with a title, a description and a table of the same numbers. Series differ by more than colour: bars by
// their hatching, lines by their dashes.

import { h, s, shortTime } from "./dom.js";

const height = 190;
const inset = { left: 52, right: 14, top: 12, bottom: 26 };
let plots = 0;

/** niceTop is a round number at or above a value, and the step of its axis. */
export function niceTop(value) {
  if (!(value > 0)) return { top: 1, step: 1 };
  const rough = value / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((m) => m * power).find((m) => m >= rough);
  return { top: Math.ceil(value / step - 1e-9) * step, step };
}

function frame(width, name, description, { top, step }, times, format) {
  const id = `plot-${++plots}`;
  const inner = { x: inset.left, y: inset.top, w: width - inset.left - inset.right, h: height - inset.top - inset.bottom };
  const y = (v) => inner.y + inner.h - (v / top) * inner.h;
  const svg = s("svg", { class: "plot", viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-labelledby": `${id}-t ${id}-d` },
    s("title", { id: `${id}-t` }, name), s("desc", { id: `${id}-d` }, description));
  for (let v = 0; v <= top * 1.0001; v += step) {
    svg.append(s("line", { class: "grid-line", x1: inner.x, x2: inner.x + inner.w, y1: y(v), y2: y(v) }),
      s("text", { class: "axis", x: inner.x - 8, y: y(v) + 4, "text-anchor": "end" }, v === 0 ? "0" : format(v).replace(/\.0+ /, " ")));
  }
  const labels = Math.max(2, Math.min(6, Math.floor(inner.w / 110)));
  for (let i = 0; i < labels; i++) {
    const at = Math.round((i / (labels - 1)) * (times.length - 1));
    const x = inner.x + ((at + 0.5) / times.length) * inner.w;
    svg.append(s("text", { class: "axis", x, y: height - 8, "text-anchor": i === 0 ? "start" : i === labels - 1 ? "end" : "middle" }, shortTime(times[at])));
    if (times.length < 2) break;
  }
  return { svg, inner, y, id };
}

function hatchings(id, series) {
  return s("defs", {}, series.map((one, i) => s("pattern", { id: `${id}-${i}`, width: 6, height: 6, patternUnits: "userSpaceOnUse", patternTransform: `rotate(${one.angle ?? 0})` },
    s("rect", { class: `fill ${one.tone}`, width: 6, height: 6, opacity: one.angle === undefined ? 1 : 0.45 }),
    one.angle !== undefined && s("rect", { class: `fill ${one.tone}`, width: 2.5, height: 6 }))));
}

/** bars stacks series: [{name, tone, angle, values}]. */
export function bars(width, { name, description, times, series, format }) {
  const sums = times.map((_, i) => series.reduce((sum, one) => sum + one.values[i], 0));
  const { svg, inner, y, id } = frame(width, name, description, niceTop(Math.max(...sums)), times, format);
  svg.append(hatchings(id, series));
  const each = inner.w / times.length;
  const gap = Math.min(3, each * 0.2);
  times.forEach((at, i) => {
    let below = 0;
    const group = s("g", {}, s("title", {}, `${shortTime(at)}: ${series.filter((one) => one.values[i] > 0).map((one) => `${one.name} ${format(one.values[i])}`).join(", ") || "nothing"}`),
      s("rect", { x: inner.x + i * each, y: inner.y, width: each, height: inner.h, fill: "transparent" }));
    series.forEach((one, k) => {
      if (one.values[i] > 0) {
        group.append(s("rect", { x: inner.x + i * each + gap / 2, width: Math.max(1, each - gap), y: y(below + one.values[i]), height: y(below) - y(below + one.values[i]), fill: `url(#${id}-${k})` }));
      }
      below += one.values[i];
    });
    svg.append(group);
  });
  return svg;
}

/** lines draws series over the same times; null is a gap. */
export function lines(width, { name, description, times, series, format }) {
  const all = series.flatMap((one) => one.values).filter((v) => v !== null);
  const { svg, inner, y } = frame(width, name, description, niceTop(Math.max(0, ...all)), times, format);
  const x = (i) => inner.x + ((i + 0.5) / times.length) * inner.w;
  for (const one of series) {
    let path = "";
    one.values.forEach((v, i) => {
      if (v === null) return;
      path += `${path && one.values[i - 1] !== null ? "L" : "M"}${x(i).toFixed(1)} ${y(v).toFixed(1)}`;
    });
    svg.append(s("path", { class: `line ${one.tone}`, d: path, "stroke-dasharray": one.dash }));
    one.values.forEach((v, i) => {
      const alone = v !== null && (one.values[i - 1] ?? null) === null && (one.values[i + 1] ?? null) === null;
      if (alone) svg.append(s("circle", { class: `point ${one.tone}`, cx: x(i), cy: y(v), r: 3 }));
    });
  }
  return svg;
}

/** key says what the series of a plot are. */
export function key(series) {
  return h("ul", { class: "legend" }, series.map((one) => h("li", {},
    s("svg", { class: "swatch", viewBox: "0 0 22 12", width: 22, height: 12, "aria-hidden": "true" },
      one.dash !== undefined
        ? s("path", { class: `line ${one.tone}`, d: "M0 6H22", "stroke-dasharray": one.dash })
        : [hatchings(`key-${one.tone}`, [one]), s("rect", { width: 22, height: 12, fill: `url(#key-${one.tone}-0)` })]),
    one.name)));
}

/** table is a plot's numbers. */
export function table(name, times, series, format) {
  return h("details", { class: "plot-table" }, h("summary", {}, "As a table"),
    h("div", { class: "table-scroll", tabindex: "0", role: "region", "aria-label": name },
      h("table", {}, h("caption", { class: "unseen" }, name),
        h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "From"), series.map((one) => h("th", { scope: "col", class: "number" }, one.name)))),
        h("tbody", {}, times.map((at, i) => h("tr", {}, h("th", { scope: "row" }, shortTime(at)),
          series.map((one) => h("td", { class: "number" }, one.values[i] === null ? "–" : format(one.values[i])))))))));
}
