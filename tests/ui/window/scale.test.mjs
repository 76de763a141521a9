import assert from "node:assert/strict";
import { test } from "node:test";
import { extent, roof, short, ticks } from "../../../assets/window/scale.js";

const line = (points) => ({ points });

test("ticks are round, within the range, and about as many as wanted", () => {
  assert.deepEqual(ticks(0, 10, 5), [0, 2, 4, 6, 8, 10]);
  assert.deepEqual(ticks(0.61, 1.47, 4), [0.75, 1, 1.25]);
  assert.deepEqual(ticks(0, 0.0003, 3), [0, 0.0001, 0.0002, 0.0003]);
  for (const [low, high] of [[1.4, 1.41], [0, 1e6], [-3, 2]]) {
    const found = ticks(low, high, 5);
    assert.ok(found.length >= 2 && found.length <= 8, `${low} to ${high}: ${found}`);
    assert.ok(found.every((tick) => tick >= low - 1e-9 && tick <= high + 1e-9));
  }
});

test("a curve of one height gets ticks that differ when they are written", () => {
  const [, , low, high] = extent({ kind: "lines", series: [line([[1, 2], [2, 2]])], levels: [] });
  const written = ticks(low, high, 4).map(short);
  assert.ok(low < 2 && high > 2);
  assert.equal(new Set(written).size, written.length);
});

test("numbers are written with three digits at most", () => {
  assert.deepEqual([0, 7, 1.2345, 0.0002, 0.00015, 12345, -20000].map(short), ["0", "7", "1.23", "2e−4", "1.5e−4", "12.3k", "-20k"]);
});

test("a chart shows every point and level, the steps from 0 to the end of the run, and no negative loss", () => {
  const spec = { kind: "lines", series: [line([[5, 0.01], [9, 4]])], levels: [{ y: 5 }], end: 30 };
  const [x0, x1, y0, y1] = extent(spec);
  assert.deepEqual([x0, x1, y0], [0, 30, 0]);
  assert.ok(y1 > 5);
  assert.equal(extent({ ...spec, zero: true })[2], 0);
});

test("the scale of a chart from 0 on stays as it is while the curve falls", () => {
  const at = (...losses) => extent({ kind: "lines", zero: true, series: [line(losses.map((y, x) => [x, y]))], levels: [{ y: 4.14 }], end: 45 });
  assert.deepEqual(at(4.1), at(4.1, 3.2, 1.14, 0.2));
  assert.deepEqual(at(4.1), [0, 45, 0, 5]);
  assert.equal(extent({ kind: "lines", zero: true, small: true, top: 2e-4, series: [line([[1, 5e-6]])], levels: [] })[3], 2e-4);
  for (const value of [0.003, 0.7, 7.11, 99, 1234]) assert.ok(roof(value, 5) >= value && roof(value, 5) < 1.5 * value);
});

test("bars begin at nothing", () => {
  assert.deepEqual(extent({ kind: "bars", bars: [{ from: 64, to: 128, count: 3 }, { from: 128, to: 256, count: 9 }] }), [64, 256, 0, 9]);
});
