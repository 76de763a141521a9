/* The scales of a chart: round numbers for its axes, and how they are written. */

/** About ``wanted`` round numbers from low to high: multiples of 1, 2, 2.5 or 5 times a power of ten. */
export function ticks(low, high, wanted) {
  const raw = (high - low || 1) / wanted, power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= raw * 0.999);
  const found = [];
  for (let tick = Math.ceil(low / step - 1e-9) * step; tick <= high + step * 1e-9; tick += step) found.push(+tick.toPrecision(10));
  return found;
}

/** The lowest line of a scale from 0 on, of about so many parts, that a value is not above. */
export function roof(value, parts) {
  const [, step] = ticks(0, value || 1, parts);
  return +(Math.ceil((value || 1) / step - 1e-9) * step).toPrecision(10);
}

/** A number with three digits at most: 12.3k, 0.123, 2e−4. */
export function short(value) {
  const size = Math.abs(value);
  if (size >= 1e4) return `${+(value / 1e3).toPrecision(3)}k`;
  if (size > 0 && size < 1e-2) return value.toExponential(value.toExponential(1).includes(".0") ? 0 : 1).replace("e-", "e−");
  return String(+value.toPrecision(3));
}

/** Return [x0, x1, y0, y1] that a chart shows; plot data as ui/charts.py gives them. */
export function extent(spec) {
  if (spec.kind === "bars") {
    return [spec.bars[0].from, spec.bars.at(-1).to, 0, Math.max(...spec.bars.map((bar) => bar.count))];
  }
  const points = spec.series.flatMap((line) => line.points);
  const xs = points.map(([x]) => x), ys = [...points.map(([, y]) => y), ...spec.levels.map((level) => level.y)];
  const x0 = Math.min(...xs, 0), low = spec.zero ? 0 : Math.min(...ys), high = Math.max(...ys, spec.top ?? -Infinity);
  const x1 = Math.max(...xs, spec.end || -Infinity, x0 + 1);
  if (spec.zero) return [x0, x1, 0, roof(high, spec.small ? 3 : 5)];  // stays as it is while a curve falls
  // A curve of one height, or nearly, still gets a scale whose labels differ.
  const pad = Math.max((high - low) * 0.08, Math.abs(high) * 0.01 || 0.08);
  return [x0, x1, low >= 0 ? Math.max(0, low - pad) : low - pad, high + pad];
}
