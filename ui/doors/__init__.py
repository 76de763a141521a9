"""The doors: what a request passes before Gradio sees it, from the outside in.

    Answers     headers that tell the browser what may be done with an answer; HEAD as GET      answers.py
      OwnPages  asked under a name that is not ours, or by a page of somebody else: 403         own_pages.py
        StartToken  without the key: 401, and how to get in                                     start_token.py
          Gradio

Every door is plain ASGI and knows nothing of the others; what it refuses, it refuses in words (refusals.py).
"""

from typing import TYPE_CHECKING

from ui.doors.answers import Answers
from ui.doors.own_pages import Names, OwnPages
from ui.doors.start_token import StartToken

if TYPE_CHECKING:
    from starlette.types import ASGIApp


def behind_doors(app: "ASGIApp", names: Names, token: str) -> "ASGIApp":
    """Put the doors before an app.

    Args:
        app: What answers those who are let in.
        names: What this computer may be called.
        token: The start token; empty where another key is asked for, or none.
    """
    return Answers(OwnPages(StartToken(app, token) if token else app, names))
