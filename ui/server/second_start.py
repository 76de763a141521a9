"""A second start on a workspace that has a window: shows the page of the first.

It is imported before Gradio is, so that the second start takes a moment.
"""

import sys
import time
import urllib.error
import urllib.request
from http.client import HTTPException
from pathlib import Path

from engine.workspace_lock import WorkspaceTakenError, check_free

PATIENCE = 60.0
"""Seconds that the first may take to open its page; on a slow disk it imports for half a minute."""
LOOK = 0.3
ANSWER = 5.0
"""Seconds that its page may take to answer."""


def shows_the_first(root: Path, browser: bool) -> bool:
    """Show the page of the window that has the workspace, if there is one.

    Args:
        root: The workspace.
        browser: Whether to open the browser.

    Returns:
        Whether there is one; then there is nothing more to do.

    Raises:
        WorkspaceTakenError: There is one, and its page does not answer.
    """
    end, silent = time.monotonic() + PATIENCE, None
    while True:
        try:
            check_free(root)
            return False
        except WorkspaceTakenError as error:
            tenant = error.tenant
            if tenant is not None and tenant.address:
                if answers(tenant.address):
                    _show(root, tenant.address, tenant.has_key, browser)
                    return True
                if tenant == silent:
                    raise
                silent = tenant  # or what was left behind by one that was killed, and the next has not written yet
            if time.monotonic() > end:
                raise
        time.sleep(LOOK)


def answers(address: str) -> bool:
    """Whether a page answers there, whatever it says."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        direct.open(f"{address}/manifest.json", timeout=ANSWER).close()
    except urllib.error.HTTPError as error:
        return error.code < 500
    except urllib.error.URLError as error:
        return "CERTIFICATE" in str(error.reason).upper()  # it is there, under a certificate of its own making
    except (OSError, HTTPException, ValueError):
        return False
    return True


def _show(root: Path, address: str, has_key: bool, browser: bool) -> None:
    from ui.server.doors.start_token import kept_token, with_token
    from ui.server.opening import open_browser

    token = kept_token(root) if has_key else ""
    shown = with_token(address, token) if token else address
    print(f"Ticket Tuner is open already, at {shown}; this start shows that window.", file=sys.stderr)
    if browser:
        open_browser(root, address, token)
