import assert from "node:assert/strict";
import { test } from "node:test";
import { Title } from "../../../assets/window/title.js";

test("the tab tells how far a run is, and how it ended until somebody looks", () => {
  const document = { title: "Ticket Tuner" }, title = new Title(document);
  title.take({ run: "a", text: "42% · March" });
  assert.equal(document.title, "42% · March · Ticket Tuner");
  title.seen();
  assert.equal(title.followed, "a");
  title.take({ run: "", text: "Done · March" });
  assert.equal(document.title, "Done · March · Ticket Tuner");
  assert.equal(title.followed, "a");
  title.seen();
  assert.deepEqual([document.title, title.followed], ["Ticket Tuner", ""]);
});

test("a run that ended without news is not followed any more", () => {
  const title = new Title({ title: "" });
  title.take({ run: "a", text: "42% · March" });
  title.take({ run: "", text: "" });
  assert.equal(title.followed, "");
});
