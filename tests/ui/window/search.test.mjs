import assert from "node:assert/strict";
import { test } from "node:test";
import { matching } from "../../../assets/window/search.js";

const entry = (kind, name, caption = "") => ({ kind, name, caption, id: name });
const ENTRIES = [entry("run", "Spring sale"), entry("dataset", "Märkte", "12 conversations"), entry("run", "Second spring"), entry("model", "Qwen3-4B")];
const found = (text, kind) => matching(ENTRIES, text, kind).map(({ name }) => name);

test("nothing typed finds everything of the kind", () => {
  assert.equal(found("").length, 4);
  assert.deepEqual(found(" ", "run"), ["Spring sale", "Second spring"]);
});

test("all words have to be there, in any order, and accents need not be typed", () => {
  assert.deepEqual(found("markte"), ["Märkte"]);
  assert.deepEqual(found("CONV märk"), ["Märkte"]);
  assert.deepEqual(found("spring winter"), []);
});

test("names that begin with the first word come first, kinds can be searched for", () => {
  assert.deepEqual(found("s"), ["Spring sale", "Second spring", "Märkte"]);
  assert.deepEqual(found("sale"), ["Spring sale"]);
  assert.deepEqual(found("model"), ["Qwen3-4B"]);
});
