import assert from "node:assert/strict";
import { test } from "node:test";
import { stepped } from "../../../assets/window/steps.js";

const RATE = { step: "double", low: 1e-6, high: 0.01 };
const LENGTH = { step: 64, low: 64, high: 4096, whole: true };

test("a learning rate is doubled and halved, with comma or point", () => {
  assert.equal(stepped("0.0002", RATE, true), "0.0004");
  assert.equal(stepped("0,0002", RATE, false), "0.0001");
  assert.equal(stepped("2e-4", RATE, true), "0.0004");
});

test("a step ends at the range", () => {
  assert.equal(stepped("0.009", RATE, true), "0.01");
  assert.equal(stepped("64", LENGTH, false), "64");
  assert.equal(stepped("4090", LENGTH, true), "4096");
});

test("whole numbers stay whole, and what is no number stays as it is", () => {
  assert.equal(stepped("1000.4", LENGTH, true), "1064");
  for (const text of ["", "  ", "many", "1.2.3"]) assert.equal(stepped(text, RATE, true), null);
});
