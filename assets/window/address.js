/* The address of the window, where a text names it: only the page knows by which name and port it was reached. */

const PLACE = "ADDRESS";

export function address(element, watch) {
  const fill = () => element.querySelectorAll("[data-copy]").forEach((text) => {
    if (text.textContent.includes(PLACE)) text.textContent = text.textContent.replaceAll(PLACE, location.origin);
  });
  watch("value", () => setTimeout(fill));
  setTimeout(fill);
}
