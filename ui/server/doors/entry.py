"""Entry: where the window can be reached, and by whom; what the options of `python app.py` come to."""

import ssl
from dataclasses import dataclass
from pathlib import Path

from engine.errors import StudioError
from ui.server.doors.users import cautions, read_users

LOOPBACK = ("127.0.0.1", "localhost", "::1")
ANY_ADDRESS = ("0.0.0.0", "::")
"""Addresses to listen on that stand for all of this computer's."""


@dataclass(frozen=True)
class Entry:
    """Built by :func:`read_entry`."""

    host: str
    port: int
    users: dict[str, str]
    """Passwords by user; empty where nobody logs in."""
    certificate: tuple[Path, Path] | None
    """Certificate and key, for https."""
    other_names: tuple[str, ...]
    """Names of this computer that a person has allowed."""
    asks_token: bool
    cautions: tuple[str, ...]
    """What a person should know before others come, one sentence each."""

    @property
    def address(self) -> str:
        """The window's address on this computer."""
        host = "localhost" if self.host in ANY_ADDRESS else self.host
        return f"{'https' if self.certificate else 'http'}://{f'[{host}]' if ':' in host else host}:{self.port}"


def read_entry(
    host: str,
    port: int,
    auth: str = "",
    auth_file: Path | None = None,
    certificate: Path | None = None,
    key: Path | None = None,
    other_names: tuple[str, ...] = (),
    token: bool = True,
) -> Entry:
    """Put the options together.

    Raises:
        StudioError: The window would be open to the network, or what is given cannot be read.
    """
    users = read_users(auth, auth_file)
    pair = _certificate(certificate, key)
    heard = [*cautions(auth, auth_file)]
    if host not in LOOPBACK:
        if not users:
            raise StudioError(
                f"On {host} others in the network could open the window and read your tickets.",
                "Name who may log in with --auth-file (a line user:password for each), or leave --host out.",
            )
        if not pair:
            heard.append(
                "Without --ssl-certfile and --ssl-keyfile, passwords and tickets can be read on their way through the "
                "network."
            )
    if not token and not users:
        heard.append("Without a key, everybody who uses this computer can read and delete everything in the window.")
    return Entry(host, port, users, pair, other_names, token and not users, tuple(heard))


def _certificate(certificate: Path | None, key: Path | None) -> tuple[Path, Path] | None:
    if certificate is None and key is None:
        return None
    if certificate is None or key is None:
        missing = "--ssl-certfile" if certificate is None else "--ssl-keyfile"
        raise StudioError(f"{missing} is missing.", "Give certificate and key together.")
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, password=_no_password)
    except (OSError, ValueError) as error:  # SSLError is an OSError
        raise StudioError(
            f"{certificate.name} and {key.name} are no certificate and its key, or cannot be read.",
            "Give both as PEM files, the key without a password.",
        ) from error
    return certificate, key


def _no_password() -> str:
    raise ValueError("the key has a password")  # else the terminal would ask for it
