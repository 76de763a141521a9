/* What a click does that leads elsewhere: go to another place on the page, fetch a file. */

document.addEventListener("click", ({ target }) => {
  const there = document.getElementById(target.closest("[data-scroll-to]")?.dataset.scrollTo);
  there?.scrollIntoView({ behavior: "smooth", block: "center" });
});

/** Press a hidden download button as soon as its link is on the page. */
export function download(id) {
  setTimeout(() => document.querySelector(`#${id} a, a#${id}`)?.click() ?? document.getElementById(id)?.click(), 150);
}
