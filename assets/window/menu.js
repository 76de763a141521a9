/* The menu of a row: rename, delete. */
import { make, say } from "./dom.js";

export function openMenu(button, place, raise) {
  closeMenu();
  const { kind, id, name } = button.dataset;
  const menu = make("div", "menu", { role: "menu", "aria-label": button.getAttribute("aria-label") });
  const item = (text, look) => menu.appendChild(say("button", look, text, { role: "menuitem", type: "button" }));
  item("Rename", "").onclick = () => renameIn(menu, name, (value) => { raise("rename", { kind, id, name: value }); closeMenu(); });
  const remove = item("Delete", "danger");
  if ("fixed" in button.dataset) { remove.disabled = true; remove.title = "In progress: stop it first"; }
  remove.onclick = () => {
    if (!remove.dataset.sure) { remove.dataset.sure = "yes"; remove.textContent = "Really delete?"; return; }
    raise("delete", { kind, id });
    closeMenu();
  };
  document.querySelector(".gradio-container").appendChild(menu);
  putBeside(menu, place);
  menu.querySelector("button").focus();
  menu.onkeydown = (event) => keys(event, menu, button);
  setTimeout(() => document.addEventListener("pointerdown", closeOutside));
}

function putBeside(menu, place) {
  const box = menu.getBoundingClientRect();
  menu.style.left = `${Math.max(8, Math.min(place.left, innerWidth - box.width - 8))}px`;
  menu.style.top = `${place.bottom + box.height + 8 > innerHeight ? place.top - box.height - 4 : place.bottom + 4}px`;
}

function keys(event, menu, button) {
  if (event.key === "Escape") { event.stopPropagation(); closeMenu(); button.focus(); }
  if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
  const items = [...menu.querySelectorAll("button:not(:disabled)")];
  const step = event.key === "ArrowDown" ? 1 : items.length - 1;
  items[(items.indexOf(document.activeElement) + step) % items.length]?.focus();
  event.preventDefault();
  event.stopPropagation();
}

function renameIn(menu, name, renamed) {
  const form = make("form", "menu-form");
  const input = Object.assign(make("input", "", { "aria-label": "New name", maxlength: 80 }), { value: name });
  form.append(input, say("button", "button small", "Rename", { type: "submit" }));
  form.onsubmit = (event) => { event.preventDefault(); if (input.value.trim()) renamed(input.value.trim()); };
  menu.replaceChildren(form);
  input.select();
}

const closeOutside = ({ target }) => { if (!target.closest(".menu")) closeMenu(); };
function closeMenu() {
  document.querySelector(".menu")?.remove();
  document.removeEventListener("pointerdown", closeOutside);
}
