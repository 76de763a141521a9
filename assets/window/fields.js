/* The fields of the recipe: what is typed is looked at when the field is left; arrows take steps that make sense. */
import { stepped } from "./steps.js";

const PAUSE = 500;  // milliseconds: a key that is held down is one change

/** Watch the fields that the element tells of; ``left`` is called with what one holds when it is left. */
export function fields(element, left) {
  const known = JSON.parse(element.querySelector("[data-fields]").dataset.fields);
  const nameOf = (input) => input.closest?.(".field")?.id.slice("field-".length) ?? "";
  let resting = 0, stepping = null;
  const rest = () => { clearTimeout(resting); if (stepping) left(stepping); stepping = null; };
  document.addEventListener("change", ({ target }) => {
    const name = nameOf(target);
    if (!(name in known)) return;
    if (stepping?.name === name) stepping = null;
    rest();
    left({ name, value: target.value });
  });
  document.addEventListener("focusout", rest);
  document.addEventListener("keydown", (event) => {
    const input = event.target, name = nameOf(input), field = known[name];
    if (!field?.step || !["ArrowUp", "ArrowDown"].includes(event.key)) return;
    event.preventDefault();
    const next = stepped(input.value, field, event.key === "ArrowUp");
    if (next === null || next === input.value) return;
    input.value = next;
    input.dispatchEvent(new Event("input", { bubbles: true }));
    clearTimeout(resting);
    stepping = { name, value: next };
    resting = setTimeout(rest, PAUSE);
  });
  dressAll(element.closest("#advanced") ?? document.body, known);
}

/** Dress the fields now and whenever Gradio has drawn them anew. */
function dressAll(panel, known) {
  let drawn = 0;
  const soon = () => { drawn ||= requestAnimationFrame(() => { drawn = 0; for (const name in known) dress(name, known[name]); }); };
  new MutationObserver(soon).observe(panel, { subtree: true, childList: true, attributes: true, attributeFilter: ["class"] });
  soon();
}

/** Tell readers of the screen what belongs to a field, and give it its unit. */
function dress(name, { unit, step }) {
  const box = document.getElementById(`field-${name}`), input = box?.querySelector("input, textarea");
  if (!input) return;
  const help = box.querySelector(".info-text, [class*=info]:not([data-testid])");
  if (help) { help.id = `help-${name}`; input.setAttribute("aria-describedby", help.id); }
  input.setAttribute("aria-invalid", String(box.classList.contains("wrong")));
  if (step) input.inputMode = "decimal";
  if (unit) box.dataset.unit = unit;
}
