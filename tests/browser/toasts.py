"""The messages at the corner of the window, as a person reads them: none is blank, and none comes unexpected."""

import time

WATCH = """
let leaving = false;  // a page that is left sees its connection break, and says so to nobody
addEventListener("beforeunload", () => { leaving = true; });
new MutationObserver((changes) => {
  for (const node of changes.flatMap((change) => [...change.addedNodes])) {
    if (node.nodeType !== Node.ELEMENT_NODE) continue;
    const items = node.matches(".toast-message-item") ? [node] : node.querySelectorAll(".toast-message-item");
    if (!leaving) for (const item of items) window.aMessageIsShown(item.innerText);
  }
}).observe(document, { childList: true, subtree: true });
"""


class Toasts:
    """All messages that the pages of a browser's context have shown.

    Args:
        context: Playwright's; watched from its next page on.
    """

    def __init__(self, context) -> None:
        self.unread: list[str] = []
        """What was shown, less what :meth:`read` has met."""
        context.expose_binding("aMessageIsShown", lambda _, text: self.unread.append(text.strip()))
        context.add_init_script(WATCH)

    def read(self, page, *words: str) -> str:
        """Wait for a message that holds all of ``words``, and return it."""
        end = time.monotonic() + 60
        while time.monotonic() < end:
            for text in self.unread:
                if all(word in text for word in words):
                    self.unread.remove(text)
                    return text
            page.evaluate("new Promise(done => setTimeout(done, 50))")
        raise AssertionError(f"no message says {words}; shown: {self.unread}")
