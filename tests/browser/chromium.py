"""Find Debian's or the system's Chromium, installing it where apt may be used."""

import os
import shutil
import subprocess

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
]
LINE = "sudo apt-get install --yes chromium"


def find() -> str:
    """Return Chromium's path.

    Raises:
        AssertionError: It is missing and cannot be installed here; says the one line to type.
    """
    found = _installed()
    if found is None and shutil.which("apt-get") and os.geteuid() == 0:
        for words in (["update", "-qq"], ["install", "-qq", "--yes", "--no-install-recommends", "chromium"]):
            subprocess.run(
                ["apt-get", *words],
                check=False,
                capture_output=True,
                env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
            )
        found = _installed()
    assert found, f"Browser tests need Chromium. Type:  {LINE}"
    return found


def _installed() -> str | None:
    return next((path for name in NAMES if (path := shutil.which(name))), None)
