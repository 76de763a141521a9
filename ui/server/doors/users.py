"""Who may log in: read from the command line, a file or the environment, one 'user:password' a line."""

import os
from collections.abc import Mapping
from pathlib import Path

from engine.errors import StudioError

VARIABLE = "TICKET_TUNER_AUTH"


def read_users(auth: str, file: Path | None, variables: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the passwords by user; empty where nobody has to log in.

    Args:
        auth: What --auth says.
        file: What --auth-file says.
        variables: The environment.

    Raises:
        StudioError: What is there cannot be read as users, or stands in two places.
    """
    given = {"--auth": auth, "--auth-file": _text(file) if file else "", VARIABLE: variables.get(VARIABLE, "")}
    given = {source: text for source, text in given.items() if text.strip() or (source == "--auth-file" and file)}
    if len(given) > 1:
        raise StudioError(f"Users stand in {' and in '.join(given)}.", "Use one of them.")
    passwords = dict[str, str]()
    for source, text in given.items():
        lines = [line.strip() for line in text.splitlines()]
        for line in (line for line in lines if line and not line.startswith("#")):
            user, colon, password = line.partition(":")
            if not (user and colon and password):
                raise StudioError(f"{source} has a line that is not of the form user:password.", "Mend it.")
            if user in passwords:
                raise StudioError(f"{source} names '{user[:40]}' twice.", "Leave one of the lines out.")
            passwords[user] = password
        if not passwords:
            raise StudioError(f"{source} names no user.", "Write a line of the form user:password.")
    return passwords


def cautions(auth: str, file: Path | None) -> list[str]:
    """Say where others on this computer could read a password."""
    if auth:
        return [
            "Everybody on this computer can read --auth in the list of processes. "
            f"Put it into a file (--auth-file) or into the variable {VARIABLE}."
        ]
    if file and os.name == "posix" and file.stat().st_mode & 0o077:
        return [f"Others on this computer may read {file}. Type: chmod 600 {file}"]
    return []


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise StudioError(f"{file} cannot be read.", "Name a text file with a line user:password for each.") from error
