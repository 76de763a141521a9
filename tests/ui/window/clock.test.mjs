import assert from "node:assert/strict";
import { test } from "node:test";
import { isClock, slowTheClock } from "../../../assets/window/clock.js";

// As Gradio 6.31 has it, in its source and made small.
const clock = new Function("now", "return () => { now.value = (performance.now() - now.began) / 1e3; now.next && now.next(); }")({ began: 0 });
const small = new Function("F", "G", "w", "de", "W", "ze", "return ()=>{F(G,(performance.now()-w(de))/1e3),W&&ze()}")();

test("Gradio's clock is told from other drawing", () => {
  assert.ok(isClock(clock) && isClock(small));
  assert.ok(!isClock(() => performance.now()));
  assert.ok(!isClock((time) => time / 1e3));
});

test("the clock asks once a second, all others at once", () => {
  const asked = [], later = [];
  const page = { requestAnimationFrame(draw) { assert.equal(this, page); asked.push(draw); return 1; }, setTimeout(call, wait) { later.push([call, wait]); return 2; } };
  slowTheClock(page);
  const other = () => {};
  page.requestAnimationFrame(other);
  page.requestAnimationFrame(small);
  assert.deepEqual(asked, [other]);
  assert.equal(later[0][1], 1000);
  later[0][0]();
  assert.deepEqual(asked, [other, small]);
});
