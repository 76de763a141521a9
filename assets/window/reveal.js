/* What a button opens elsewhere on the page is brought into sight, and has the keyboard. */

/** Wait, ten seconds at most, until something that matches is on the page and can be used; null if it does not come. */
export async function whenSeen(selector) {
  for (let tries = 100; tries; tries -= 1) {
    const found = [...document.querySelectorAll(selector)].find((one) => one.getClientRects().length && !one.disabled);
    if (found) return found;
    await new Promise((go) => setTimeout(go, 100));
  }
  return null;
}

async function reveal(panel, field) {
  const wanted = await whenSeen(`${panel} ${field}`);
  if (!wanted) return;
  document.querySelector(panel).scrollIntoView({ block: "center" });
  wanted.focus({ preventScroll: true });
}
document.addEventListener("click", ({ target }) => {
  if (target.closest?.("[data-do=bring][data-kind=adapter]")) reveal("#import-adapter-panel", "input[type=text], textarea");
});
