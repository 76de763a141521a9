"""Only our own page may ask, and only under a name that is ours.

A page of a stranger that is open in the same browser can send requests to this computer. Three things tell it apart:

- the name it asks under. A name in the stranger's power can be made to lead to 127.0.0.1 after its page has been loaded
  (DNS rebinding), and then counts as the same origin; but the request still carries that name as its Host;
- its origin, which the browser writes into ``Origin``, ``Sec-Fetch-Site`` or ``Referer`` and no page can forge. Another
  port of this computer is another origin, and may be anybody's program;
- that it wants to read the answer: a link that a person follows to our first page reads nothing, and is let through.

Programs such as curl send none of these and are let through; what they need is the key (entry.py).
"""

import ipaddress
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.datastructures import Headers

from ui.server.doors.entry import ANY_ADDRESS, LOOPBACK
from ui.server.doors.refusals import refuse

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send


@dataclass(frozen=True)
class Names:
    """What this computer may be called in the address of the window."""

    known: frozenset[str]
    any_address: bool = False
    """Whether any IP address will do: no page of a stranger is of the same origin as a bare address of ours."""

    @classmethod
    def of(cls, host: str, others: tuple[str, ...] = ()) -> "Names":
        """Return the names for the address that is listened on; ``others`` are those a person has allowed."""
        known = {*LOOPBACK, host.lower(), *(name.lower() for name in others)}
        if host not in LOOPBACK:
            own = socket.gethostname().lower()
            known |= {own, f"{own}.local"}
        return cls(frozenset(known - set(ANY_ADDRESS)), any_address=host in ANY_ADDRESS)

    def hold(self, host: str) -> bool:
        """Whether a Host header names this computer; the port is not looked at, since a tunnel may have another."""
        name = host_name(host)
        return name in self.known or (self.any_address and _is_address(name))


class OwnPages:
    """Middleware that refuses the requests of other people's pages.

    Args:
        app: What answers the others.
        names: What this computer may be called.
    """

    def __init__(self, app: "ASGIApp", names: Names) -> None:
        self._app = app
        self._names = names

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Answer, or pass on."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        hosts = headers.getlist("host")
        if len(hosts) != 1 or not self._names.hold(hosts[0]):
            name = (hosts or ["no name"])[0][:80]
            remedy = f"Open the address that the terminal shows. If {name} is right, start with --allow-host {name}."
            answer = refuse(scope, 403, f"The window was asked for as {name}, which is not its name.", remedy)
        elif is_foreign(scope, headers, hosts[0]):
            remedy = "Open the window itself, at the address that the terminal shows."
            answer = refuse(scope, 403, "This was asked for by a page that is not Ticket Tuner's.", remedy)
        else:
            await self._app(scope, receive, send)
            return
        await answer(scope, receive, send)


def is_foreign(scope: "Scope", headers: Headers, host: str) -> bool:
    """Whether the browser says that another page asks, and it is more than a link to our first page."""
    if any(_authority(origin) != host.lower() for origin in headers.getlist("origin")):
        return True
    if "sec-fetch-site" in headers:
        strange = headers["sec-fetch-site"] not in {"same-origin", "none"}
        follows = headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"
    else:  # plain http on another address, or an old browser
        strange = "referer" in headers and _authority(headers["referer"]) != host.lower()
        follows = True
    return strange and not (follows and scope["path"] == "/" and scope.get("method") in {"GET", "HEAD"})


def host_name(host: str) -> str:
    """The name in a Host header, without its port: 'localhost' of 'localhost:7860', '::1' of '[::1]:7860'."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _authority(address: str) -> str:
    """'name:port' of an address; empty of 'null', which is what a page without an origin of its own sends."""
    try:
        return urlsplit(address).netloc.lower()
    except ValueError:
        return ""


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
