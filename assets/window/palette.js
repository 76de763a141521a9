/*
 * The command palette (Ctrl+K): data sets, runs, adapters, models and actions, found by any part of their names.
 * The server says what there is (ui/shell/palette.py); it is put on the page as text. A choice raises 'pick', as in the
 * sidebar, or presses the button that does it.
 */
import { make, say } from "./dom.js";
import { whenSeen } from "./reveal.js";
import { matching, TITLES } from "./search.js";

const SHOWN = 200;
const ACTION = "action", MODEL = "model";
let server = null, raise = null, entries = [], found = [], at = 0, dialog = null;

/** Called by the piece of the page that can ask the server. */
export function palette(asked, trigger, [pick]) { server = asked; raise = (data) => trigger(pick, data); }

function build() {
  dialog = make("dialog", "palette", { "aria-label": "Go to a data set, run, adapter, model or action" });
  const input = make("input", "palette-words", {
    type: "text", role: "combobox", "aria-expanded": "true", "aria-controls": "palette-list", "aria-autocomplete": "list",
    "aria-label": "Search data sets, runs, adapters, models and actions", placeholder: "Search, or type what to do",
    autocomplete: "off", spellcheck: "false",
  });
  const list = make("ul", "palette-list", { id: "palette-list", role: "listbox", "aria-label": "Found" });
  dialog.append(input, list, make("p", "palette-note", { role: "status" }));
  input.addEventListener("input", () => show(input.value));
  dialog.addEventListener("keydown", keys);
  dialog.addEventListener("click", (event) => {
    const row = event.target.closest("[role=option]");
    if (row) choose(Number(row.dataset.at)); else if (event.target === dialog) dialog.close();
  });
  document.querySelector(".gradio-container").append(dialog);
}

async function open(kind = "") {
  if (!server || document.querySelector("dialog[open]")) return;
  if (!dialog) build();
  dialog.dataset.kind = kind;
  dialog.querySelector("input").value = "";
  dialog.showModal();
  show("");  // what was there the last time, until the program has answered
  const answer = await server.entries().catch(() => null);
  if (!Array.isArray(answer)) { if (!entries.length) note("Nothing was heard from the program. Close this and try again."); return; }
  entries = answer;
  show(dialog.querySelector("input").value, found[at]);
}
const note = (text) => { dialog.querySelector(".palette-note").textContent = text; };

/** List what has the words; the entry that was chosen before stays so, where there is one. */
function show(text, before = null) {
  const all = matching(entries, text, dialog.dataset.kind);
  found = all.slice(0, SHOWN);
  at = Math.max(0, found.findIndex((entry) => entry.kind === before?.kind && entry.id === before.id));
  dialog.querySelector(".palette-list").replaceChildren(...found.map(row));
  const left = all.length - found.length;
  note(!entries.length ? "Looking …" : !all.length ? "Nothing is called that." : left ? `${left} more: type a part of the name.` : "");
  mark();
}
function row(entry, number) {
  const made = make("li", "palette-row", { role: "option", id: `palette-${number}`, "data-at": number, "aria-selected": "false", title: entry.name });
  for (const [name, text] of [["palette-name", entry.name], ["palette-caption", entry.caption], ["tag", TITLES[entry.kind]]]) {
    made.append(say("span", name, text));
  }
  return made;
}
function mark() {
  const rows = [...dialog.querySelectorAll("[role=option]")];
  rows.forEach((one, number) => one.setAttribute("aria-selected", String(number === at)));
  const input = dialog.querySelector("input");
  if (rows[at]) { input.setAttribute("aria-activedescendant", rows[at].id); rows[at].scrollIntoView({ block: "nearest" }); }
  else input.removeAttribute("aria-activedescendant");
}

function keys(event) {
  const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8 }[event.key];
  if (step && found.length) {
    at = Math.abs(step) === 1 ? (at + step + found.length) % found.length : Math.min(Math.max(at + step, 0), found.length - 1);
    mark();
  } else if (event.key === "Enter") choose(at);
  else if (event.key === "Tab") { /* there is nothing else to go to */ }
  else return;
  event.preventDefault();
}

function choose(number) {
  const entry = found[number];
  if (!entry) return;
  dialog.close();
  if (entry.kind === ACTION) act(entry);
  else if (entry.kind === MODEL) act({ tab: "recipe", target: `[data-key="model-${CSS.escape(entry.id)}"]`, press: true });
  else raise({ kind: entry.kind, id: entry.id });
}

/** Open a tab, wait until the button is there, and press it, or leave the keyboard at it. */
async function act({ tab, target, press }) {
  if (tab) document.getElementById(`tab-${tab}-button`)?.click();
  if (!target) { document.getElementById(`tab-${tab}-button`)?.focus(); return; }
  const button = await whenSeen(target);
  button?.scrollIntoView({ block: "nearest" });
  button?.focus();
  if (press) button?.click();
}

document.addEventListener("keydown", (event) => {
  if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return;
  event.preventDefault();
  if (dialog?.open) dialog.close(); else open();
});
document.addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-palette]");
  if (button) open(button.dataset.palette);
});
