/*
 * Lists, tables and tabs from the keyboard: each is one Tab stop, arrows move inside, Home and End go to its ends. In a table,
 * up and down go from row to row, left and right from button to button of a row.
 * A list that is drawn anew begins with what is selected; what the lists hold comes from the server.
 */

const LISTS = ".side-list, .list, .models, .cards";
const ITEMS = ".side-pick, .list-row, .model, .card";
const TABS = "#tabs > .tab-wrapper [role=tablist]";
const TABLES = ".terms, .runs, .changes, .cut-list ul";
const ROWS = "tr, li";
const ASIDE = ".side-list .more";  // reached with the arrow to the right
const SELECTED = ".selected, [aria-current=true], [aria-selected=true]";
const BACK = new Set(["ArrowUp", "ArrowLeft"]), ON = new Set(["ArrowDown", "ArrowRight"]);

const itemsOf = (list) => [...list.querySelectorAll(list.matches(TABS) ? "[role=tab]" : list.matches(TABLES) ? "button" : ITEMS)];
const listOf = (item) => item.closest(`${LISTS}, ${TABS}, ${TABLES}`);

/** Leave one of a list's entries in the order of Tab. */
function settle(list, wanted = document.activeElement) {
  const items = itemsOf(list);
  const stop = items.find((item) => item === wanted) ?? items.find((item) => item.getAttribute("tabindex") === "0")
    ?? items.find((item) => item.matches(SELECTED) || item.closest(".selected")) ?? items[0];
  for (const item of items) setStop(item, item === stop);
}
function setStop(item, isStop) {
  const wanted = isStop ? "0" : "-1";
  if (item.getAttribute("tabindex") !== wanted) item.setAttribute("tabindex", wanted);
}
function settleAll() {
  for (const list of document.querySelectorAll(`${LISTS}, ${TABLES}`)) settle(list);
  for (const list of document.querySelectorAll(TABS)) settle(list, list.querySelector("[aria-selected=true]"));
  for (const button of document.querySelectorAll(ASIDE)) setStop(button, false);
}

let waiting = false;
function soon() {
  if (waiting) return;
  waiting = true;
  setTimeout(() => { waiting = false; settleAll(); });
}
const watched = { childList: true, subtree: true, attributes: true, attributeFilter: ["aria-selected"] };
new MutationObserver(soon).observe(document.body, watched);

document.addEventListener("focusin", ({ target }) => {
  const list = target.closest?.(`${ITEMS}, button`) && listOf(target);
  if (list && !target.matches(ASIDE)) settle(list, target);
});

document.addEventListener("keydown", (event) => {
  const item = event.target.closest?.(`${ITEMS}, #tabs [role=tab]`);
  const list = item && listOf(item);
  if (!list || event.ctrlKey || event.metaKey || event.altKey) return;
  const more = event.key === "ArrowRight" && item.closest(".side-row")?.querySelector(".more");
  const next = more || goal(itemsOf(list), item, event.key, list);
  if (!next) return;
  event.preventDefault();
  next.focus();
  if (more || list.matches(TABS)) next.click();
});
function goal(items, item, key, list) {
  const at = items.indexOf(item), upright = !list.matches(`${TABS}, .cards`);
  if (key === "Home") return items[0];
  if (key === "End") return items.at(-1);
  if (upright && (key === "ArrowLeft" || key === "ArrowRight")) return null;
  const next = BACK.has(key) ? at - 1 : ON.has(key) ? at + 1 : null;
  return next === null ? null : items[list.matches(TABS) ? (next + items.length) % items.length : next];
}

document.addEventListener("keydown", (event) => {
  const button = event.target.closest?.("button"), table = button?.closest(TABLES);
  if (!table || event.ctrlKey || event.metaKey || event.altKey) return;
  const next = beside(rowsOf(table), button, event.key);
  if (!next) return;
  event.preventDefault();
  next.focus();
});
/** The buttons of each row that has some; one of a row inside another belongs to the inner one. */
function rowsOf(table) {
  const rows = Map.groupBy(table.querySelectorAll("button"), (button) => button.closest(ROWS));
  return [...rows.values()];
}
/** The button that a key leads to from another; undefined where it leads nowhere. */
export function beside(rows, button, key) {
  const row = rows.findIndex((buttons) => buttons.includes(button)), column = rows[row].indexOf(button);
  if (key === "Home") return rows[0][0];
  if (key === "End") return rows.at(-1)[0];
  if (key === "ArrowLeft" || key === "ArrowRight") return rows[row][column + (BACK.has(key) ? -1 : 1)];
  const other = BACK.has(key) ? rows[row - 1] : ON.has(key) ? rows[row + 1] : undefined;
  return other?.[Math.min(column, other.length - 1)];
}

// ---- what is a button by its role alone is pressed like one

document.addEventListener("keydown", (event) => {
  if ((event.key !== "Enter" && event.key !== " ") || event.target.matches?.("button") || !event.target.matches?.("[role=button]")) return;
  event.preventDefault();
  event.target.click();
});

// ---- digits open the tabs

const WRITTEN = "input:not([type=radio], [type=checkbox]), textarea, select, [contenteditable=true]";
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest?.(WRITTEN)) return;
  if (document.querySelector("dialog[open], .menu") || !/^[1-9]$/.test(event.key)) return;
  const tab = document.querySelectorAll(`${TABS} [role=tab]`)[Number(event.key) - 1];
  if (!tab) return;
  event.preventDefault();
  tab.click();
  tab.focus();
});
