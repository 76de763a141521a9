"""Open a folder in the file manager of the computer that the program runs on."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from engine.errors import StudioError

HERE = frozenset({"127.0.0.1", "::1", "localhost", ""})
"""Addresses of a browser on this computer; empty where a handler is called without one."""


def open_folder(folder: Path, browser: str = "") -> None:
    """Show a folder to the person who sits at this computer.

    Args:
        folder: The folder.
        browser: The address of the browser that asks.

    Raises:
        StudioError: The person sits elsewhere, or there is no file manager; names the folder.
    """
    if browser not in HERE:
        raise StudioError(
            "The folder is on the computer that the program runs on, and this window is on another one.",
            f"Download it, or look there for {folder}.",
        )
    if sys.platform == "win32":
        os.startfile(folder)
        return
    program = shutil.which("open" if sys.platform == "darwin" else "xdg-open")
    has_screen = sys.platform == "darwin" or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if not program or not has_screen:
        raise StudioError("This computer has no file manager to open it with.", f"The folder is {folder}.")
    subprocess.Popen(
        [program, str(folder)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
