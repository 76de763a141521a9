"""Opens the browser on the window without showing the key to others on the computer.

What a program is started with, all who use the computer can read, the address with the key among it. So the browser is
given a file that its owner alone can read, and which leads to the address (as Jupyter does).
"""

import subprocess
import sys
import webbrowser
from pathlib import Path

from markupsafe import Markup

from engine.workspace import write_atomically
from ui.server.doors.start_token import with_token

FILE = "open.html"
"""In the workspace."""
PAGE = Markup(
    '<!doctype html><meta charset="utf-8"><title>Ticket Tuner</title>'
    '<meta http-equiv="refresh" content="0;url={0}"><p><a href="{0}">Open Ticket Tuner</a></p>\n'
)


def open_browser(workspace: Path, address: str, token: str) -> None:
    """Open the window in the browser that the person has chosen.

    Args:
        workspace: Where the file that leads there is kept.
        address: The window's, without the key.
        token: The key; empty where there is none.
    """
    if not token or _sees_no_files():
        webbrowser.open(address)  # without a cookie from before, the page asks for the key
        return
    file = workspace / FILE
    write_atomically(file, PAGE.format(with_token(address, token)))
    webbrowser.open(file.as_uri())


def _sees_no_files() -> bool:
    """Whether the browser is confined (a snap, a flatpak), so that it cannot open a file of the workspace."""
    if not sys.platform.startswith("linux"):
        return False
    try:
        asked = subprocess.run(
            ["xdg-settings", "get", "default-web-browser"], capture_output=True, text=True, timeout=5, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return False
    name = asked.stdout.strip().removesuffix(".desktop")  # firefox_firefox of a snap, org.mozilla.firefox of a flatpak
    return "_" in name or name.count(".") >= 2
