/* Copying: a piece of text that is pressed itself, or the answer of the pane whose button is pressed. */

const SHOWN = 1500;  // milliseconds for which it says that it has copied

document.addEventListener("click", ({ target }) => {
  const button = target.closest?.("[data-copy-answer]");
  if (button) { copyAnswer(button); return; }
  const text = target.closest?.("[data-copy]");
  if (!text || String(getSelection())) return;
  copy(text).then((is) => {
    if (!is) return;
    text.dataset.copied = "yes";
    setTimeout(() => delete text.dataset.copied, SHOWN);
  });
});

async function copyAnswer(button) {
  const answer = button.closest(".pane")?.querySelector("[data-answer]");
  if (!answer) return;
  button.textContent = await copy(answer) ? "Copied" : "Press Ctrl+C";
  setTimeout(() => { button.textContent = "Copy"; }, SHOWN);
}

/** Copy what an element says; where the browser does not let a page do so, select it. Returns whether it is copied. */
export async function copy(element) {
  try {
    await navigator.clipboard.writeText(element.textContent);
    return true;
  } catch { /* a page that came unencrypted has none, and a person may have forbidden it */ }
  getSelection().selectAllChildren(element);
  if (!document.execCommand("copy")) return false;
  getSelection().removeAllRanges();
  return true;
}
