/* The panes of the playground: kept at their end while words arrive, unless somebody has scrolled up. */

const NEAR = 40;  // pixels from the end that still count as being there

export function follow(element, watch) {
  const away = new Map();
  const voiceOf = (pane) => pane.closest("[data-voice]")?.dataset.voice;
  element.addEventListener("scroll", ({ target }) => {
    away.set(voiceOf(target), target.scrollHeight - target.scrollTop - target.clientHeight > NEAR);
  }, true);
  const down = () => element.querySelectorAll("[data-scroll]").forEach((pane) => {
    if (!away.get(voiceOf(pane))) pane.scrollTop = pane.scrollHeight;
  });
  watch("value", down);
  setTimeout(down);
}
