import assert from "node:assert/strict";
import { test } from "node:test";
import "./page.mjs";

const { actions } = await import("../../../assets/window/actions.js");

function aList() {
  const heard = {}, raised = [];
  actions({ addEventListener: (name, called) => { heard[name] = called; } }, (...event) => raised.push(event), null, ["pick", "delete"]);
  return { heard, raised };
}
function aButton(data) {
  return {
    dataset: { ...data }, disabled: false, setAttribute() {}, removeAttribute() {},
    closest(selector) { return selector === "[data-do]" ? this : null; },
  };
}

test("a row that moves under the mouse while it is pressed is not the one that was meant", () => {
  const { heard, raised } = aList(), target = aButton({ do: "pick", id: "first" });
  heard.pointerdown({ target });
  target.dataset.id = "second";
  heard.click({ target });
  assert.deepEqual(raised, [["pick", { do: "pick", id: "first" }]]);
  heard.click({ target });  // by the keyboard, with nothing pressed before
  assert.deepEqual(raised[1], ["pick", { do: "pick", id: "second" }]);
});

test("a press that ends elsewhere says nothing of the next click", () => {
  const { heard, raised } = aList(), first = aButton({ do: "pick", id: "first" }), second = aButton({ do: "pick", id: "second" });
  heard.pointerdown({ target: first });
  heard.click({ target: second });
  assert.deepEqual(raised, [["pick", { do: "pick", id: "second" }]]);
});

test("what takes away something is pressed once, and a key that is held is one press", (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const { heard, raised } = aList(), target = aButton({ do: "delete", id: "first" });
  heard.click({ target });
  heard.click({ target });
  assert.equal(raised.length, 1);
  let kept = 0;
  const key = { target, key: "Enter", preventDefault: () => { kept += 1; } };
  heard.keydown({ ...key, repeat: false });
  heard.keydown({ ...key, repeat: true });
  assert.equal(kept, 1);
});
