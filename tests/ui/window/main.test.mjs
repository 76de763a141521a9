import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import "./page.mjs";

const UI = new URL("../../../ui/", import.meta.url);
globalThis.window = globalThis;
globalThis.requestAnimationFrame = () => 0;
globalThis.MutationObserver = class { observe() {} };
document.body = {};
globalThis.setTimeout = () => 0;
await import("../../../assets/window/main.js");

test("the page's pieces find everything that they call", () => {
  const python = readdirSync(UI, { recursive: true }).filter((file) => file.endsWith(".py"));
  const called = python.flatMap((file) => [...readFileSync(new URL(file, UI), "utf8").matchAll(/ticketTuner\.(\w+)/g)]);
  const names = new Set(called.map(([, name]) => name));
  assert.ok(names.has("actions") && names.has("chart"));
  for (const name of names) assert.equal(typeof window.ticketTuner[name], "function", name);
});
