import assert from "node:assert/strict";
import { test } from "node:test";
import "./page.mjs";

globalThis.MutationObserver = class { observe() {} };
const { beside } = await import("../../../assets/window/lists.js");
const rows = [["term 1", "mask 1", "allow 1"], ["ticket"], ["term 2", "allow 2"]];

test("up and down go from row to row of a table, left and right from button to button", () => {
  assert.equal(beside(rows, "term 1", "ArrowRight"), "mask 1");
  assert.equal(beside(rows, "mask 1", "ArrowLeft"), "term 1");
  assert.equal(beside(rows, "allow 1", "ArrowDown"), "ticket");
  assert.equal(beside(rows, "ticket", "ArrowDown"), "term 2");
  assert.equal(beside(rows, "allow 2", "Home"), "term 1");
  assert.equal(beside(rows, "term 1", "End"), "term 2");
});

test("a key that leads out of a table leads nowhere", () => {
  assert.equal(beside(rows, "term 1", "ArrowUp"), undefined);
  assert.equal(beside(rows, "term 2", "ArrowDown"), undefined);
  assert.equal(beside(rows, "allow 1", "ArrowRight"), undefined);
  assert.equal(beside(rows, "term 1", "x"), undefined);
});
