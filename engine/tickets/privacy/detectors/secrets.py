"""Finds API keys and tokens: by their makers' prefixes, in links, and where the words before say 'key:'.

A commit id, a UUID or a checksum is no secret as long as nobody calls it a key.
"""

import re
from collections.abc import Iterator
from itertools import pairwise

from engine.tickets.privacy.detectors.spans import Covered, Span
from engine.tickets.privacy.words import pattern

_LONG = re.compile(r"[A-Za-z0-9_+/=.~-]{16,4096}")
"""The shortest key worth finding; the longest holds any token we know."""

# Prefix -> least characters in all. Sources: the makers' documentation, GitHub's list of secret scanning patterns.
_PREFIXES = {
    **dict.fromkeys(("sk-", "sk_live_", "sk_test_", "rk_live_", "rk_test_", "pk_live_", "pk_test_"), 24),
    **dict.fromkeys(("ghp_", "gho_", "ghu_", "ghs_", "ghr_"), 36),
    **dict.fromkeys(
        ("github_pat_", "glpat-", "gldt-", "npm_", "pypi-", "hf_", "whsec_", "SG.", "dop_v1_", "shpat_"), 20
    ),
    **dict.fromkeys(("shpss_", "shpca_", "xoxb-", "xoxp-", "xoxa-", "xoxr-", "xoxs-", "xapp-", "EAAC", "sq0csp-"), 20),
    **dict.fromkeys(("AKIA", "ASIA"), 20),
    **dict.fromkeys(("AIza", "ya29."), 35),
    **dict.fromkeys(("lin_api_", "pat-na1-", "pat-eu1-", "tfp_", "r8_", "gsk_", "xai-", "nvapi-", "dckr_pat_"), 24),
}
_PREFIX_STARTS = tuple(_PREFIXES)
_JWT = re.compile(r"eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]{0,2048}")
_BOT_TOKEN = re.compile(r"(?<!\d)\d{8,10}:[A-Za-z0-9_-]{35}(?![A-Za-z0-9_-])")

_IS = r"is|was|lautet|ist|est|es|è|é|は|是"
_KEY_BEFORE = re.compile(
    rf"(?:{pattern('key_words')})[\"'`*]{{0,2}}[ \t]{{0,4}}(?:(?:{_IS})?[ \t]{{0,4}}[:=\uff1a]|{_IS}|to)?"
    r"[\s\"'`<(*]{0,4}(?:basic |bearer )?$",
    re.IGNORECASE,
)
_CONTEXT = 48
_SHORTEST = 12
"""Characters of a key that the words before call so."""
_IN_LINK = re.compile(
    r"[?&;#](?:access_|auth_|id_|refresh_|session_|sas_)?(?:token|api_?key|apikey|key|sig|signature|secret"
    r"|passw(?:or)?d|pwd|code|session(?:id)?|sid|jwt|auth|hash|x-amz-signature|x-amz-credential)"
    r"=([^&\s#\"'<>]{12,2048})",
    re.IGNORECASE,
)
_HOOKS = re.compile(r"https://(?:hooks\.slack\.com/services|discord(?:app)?\.com/api/webhooks)/([\w/-]{16,200})")
_PEM_BEGIN, _PEM_END = "-----BEGIN ", "-----END "
_PEM_LABEL = re.compile(r"-----BEGIN (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----")
_PEM_LONGEST = 20_000


def find_keys(text: str, links: Covered) -> Iterator[Span]:
    """Yield API keys and tokens; identity is the key itself.

    Args:
        text: The message.
        links: Web links; in one of them only a named field such as ``?token=`` is a key.
    """
    yield from _private_keys(text)
    if "://" in text:
        for pattern in (_IN_LINK, _HOOKS):
            for match in pattern.finditer(text):
                if pattern is _HOOKS or _is_random(match[1]):
                    yield Span(match.start(1), match.end(1), "KEY", match[1])
    for match in _LONG.finditer(text):
        if not links.holds(match.start()):
            found = _key_in(text, match.start(), match.end())
            if found:
                yield Span(*found, "KEY", text[slice(*found)])
    if ":AA" in text:
        for match in _BOT_TOKEN.finditer(text):
            yield Span(match.start(), match.end(), "KEY", match[0])


def _key_in(text: str, start: int, end: int) -> tuple[int, int] | None:
    """Return where the key is inside a long word: the whole of it, or what follows the '=' of TOKEN=value."""
    end = start + len(text[start:end].rstrip("."))
    equals = text.find("=", start, max(start, end - _SHORTEST))
    if equals >= 0 and _is_key(text, equals + 1, end):
        return equals + 1, end
    return (start, end) if _is_key(text, start, end) else None


def _is_key(text: str, start: int, end: int) -> bool:
    word = text[start:end]
    if word.startswith(_PREFIX_STARTS):
        least = next(least for prefix, least in _PREFIXES.items() if word.startswith(prefix))
        if len(word) >= least and "." not in word.removeprefix("SG.").removeprefix("ya29."):
            return True
    if word.startswith("eyJ") and _JWT.match(word):
        return True
    before = text[max(0, start - _CONTEXT) : start]
    return word[:1] != "/" and _is_random(word) and _KEY_BEFORE.search(before) is not None


def _is_random(word: str) -> bool:
    """Say whether a machine made a word: letters and digits mixed, or capitals that change like in no language."""
    digits = sum(character.isdigit() for character in word)
    letters = sum(character.isalpha() for character in word)
    changes = sum(left.islower() and right.isupper() for left, right in pairwise(word))
    return len(word) >= _SHORTEST and (
        (digits >= 2 and letters >= 2) or (changes >= 3 and letters > 15) or digits >= 20
    )


def _private_keys(text: str) -> Iterator[Span]:
    """Yield PEM and PGP private keys, also those that a form cut off before their end."""
    start = text.find(_PEM_BEGIN)
    while start >= 0:
        end = start + len(_PEM_BEGIN)
        if _PEM_LABEL.match(text, start):
            closing = text.find(_PEM_END, start, start + _PEM_LONGEST)
            dashes = text.find("-----", closing + len(_PEM_END), closing + 80) if closing >= 0 else -1
            blank = text.find("\n\n", start, start + _PEM_LONGEST)
            cut_off = blank if blank >= 0 else min(len(text), start + _PEM_LONGEST)
            end = dashes + 5 if dashes >= 0 else cut_off
            yield Span(start, end, "KEY", text[start:end])
        start = text.find(_PEM_BEGIN, end)
