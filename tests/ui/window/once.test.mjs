import assert from "node:assert/strict";
import { test } from "node:test";
import { listeners } from "./page.mjs";

const { done, hold, isBusy, presses } = await import("../../../assets/window/once.js");

function aButton() {
  const attributes = {};
  return {
    dataset: {}, attributes, closest() { return this; },
    setAttribute: (name, value) => { attributes[name] = value; },
    removeAttribute: (name) => { delete attributes[name]; },
  };
}
function click(target) {
  const event = { target, stopped: false, stopImmediatePropagation() { this.stopped = true; }, preventDefault() {} };
  for (const heard of listeners.click) heard(event);
  return event;
}

test("a second press is kept away until the first has ended", (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const button = aButton();
  assert.equal(click(button).stopped, false);
  assert.equal(button.attributes["aria-busy"], "true");
  assert.equal(click(button).stopped, true);
  document.getElementById = () => button;
  done("start-training");
  assert.deepEqual(button.attributes, {});
  assert.equal(click(button).stopped, false);
});

test("a button whose effect is never told is free again in the end", (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const button = aButton();
  hold(button, 3000);
  context.mock.timers.tick(2999);
  assert.ok(isBusy(button));
  context.mock.timers.tick(1);
  assert.ok(!isBusy(button));
});

test("clicks within a second of each other are one press", () => {
  let now = 0;
  const press = presses(() => now);
  const first = press();
  now = 900;
  assert.equal(press(), first);
  now = 1800;
  assert.equal(press(), first);
  now = 2900;
  assert.notEqual(press(), first);
});
