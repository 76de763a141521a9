import assert from "node:assert/strict";
import { test } from "node:test";
import "./page.mjs";

globalThis.setTimeout = () => 0;  // nothing looks for tabs that never come
const { firstTab } = await import("../../../assets/window/tabs.js");
const isTab = (name) => ["tickets", "recipe", "training"].includes(name);

test("the address goes before what was open, and what is no tab before neither", () => {
  assert.equal(firstTab(["recipe", "training"], isTab), "recipe");
  assert.equal(firstTab(["", "training"], isTab), "training");
  assert.equal(firstTab(["nonsense", null], isTab), "tickets");
});
