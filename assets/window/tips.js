/* What is cut off with an ellipsis says itself whole under the pointer, in a field too; what fits says nothing. */
const CUT = "h1, h2, h3, td, th, li, label, span, code, summary, button, input[role=listbox]";
document.addEventListener("pointerover", ({ target }) => {
  const element = target.closest?.(CUT);
  if (!element || (element.title && !("tip" in element.dataset))) return;
  const whole = element.value || element.textContent.trim();
  const isCut = element.scrollWidth > element.clientWidth + 1 && getComputedStyle(element).overflowX !== "visible";
  if (!isCut) { if ("tip" in element.dataset) { element.removeAttribute("title"); delete element.dataset.tip; } return; }
  element.title = whole;
  element.dataset.tip = "";
});
