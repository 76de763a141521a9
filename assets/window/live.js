/*
 * What goes on, asked every few seconds, past Gradio, whose every event costs the browser half a second of a core. The answer
 * sets the pieces of the page that have changed, says when to draw more anew, and its absence that the program has ended.
 */
import { make, root, say } from "./dom.js";
import { News } from "./news.js";
import { Title } from "./title.js";

const pieces = new Map();
const EVERYWHERE = "status-bar";  // the piece that is of no one run
const AWAY = 1500;  // milliseconds between two questions that nobody answers
const PATIENCE = 15_000;
const UNSEEN = 4;  // a hidden page that follows a run asks so many times more seldom
const title = new Title(document);

/** Let the answers set a piece of HTML, or a chart, by its id. */
export function piece(id, element, props, redraw) { pieces.set(id, { element, props, redraw, mark: "", value: null }); }

/** Begin to ask; ``changed`` is called when lists and tabs have to be drawn anew. */
export function live(changed) {
  const news = new News();
  let looks = 0, missed = 0;

  async function look() {
    if (document.hidden && looks && !title.followed) { document.addEventListener("visibilitychange", look, { once: true }); return; }
    const answer = root.dataset.ended ? null : await ask(++looks);
    if (answer) missed = 0; else if (await isThere()) { if (root.dataset.ended) location.reload(); } else missed += 1;
    if (missed === 2) sayEnded();
    setTimeout(look, answer ? answer.wait * 1000 * (document.hidden ? UNSEEN : 1) : AWAY);
    try { if (answer) take(answer); } catch (error) { reportError(error); }  // what cannot be drawn does not end the asking
  }
  addEventListener("focus", () => title.seen());
  function take(answer) {
    const meaning = news.of(answer, drawnNow().version);
    if (meaning === "reload") { location.reload(); return; }
    title.take(answer.title);
    for (const [id, value] of Object.entries(answer.values)) {
      if (id === EVERYWHERE || (shown().run ?? "") === answer.asked.run) put(pieces.get(id), value, answer.marks[id]);
    }
    if (meaning === "changed") changed();
  }
  setTimeout(look, 2000);
}

/** The version that the page was drawn at, and the name that Gradio gave it; set by the first answer of the server. */
const drawnNow = () => document.querySelector("#live [data-page]")?.dataset ?? {};
const shown = () => document.querySelector("#run-title [data-run]")?.dataset ?? {};

/** The pieces that can be seen, with the marks of what they show; empty where somebody else has set them. */
function marks() {
  const seen = [...pieces].filter(([, { element }]) => element.isConnected && element.getClientRects().length);
  return Object.fromEntries(seen.map(([id, { props, value, mark }]) => [id, props.value === value ? mark : ""]));
}

/** Return the answer, with what was asked; null where there is none. */
async function ask(looks) {
  const { page } = drawnNow(), { run = "", overlays = "" } = shown();
  if (!page) return null;
  const asked = { page, run, overlays: overlays.split(" ").filter(Boolean), marks: marks(), followed: title.followed, looks };
  try {
    const response = await fetch("./live", {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(asked), cache: "no-store",
      signal: AbortSignal.timeout(PATIENCE),
    });
    return response.ok ? { ...await response.json(), asked } : null;
  } catch { return null; }
}

/** Set a piece, and leave the keyboard where it is. */
function put(piece, value, mark) {
  const key = piece.element.contains(document.activeElement) && document.activeElement.closest("[data-key]")?.dataset.key;
  Object.assign(piece, { value, mark });
  piece.props.value = value;
  piece.redraw?.();
  if (key) setTimeout(() => piece.element.querySelector(`[data-key="${key}"]`)?.focus());
}

async function isThere() {
  try {
    const { status } = await fetch("./manifest.json", { cache: "no-store", signal: AbortSignal.timeout(PATIENCE) });
    if (status === 401) location.reload();  // the key is another one now: the page that says how to get in
    return status < 500;
  } catch { return false; }
}

function sayEnded() {
  root.dataset.ended = "yes";
  const note = make("div", "ended", { role: "alert" });
  note.append(say("strong", "", "Ticket Tuner has ended."),
    " Start it again, and this page comes back by itself. Nothing was lost: a run goes on from its last checkpoint.");
  document.querySelector(".gradio-container").append(note);
}
