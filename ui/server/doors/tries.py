"""How often a password may be tried: a few times at once, then more and more slowly; never not at all.

Counted for each address, and for all of them together, since an attacker may have many. A browser that has been let in
before is counted by itself, so that nobody can shut out a person by guessing from the same address, or from many.
(https://owasp.org/www-community/Slow_Down_Online_Guessing_Attacks_with_Device_Cookies)
"""

import ipaddress
import time
from collections.abc import Callable
from dataclasses import dataclass

FORGOTTEN = 3600.0
"""Seconds without a wrong try after which the earlier ones no longer count."""
MOST = 10_000
"""Addresses that are remembered; the oldest is forgotten first."""


@dataclass(frozen=True)
class Patience:
    """How many wrong tries are free, and the longest wait that doubles up after them, in seconds."""

    free: int
    longest: float

    def wait(self, wrong: int) -> float:
        """Seconds between the last of so many wrong tries and the next try."""
        beyond = wrong - self.free
        return 0.0 if beyond < 0 else min(self.longest, 2.0 ** min(beyond, 30))


ONE = Patience(5, 900.0)
"""With one address: 5 tries, then 1, 2, 4 ... seconds apart, a quarter of an hour in the end: about 100 tries a day."""
ALL = Patience(50, 30.0)
"""With all addresses together; a person at a new browser has to hit one of the gaps of half a minute."""


class Tries:
    """Wrong tries so far.

    Args:
        clock: Seconds, ever growing.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._wrong: dict[str, tuple[int, float]] = {}

    def wait(self, who: str, *, known: bool) -> float:
        """Seconds until ``who`` may try; 0 when at once.

        Args:
            who: See :func:`network_of`; or the name of a known browser.
            known: Whether it has been let in before; those of all others do not count for it then.
        """
        waits = [self._left(who, ONE)]
        return max(waits if known else [*waits, self._left("", ALL)])

    def failed(self, who: str, *, known: bool) -> None:
        """Count a wrong try."""
        for name in (who,) if known else (who, ""):
            wrong, at = self._wrong.pop(name, (0, 0.0))
            now = self._clock()
            self._wrong[name] = (wrong + 1 if now - at < FORGOTTEN else 1, now)
        while len(self._wrong) > MOST:
            del self._wrong[next(iter(self._wrong))]

    def succeeded(self, who: str) -> None:
        """Forget the wrong tries of somebody who got in."""
        self._wrong.pop(who, None)

    def _left(self, who: str, patience: Patience) -> float:
        wrong, at = self._wrong.get(who, (0, 0.0))
        passed = self._clock() - at
        return 0.0 if passed >= FORGOTTEN else max(0.0, patience.wait(wrong) - passed)


def network_of(address: str) -> str:
    """Who counts as one: an IPv4 address, or the 64 bits of an IPv6 address that its owner cannot choose."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if ip.version == 4:
        return str(ip)
    return str(ip.ipv4_mapped or ipaddress.ip_network((ip, 64), strict=False))
