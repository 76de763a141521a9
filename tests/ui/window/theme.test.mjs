import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { createContext, runInContext } from "node:vm";

const SCRIPT = readFileSync(new URL("../../../assets/window/theme.js", import.meta.url), "utf8");

/** A browser with its wishes, in which the script has run. */
function browser({ stored = null, systemIsDark = false, isPrivate = false } = {}) {
  const kept = { "ticket-tuner-theme": stored }, heard = {}, system = { matches: systemIsDark, addEventListener: (_, call) => { system.changed = call; } };
  const root = { dataset: {}, style: {} };
  const refuse = () => { throw new Error("private"); };
  const page = createContext({
    matchMedia: () => system,
    localStorage: isPrivate ? { getItem: refuse, setItem: refuse } : { getItem: (key) => kept[key], setItem: (key, value) => { kept[key] = value; } },
    addEventListener: (name, call) => { heard[name] = call; },
    document: { documentElement: root, body: null, addEventListener: (name, call) => { heard[name] = call; } },
  });
  runInContext(SCRIPT, page);
  return { root, kept, heard, system, press: () => heard.click({ target: { closest: () => true } }) };
}

test("the page begins as was chosen, or as the system is", () => {
  assert.equal(browser({ stored: "dark" }).root.dataset.theme, "dark");
  assert.equal(browser({ stored: "light", systemIsDark: true }).root.style.colorScheme, "light");
  assert.equal(browser({ systemIsDark: true }).root.dataset.theme, "dark");
});

test("the button changes it and the browser remembers, where it remembers anything", () => {
  const open = browser({ systemIsDark: true });
  open.press();
  assert.deepEqual([open.root.dataset.theme, open.kept["ticket-tuner-theme"]], ["light", "light"]);
  const hidden = browser({ isPrivate: true });
  hidden.press();
  assert.equal(hidden.root.dataset.theme, "dark");
  hidden.press();
  assert.equal(hidden.root.dataset.theme, "light");
});

test("the system and other pages are followed", () => {
  const open = browser();
  open.system.matches = true;
  open.system.changed();
  assert.equal(open.root.dataset.theme, "dark");
  open.heard.storage({ key: "ticket-tuner-theme", newValue: "light" });
  assert.equal(open.root.dataset.theme, "light");
});
