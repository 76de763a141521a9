import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import "./page.mjs";

globalThis.addEventListener = () => {};
const { replies } = await import("../../../assets/window/replies.js");

/** A strip as the page draws it, with so many checks. */
function strip(checks) {
  const part = (dataset) => ({ dataset, hidden: true, pressed: "", setAttribute(_, value) { this.pressed = value; } });
  const marks = Array.from({ length: checks }, (_, at) => part({ at: String(at), words: `step ${at}` }));
  const said = marks.map((mark) => part(mark.dataset)), slider = { value: 0, setAttribute(_, value) { this.words = value; } };
  const parts = { "button[data-at]": marks, "div[data-at]": said, "input[type=range]": slider, output: { textContent: "" } };
  return { parts, said, slider, words: () => parts.output.textContent, seen: () => said.findIndex(({ hidden }) => !hidden) };
}

let drawn, heard, redraw;
const element = {
  addEventListener: (name, listener) => { heard[name] = listener; },
  querySelector: (selector) => drawn.parts[selector],
  querySelectorAll: (selector) => drawn.parts[selector],
};

beforeEach(() => {
  heard = {};
  drawn = strip(3);
  globalThis.setTimeout = (call) => call();
  replies(element, {}, (_, call) => { redraw = call; }, "run-replies");
});

test("the newest check is shown, and one that comes is followed", () => {
  assert.deepEqual([drawn.seen(), drawn.words()], [2, "step 2"]);
  drawn = strip(4);
  redraw();
  assert.deepEqual([drawn.seen(), drawn.slider.value], [3, 3]);
});

test("the slider and a press on a step move through the checks", () => {
  heard.input({ target: { type: "range", value: "1" } });
  assert.deepEqual([drawn.seen(), drawn.slider.words], [1, "step 1"]);
  heard.click({ target: { closest: () => ({ dataset: { at: "0" } }) } });
  assert.deepEqual([drawn.seen(), drawn.parts["button[data-at]"].map((mark) => mark.pressed)], [0, ["true", "false", "false"]]);
});

test("who has moved back stays there while checks come, until moved to the end", () => {
  heard.input({ target: { type: "range", value: "1" } });
  drawn = strip(4);
  redraw();
  assert.equal(drawn.seen(), 1);
  heard.input({ target: { type: "range", value: "3" } });
  drawn = strip(5);
  redraw();
  assert.equal(drawn.seen(), 4);
});
