"""Finds IPv4 and IPv6 addresses, and tells them from version numbers, times and C++.

Kept, because answers are worthless without them and they belong to nobody: loopback, netmasks, the usual addresses of
home routers, and the public name servers that support staff recommend.
"""

import re
from collections.abc import Iterator
from ipaddress import AddressValueError, IPv6Address

from engine.tickets.privacy.detectors.spans import Covered, Span
from engine.tickets.privacy.words import pattern

_V4 = re.compile(r"(?<![A-Za-z0-9_.])(?:\d{1,3}\.){3}\d{1,3}(?![A-Za-z0-9_]|\.\d|-\d)")
_NETWORK_AFTER = re.compile(r"/\d{1,2}(?!\d)")
_V6 = re.compile(r"(?<![A-Za-z0-9_:.])(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4}(?![A-Za-z0-9_:])")
_VERSION_BEFORE = re.compile(
    r"(?:\b(?:v|ver|vers|versions?|versi[oó]n|versione|versie|wersj[aiy]|vers[aã]o|verzi\w*|sürüm\w*|верси\w*"
    r"|release|rel|build|firmware|fw|bios|driver|treiber"
    r"|sdk|update|patch|rev|revision|stand|esr|windows|macos|ios|android|chrome|firefox|edge|safari"
    r"|opera|office|java|php|node|openssl)"
    r"|バージョン|版本号?|버전)\W{0,3}(?:(?:is|ist|est|es|è|version|release|build|number|nr|no)\W{0,3}){0,2}$"
    r"|\b(?:upgrad|downgrad|updat|roll|revert|aktualisier|mise à jour|migr)\w*(?: back| version)?"
    r"(?: from| to| von| auf| de| à)? $",
    re.IGNORECASE,
)
_JOINED = re.compile(
    r"\s?(?:to|and|or|auf|zu|und|oder|et|à|y|a|e|naar|en|i|do|na|,|/|->|\u2192|\u2013|-)\s?", re.IGNORECASE
)
_SECTION_BEFORE = re.compile(rf"(?:(?<![^\W_])|(?=[§第章節]))(?:{pattern('section_words')})\W{{0,3}}$", re.IGNORECASE)
_HEADING_BEFORE = re.compile(r"(?:^|\n)[ \t]*(?:#{1,6} )?$")
_HEADING_AFTER = re.compile(r"(?P<dot>\.)?[ \t]+[^\W\d_]")
"""1.2.3.4. Setting up, and 1.2.3.4 Setting up where its numbers are those of sections."""
_MOST_SECTIONS = 30
_CONTEXT = 40

_NOBODYS = frozenset(
    [
        *("127.0.0.1", "0.0.0.0", "8.8.8.8", "8.8.4.4", "1.1.1.1", "1.0.0.1", "9.9.9.9", "208.67.222.222"),
        *("208.67.220.220",),
        *("192.168.0.1", "192.168.1.1", "192.168.2.1", "192.168.1.254", "192.168.178.1", "192.168.100.1"),
        *("192.168.8.1",),
        *("10.0.0.1", "10.0.0.138", "255.255.255.255"),
    ]
)
_NOBODYS_V6 = frozenset({"::", "::1", "fe80::1", "2001:4860:4860::8888", "2606:4700:4700::1111"})


def find_addresses(text: str, covered: Covered) -> Iterator[Span]:
    """Yield IP addresses; identity is the address in its shortest form.

    Args:
        text: The message.
        covered: Links; an address inside one is part of the link.
    """
    if text.count(".") >= 3:
        version_until = -1
        for match in _V4.finditer(text):
            # 'from 5.14.0.2 to 5.13.9.7': what is joined to a version is one.
            joined = version_until >= 0 and _JOINED.fullmatch(text, version_until, match.start()) is not None
            if joined or _is_other(text, match):
                version_until = match.end()
            elif _is_address(match[0]) and not covered.holds(match.start()):
                yield Span(match.start(), match.end(), "IP", match[0])
    if text.count(":") >= 2:
        for match in _V6.finditer(text):
            identity = _v6(match[0])
            if identity and not covered.holds(match.start()):
                yield Span(match.start(), match.end(), "IP", identity)


def _is_address(candidate: str) -> bool:
    parts = candidate.split(".")
    if any(int(part) > 255 or (len(part) > 1 and part[0] == "0") for part in parts):
        return False
    return int(parts[0]) not in (0, 255) and candidate not in _NOBODYS


def _is_other(text: str, match: re.Match[str]) -> bool:
    """Say whether four numbers are a version or a section, by the words before, or a network such as 172.16.0.0/12."""
    if match[0].endswith(".0") and _NETWORK_AFTER.match(text, match.end()):
        return True
    before = text[max(0, match.start() - _CONTEXT) : match.start()]
    if _SECTION_BEFORE.search(before) or (_HEADING_BEFORE.search(before) and _heads(text, match)):
        return True
    return _VERSION_BEFORE.search(before) is not None


def _heads(text: str, match: re.Match[str]) -> bool:
    """Tell the number of a heading by what follows."""
    after = _HEADING_AFTER.match(text, match.end())
    if after is None:
        return False
    return bool(after["dot"]) or (
        after[0][-1].isupper() and all(int(part) <= _MOST_SECTIONS for part in match[0].split("."))
    )


def _v6(candidate: str) -> str | None:
    """Return an IPv6 address in short form, or None for a time, a MAC address or a scope operator."""
    groups = [group for group in candidate.split(":") if group]
    if len(groups) < 3 and not any(len(group) == 4 for group in groups):
        return None
    try:
        short = str(IPv6Address(candidate))
    except AddressValueError:
        return None
    return None if short in _NOBODYS_V6 or not any(letter.isdigit() for letter in candidate) else short
