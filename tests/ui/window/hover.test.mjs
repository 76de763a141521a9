import assert from "node:assert/strict";
import { test } from "node:test";
import "./page.mjs";

const { under } = await import("../../../assets/window/hover.js");
const X = (x) => 10 * x;

test("under the pointer is the nearest step, with the lines that have it", () => {
  const spec = { x: "step", series: [{ name: "training", points: [[1, 2], [2, 1.5]] }, { name: "held-out", points: [[2, 1.7512]] }] };
  assert.deepEqual(under(spec, X, 12), [1, ["step 1", "training 2"]]);
  assert.deepEqual(under(spec, X, 900), [2, ["step 2", "training 1.5", "held-out 1.75"]]);
  assert.deepEqual(under({ series: [{ name: "training", points: [] }] }, X, 12), [null, []]);
});

test("under the pointer is the bar that reaches there, and nothing beside them", () => {
  const spec = { kind: "bars", x: "tokens", y: "conversations", bars: [{ from: 0, to: 8, count: 3 }] };
  assert.deepEqual(under(spec, X, 79), [4, ["0 to 8 tokens", "3 conversations"]]);
  assert.deepEqual(under(spec, X, 80), [null, []]);
});
