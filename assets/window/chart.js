/* Charts as SVG, from plot data as text (ui/charts.py); their colours are the style sheet's. */
import { draw, make, say } from "./dom.js";
import { piece } from "./live.js";
import { hover } from "./hover.js";
import { extent, short, ticks } from "./scale.js";

const FRAME = { left: 46, right: 16, top: 26, bottom: 30 };
const SMALL_FRAME = { left: 46, right: 8, top: 6, bottom: 18 };
/** Pixels around the drawing. */

/** Draw a chart into an element, and again whenever its value or its size changes; with ``id`` the program sets it too. */
export function chart(element, props, watch, id) {
  const plot = () => element.querySelector(".plot") || element;
  const redraw = () => paint(plot(), props.value);
  if (id) piece(id, element, props, redraw);
  watch("value", redraw);
  new ResizeObserver(redraw).observe(plot());
  redraw();
}

function paint(plot, value) {
  plot.replaceChildren();
  const spec = value ? JSON.parse(value) : null;
  plot.classList.toggle("plot-empty", !spec);
  const width = plot.clientWidth, height = plot.clientHeight;
  if (!spec || width < 40) return;
  const { left, right, top, bottom } = spec.small ? SMALL_FRAME : FRAME;
  const [x0, x1, y0, y1] = extent(spec);
  const area = {
    left, top, right: width - right, bottom: height - bottom, width, height, x0, x1, y0, y1,
    X: (x) => left + (x - x0) / (x1 - x0) * (width - left - right),
    Y: (y) => height - bottom - (y - y0) / (y1 - y0 || 1) * (height - top - bottom),
  };
  const svg = draw("svg", { width, height, role: "img", "aria-label": spec.label });
  paintAxes(svg, spec, area);
  if (spec.kind === "bars") paintBars(svg, spec, area); else paintLines(svg, spec, area);
  plot.append(svg);
  if (spec.kind !== "bars" && !spec.small) plot.append(legend(spec));
  hover(plot, svg, spec, area);
}

function paintAxes(svg, spec, { X, Y, left, right, bottom, width, height, x0, x1, y0, y1 }) {
  for (const tick of ticks(y0, y1, spec.small ? 3 : Math.max(3, height / 60))) {
    svg.append(draw("line", { class: "grid", x1: left, x2: right, y1: Y(tick), y2: Y(tick) }));
    svg.append(draw("text", { class: "tick", x: left - 6, y: Y(tick) + 4, "text-anchor": "end" }, short(tick)));
  }
  for (const tick of ticks(x0, x1, spec.small ? 3 : Math.max(4, width / 110))) {
    if (spec.kind !== "bars" && tick % 1) continue;  // there is no half step
    svg.append(draw("text", { class: "tick", x: X(tick), y: bottom + 15, "text-anchor": "middle" }, short(tick)));
  }
  if (spec.small) return;
  svg.append(draw("text", { class: "axis", x: right, y: height - 2, "text-anchor": "end" }, spec.x));
  svg.append(draw("text", { class: "axis", x: left - 6, y: 9, "text-anchor": "end" }, spec.y.length < 8 ? spec.y : ""));
}

function paintBars(svg, spec, { X, Y, top, bottom }) {
  const { bars, line } = spec;
  for (const { from, to, count } of bars) {
    const look = line && from >= line.x ? "column beyond" : "column";
    svg.append(draw("rect", { class: look, x: X(from) + 1, y: Y(count), width: Math.max(1, X(to) - X(from) - 2), height: Math.max(0, bottom - Y(count)), rx: 1 }));
  }
  if (!line || X(line.x) > X(bars.at(-1).to)) return;
  const isNear = X(line.x) < 200;  // then there is no room for the words at its left
  svg.append(draw("line", { class: "limit", x1: X(line.x), x2: X(line.x), y1: top, y2: bottom }));
  svg.append(draw("text", { class: "limit-text", x: X(line.x) + (isNear ? 6 : -6), y: top + 10, "text-anchor": isNear ? "start" : "end" }, line.text));
}

function paintLines(svg, spec, { X, Y, left, right }) {
  for (const level of spec.levels) {
    svg.append(draw("line", { class: "level", x1: left, x2: right, y1: Y(level.y), y2: Y(level.y) }));
    svg.append(draw("text", { class: "level-text", x: right, y: Y(level.y) - 5, "text-anchor": "end" }, level.text));
  }
  for (const { part, points, dots } of spec.series) {
    const path = points.map(([x, y], index) => `${index ? "L" : "M"}${X(x).toFixed(1)},${Y(y).toFixed(1)}`).join("");
    svg.append(draw("path", { class: `line part-${part}`, d: path }));
    const dotted = dots ? points : points.length === 1 ? points : [];  // one point makes no line
    for (const [x, y] of dotted) svg.append(draw("circle", { class: `dot part-${part}`, cx: X(x), cy: Y(y), r: dots ? 3 : 2 }));
  }
  for (const mark of spec.marks) {
    const x = X(mark.x), y = Y(mark.y), isAtEnd = x > right - 90;
    svg.append(draw("circle", { class: "best", cx: x, cy: y, r: 7 }));
    svg.append(draw("text", { class: "best-text", x: isAtEnd ? x - 12 : x + 12, y: y + 16, "text-anchor": isAtEnd ? "end" : "start" }, mark.text));
  }
}

function legend(spec) {
  const list = make("ul", "plot-legend");
  for (const { part, name, dots } of spec.series) {
    const sample = draw("svg", { width: 26, height: 10, "aria-hidden": "true" });
    sample.append(draw("line", { class: `line part-${part}`, x1: 1, x2: 25, y1: 5, y2: 5 }));
    if (dots) sample.append(draw("circle", { class: `dot part-${part}`, cx: 13, cy: 5, r: 3 }));
    list.append(say("li", "", name));
    list.lastChild.prepend(sample);
  }
  return list;
}
