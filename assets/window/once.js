/* A button that makes or takes away something takes no second press before the first has had its effect. */

const LONGEST = 60_000;  // milliseconds after which a button is free again, whatever came of it

export const isBusy = (button) => "busy" in button.dataset;

export function hold(button, longest = LONGEST) {
  button.dataset.busy = "yes";
  button.setAttribute("aria-busy", "true");
  setTimeout(release, longest, button);
}
function release(button) { delete button?.dataset.busy; button?.removeAttribute("aria-busy"); }

/** Called when what the button set off has ended. */
export const done = (id) => release(document.getElementById(id));

document.addEventListener("click", (event) => {
  const button = event.target.closest?.("button.once");
  if (!button) return;
  if (isBusy(button)) { event.stopImmediatePropagation(); event.preventDefault(); } else hold(button);
}, true);

/** Return what names the press of a button: clicks within a second of each other, as a double click makes them, are one. */
export function presses(now = () => performance.now()) {
  let last = -Infinity, name = "";
  return () => {
    if (now() - last > 1000) name = `${Date.now()}-${Math.random()}`;
    last = now();
    return name;
  };
}
export const press = presses();
