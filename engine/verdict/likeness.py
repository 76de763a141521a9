"""How like an answer is to what the agent really wrote: chrF and ROUGE-L."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

_WORD = re.compile(r"[^\W_]+")
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")
"""Scripts that put no spaces between words: Thai, Lao, Khmer, Japanese, Chinese."""


def chrf(answer: str, reference: str) -> float:
    """Return chrF (Popović 2015): F2 over runs of one to six letters, 0 to 100, as sacrebleu computes it.

    It knows no words, so that it is right for every language and forgives endings and typing errors.
    """
    if not answer.strip() or not reference.strip():
        return 0.0
    return float(_chrf().sentence_score(answer, [reference]).score)


def rouge_l(answer: str, reference: str) -> float:
    """Return ROUGE-L (Lin 2004, section 3): F1 over the longest common subsequence of words, 0 to 100.

    Words of scripts without spaces are single characters.
    """
    from rapidfuzz.distance import LCSseq

    said, meant = _words(answer), _words(reference)
    if not said or not meant:
        return 0.0
    return 200.0 * LCSseq.similarity(said, meant) / (len(said) + len(meant))


def _words(text: str) -> list[str]:
    plain = _UNSPACED.sub(r" \g<0> ", text.casefold())
    return _WORD.findall(plain)


@cache
def _chrf() -> Any:
    from sacrebleu.metrics.chrf import CHRF

    return CHRF()
