import assert from "node:assert/strict";
import { test } from "node:test";
import { News } from "../../../assets/window/news.js";

const answer = (version, more = {}) => ({ program: "one", begun: true, version, ...more });

test("a page that was drawn at an older version is drawn anew at its first answer", () => {
  assert.equal(new News().of(answer("b"), "a"), "changed");
  assert.equal(new News().of(answer("a"), "a"), "same");
  assert.equal(new News().of(answer("a"), undefined), "same");
});

test("from then on a page is drawn anew whenever the version is another one", () => {
  const news = new News();
  const meanings = ["a", "a", "b", "b", "a"].map((version) => news.of(answer(version), "a"));
  assert.deepEqual(meanings, ["same", "same", "changed", "same", "changed"]);
});

test("a page begins again when the program is another one", () => {
  const news = new News();
  news.of(answer("a"), "a");
  assert.equal(news.of(answer("a", { program: "two" }), "a"), "reload");
});

test("a page begins again when its selections have been forgotten, and not before they were there", () => {
  const news = new News();
  assert.equal(news.of(answer("a", { begun: false }), "a"), "same");
  assert.equal(news.of(answer("a"), "a"), "same");
  assert.equal(news.of(answer("a", { begun: false }), "a"), "reload");
});
