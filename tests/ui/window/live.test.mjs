import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import "./page.mjs";

globalThis.addEventListener = () => {};
const { live, piece } = await import("../../../assets/window/live.js");
const settled = () => new Promise(setImmediate);

/** What the program answers by path, and what was asked for. */
let answers, asked, reloads;

beforeEach(() => {
  [answers, asked, reloads] = [{}, [], 0];
  delete document.documentElement.dataset.ended;
  globalThis.location = { reload: () => { reloads += 1; } };
  globalThis.fetch = async (path, { body } = {}) => {
    asked.push([path, body && JSON.parse(body)]);
    if (!answers[path]) throw new TypeError("nobody is there");
    return { ok: true, status: 200, json: async () => answers[path] };
  };
  const page = { dataset: { page: "page-1", version: "a" } }, said = { append() {}, setAttribute() {} };
  document.querySelector = (selector) => ({ "#live [data-page]": page, ".gradio-container": said })[selector] ?? null;
  document.createElement = () => ({ ...said });
});

function aPiece({ isShown = true } = {}) {
  return { isConnected: true, getClientRects: () => (isShown ? [1] : []), contains: () => false };
}
function answer(more = {}) {
  return { program: "one", begun: true, version: "a", wait: 4, values: {}, marks: {}, title: { run: "", text: "" }, ...more };
}
async function after(timers, milliseconds) {
  timers.tick(milliseconds);
  for (let turn = 0; turn < 5; turn += 1) await settled();
}

test("a page asks under its name for the pieces that are seen, and sets what is sent", async ({ mock: { timers } }) => {
  timers.enable({ apis: ["setTimeout"] });
  const props = { value: "old" }, drawn = [];
  piece("status-bar", aPiece(), props, () => drawn.push(props.value));
  piece("run-log", aPiece({ isShown: false }), {});
  answers["./live"] = answer({ values: { "status-bar": "new" }, marks: { "status-bar": "m1" } });
  let changes = 0;
  live(() => { changes += 1; });
  await after(timers, 2000);
  const [[, first]] = asked;
  assert.deepEqual([first.page, first.marks, first.looks], ["page-1", { "status-bar": "" }, 1]);
  assert.deepEqual([props.value, drawn, changes], ["new", ["new"], 0]);
  answers["./live"] = answer({ version: "b" });
  await after(timers, 4000);
  assert.deepEqual(asked[1][1].marks, { "status-bar": "m1" });
  assert.equal(changes, 1);
});

test("what cannot be drawn does not end the asking", async ({ mock: { timers } }) => {
  timers.enable({ apis: ["setTimeout"] });
  const failed = [];
  globalThis.reportError = (error) => failed.push(error.message);
  piece("status-bar", aPiece(), {}, () => { throw new Error("no such chart"); });
  answers["./live"] = answer({ values: { "status-bar": "new" }, marks: { "status-bar": "m1" } });
  live(() => {});
  await after(timers, 2000);
  assert.deepEqual(failed, ["no such chart"]);
  answers["./live"] = answer();
  await after(timers, 4000);
  assert.equal(asked.length, 2);
});

test("an end is told when nobody has answered twice, and the page begins again when the program is back", async ({ mock: { timers } }) => {
  timers.enable({ apis: ["setTimeout"] });
  live(() => {});
  await after(timers, 2000);
  assert.equal(document.documentElement.dataset.ended, undefined);
  await after(timers, 1500);
  assert.equal(document.documentElement.dataset.ended, "yes");
  answers["./manifest.json"] = {};
  await after(timers, 1500);
  assert.equal(reloads, 1);
});
