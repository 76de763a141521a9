/* In a narrow window the sidebar lies over the page: a button opens it, and what was chosen in it closes it. */

const LEADS_AWAY = "[data-do=pick], [data-do=bring], [data-palette]";
const shell = () => document.getElementById("shell");

export const drawerIsOpen = () => shell()?.hasAttribute("data-lists") ?? false;

export function openDrawer(open) {
  shell()?.toggleAttribute("data-lists", open);
  document.getElementById("lists-button")?.setAttribute("aria-expanded", String(open));
}

document.addEventListener("click", ({ target }) => {
  if (target.closest("#lists-button")) openDrawer(!drawerIsOpen());
  else if (!target.closest("#sidebar, .menu") || target.closest(LEADS_AWAY)) openDrawer(false);
});
