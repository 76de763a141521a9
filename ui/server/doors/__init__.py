"""The doors: what a request passes before Gradio sees it, from the outside in.

    Answers          headers that tell the browser what may be done with an answer; HEAD as GET      answers.py
      OwnPages       asked under a name that is not ours, or by a page of somebody else: 403         own_pages.py
        StartToken   without the key: 401, and how to get in                                         start_token.py
        or Login     without name and password: 401; after too many wrong ones: 429                  login.py
        or Programs  what begins with /v1/: without an API key: 401                                  programs.py
          Uploads    too much, or no room for it: 413, 507                                           uploads.py
            Gradio

Every door is plain ASGI and knows nothing of the others; what it refuses, it refuses in words (refusals.py). What the
person has chosen on the command line is an Entry (entry.py).
"""

from typing import TYPE_CHECKING

from ui.server.doors.answers import Answers
from ui.server.doors.login import Login
from ui.server.doors.own_pages import Names, OwnPages
from ui.server.doors.programs import Programs
from ui.server.doors.start_token import StartToken

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from ui.server.doors.entry import Entry


def behind_doors(app: "ASGIApp", entry: "Entry", token: str, endpoint: "ASGIApp") -> "ASGIApp":
    """Put the doors before an app.

    Args:
        app: What answers those who are let in.
        entry: Who may come in, and under which names.
        token: The start token, where the entry asks for one.
        endpoint: What answers other programs, which show an API key.
    """
    if entry.users:
        app = Login(app, entry.users)
    elif entry.asks_token:
        app = StartToken(app, token)
    return Answers(OwnPages(Programs(app, endpoint), Names.of(entry.host, entry.other_names)))
