/* The values of a chart under the pointer. */
import { draw, make, say } from "./dom.js";
import { short } from "./scale.js";

/** Show a rule and the values at it; ``area`` is what chart.js draws in. */
export function hover(plot, svg, spec, area) {
  const rule = draw("line", { class: "rule", y1: area.top, y2: area.bottom, visibility: "hidden" });
  svg.append(rule);
  const note = plot.appendChild(make("div", "plot-note"));
  const clear = () => { rule.setAttribute("visibility", "hidden"); note.classList.remove("seen"); };
  svg.addEventListener("pointerleave", clear);
  svg.addEventListener("pointermove", (event) => {
    const at = event.clientX - svg.getBoundingClientRect().left;
    const [x, rows] = under(spec, area.X, at);
    if (x === null || at < area.left - 4 || at > area.right + 4) { clear(); return; }
    for (const [name, value] of [["x1", area.X(x)], ["x2", area.X(x)], ["visibility", "visible"]]) rule.setAttribute(name, value);
    note.replaceChildren(...rows.map((row) => say("div", "", row)));
    note.classList.add("seen");
    const wide = note.offsetWidth, isBeyond = area.X(x) + 12 + wide > svg.clientWidth;
    note.style.left = `${isBeyond ? Math.max(0, area.X(x) - wide - 12) : area.X(x) + 12}px`;
    note.style.top = `${area.top + 4}px`;
  });
}

/** Return [x, lines of text] at a place in pixels; [null, []] where there is nothing. */
export function under(spec, X, at) { return spec.kind === "bars" ? underBar(spec, X, at) : underLines(spec, X, at); }

function underBar(spec, X, at) {
  const bar = spec.bars.find(({ from, to }) => at >= X(from) && at < X(to));
  return bar ? [(bar.from + bar.to) / 2, [`${bar.from} to ${bar.to} ${spec.x}`, `${bar.count} ${spec.y}`]] : [null, []];
}
function underLines(spec, X, at) {
  const all = spec.series.flatMap((line) => line.points.map(([x]) => x));
  if (!all.length) return [null, []];
  const x = all.reduce((best, candidate) => Math.abs(X(candidate) - at) < Math.abs(X(best) - at) ? candidate : best);
  const rows = spec.series.map((line) => [line.name, line.points.find((point) => point[0] === x)]).filter(([, point]) => point);
  return [x, [`${spec.x} ${x}`, ...rows.map(([name, point]) => `${name} ${short(point[1])}`)]];
}
