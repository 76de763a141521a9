"""Whether an installed package's command opens the window: python tests/installed_starts.py COMMAND WORKSPACE.

It runs outside of the checkout, so that nothing is found there which the package has forgotten.
"""

import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

DEADLINE = 120.0


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(address: str) -> bool:
    """Whether anything answers there by HTTP, be it a refusal."""
    try:
        urllib.request.urlopen(address, timeout=5).close()
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


def main(command: str, workspace: str) -> int:
    """Start it, wait for the page, end it; return the exit code."""
    port = free_port()
    words = [command, "--no-browser", "--port", str(port), "--workspace", workspace]
    Path(workspace).mkdir(parents=True, exist_ok=True)
    started = subprocess.Popen(words, cwd=workspace)
    end = time.monotonic() + DEADLINE
    try:
        while not answers(f"http://127.0.0.1:{port}/"):
            if started.poll() is not None or time.monotonic() > end:
                print("the installed program does not start", file=sys.stderr)
                return 1
            time.sleep(0.2)
    finally:
        started.terminate()
        started.wait(60)
    print("the installed program starts")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
