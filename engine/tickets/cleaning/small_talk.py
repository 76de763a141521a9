"""Answers that are nothing but thanks, a greeting or 'done': polite, and nothing to learn."""

from __future__ import annotations

import re

_LONGEST = 60
_WORD = re.compile(r"\w+")
_EMPTY_WORDS = frozenset(
    (
        *(
            "thanks",
            "thank",
            "you",
            "thx",
            "ty",
            "ok",
            "okay",
            "k",
            "welcome",
            "re",
            "youre",
            "very",
            "much",
            "so",
            "a",
            "lot",
        ),
        *(
            "done",
            "fixed",
            "solved",
            "closed",
            "closing",
            "bump",
            "noted",
            "np",
            "no",
            "problem",
            "cheers",
            "hi",
            "hello",
        ),
        *(
            "danke",
            "dankeschön",
            "vielen",
            "dank",
            "bitte",
            "erledigt",
            "gern",
            "gerne",
            "schön",
            "merci",
            "beaucoup",
            "de",
        ),
        *(
            "rien",
            "gracias",
            "muchas",
            "nada",
            "grazie",
            "mille",
            "prego",
            "obrigado",
            "obrigada",
            "bedankt",
            "dank",
            "je",
            "tack",
        ),
        *(
            "dziękuję",
            "tak",
            "kiitos",
            "děkuji",
            "teşekkürler",
            "спасибо",
            "ありがとう",
            "ありがとうございます",
            "谢谢",
        ),
    )
)


def says_nothing(answer: str) -> bool:
    """Tell an answer that is nothing but thanks, a greeting or 'done'."""
    return len(answer) <= _LONGEST and _EMPTY_WORDS.issuperset(_WORD.findall(answer.casefold()))
