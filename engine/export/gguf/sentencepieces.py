"""SentencePiece vocabularies: the score of each piece, won back from the merges of a tokenizer.json.

llama.cpp joins the two neighbours whose union has the highest score; a tokenizer.json joins those whose merge comes
first. A tokenizer that was made from SentencePiece does both alike once a piece's score is the place of its first
merge. That is tried on sentences before it is believed.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from engine.errors import ModelError
from engine.export.gguf.families import INSTEAD

SPACE = "▁"
"""Stands for a space in every piece."""

PROBES = (
    "Hello, my order 10023 has not arrived yet.",
    "Où est mon colis ? Je l'attends depuis 3 semaines…",
    "Können Sie die Rechnung über 1.234,50 € bitte noch einmal schicken?",
    "  two  spaces,\ttabs\n\nand empty lines\n   - a list",
    'mail@example.com https://example.com/a_b?c=d#e {"code": [1, 2, 3]}',
    "Спасибо, всё пришло. 感谢您的帮助。 どうもありがとう。 شكرا جزيلا 🙂👍🏽",
    "IT'S BROKEN!!! it's, we'll, they've; aren't (really) 50% -> $20.00",
    "supercalifragilisticexpialidocious antidisestablishmentarianism",
)
"""What two ways of cutting are compared on."""


def is_sentencepiece(tokenizer: Mapping[str, Any]) -> bool:
    """Whether a tokenizer.json was made from a SentencePiece model with byte fallback."""
    model = tokenizer["model"]
    return bool(model["type"] == "BPE" and model.get("byte_fallback"))


def adds_space(tokenizer: Mapping[str, Any], *, begins_with_special: bool) -> bool:
    """Whether a space is put before text, at its beginning and behind every special token.

    Args:
        tokenizer: A tokenizer.json.
        begins_with_special: Whether every prompt begins with a special token, so that 'first' never comes true.

    Raises:
        ModelError: It is put in a way that llama.cpp cannot.
    """
    steps = _steps(tokenizer)
    schemes = {step.get("prepend_scheme") for step in steps if step["type"] == "Metaspace"}
    if any(step["type"] == "Prepend" for step in steps) or "always" in schemes:
        return True
    if "first" in schemes and not begins_with_special:
        raise ModelError(
            "This model's tokenizer puts a space before a prompt but behind no special token, which llama.cpp cannot.",
            INSTEAD,
        )
    return False


def _steps(tokenizer: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """What is done to text before the merges, one after the other."""
    return [step for name in ("normalizer", "pre_tokenizer") for step in _flat(tokenizer.get(name))]


def _flat(step: Mapping[str, Any] | None) -> list[Mapping[str, Any]]:
    if step is None:
        return []
    inner = step.get("normalizers") or step.get("pretokenizers")
    return list(inner) if inner else [step]


def scores_of(tokenizer: Mapping[str, Any]) -> dict[str, float]:
    """Return the score of each piece that a merge makes: 0 for the first, and less for each one that follows."""
    scores: dict[str, float] = {}
    for place, merge in enumerate(tokenizer["model"]["merges"]):
        piece = "".join(merge) if not isinstance(merge, str) else merge.replace(" ", "")
        scores.setdefault(piece, float(-place))
    return scores


def pieces(text: str, vocabulary: Mapping[str, int], scores: Mapping[str, float]) -> list[str]:
    """Cut text as llama.cpp does: join the best pair of neighbours, the leftmost of equals, until none is a piece.

    Args:
        text: With :data:`SPACE` for spaces.
        vocabulary: Piece -> token id.
        scores: Of those that can be joined; a piece without one comes last.

    Returns:
        Pieces of the vocabulary, and characters that are none.
    """
    parts, lowest = list(text), float("-inf")
    while True:
        best, place = lowest, -1
        for first in range(len(parts) - 1):
            joined = parts[first] + parts[first + 1]
            if joined in vocabulary and (place < 0 or scores.get(joined, lowest) > best):
                best, place = scores.get(joined, lowest), first
        if place < 0:
            return parts
        parts[place : place + 2] = [parts[place] + parts[place + 1]]


def check(backend: Any, tokenizer: Mapping[str, Any], scores: Mapping[str, float], texts: Sequence[str]) -> None:
    """Make sure that scores cut text as the tokenizer itself does.

    Args:
        backend: The tokenizers.Tokenizer.
        tokenizer: Its tokenizer.json.
        scores: As from :func:`scores_of`.
        texts: Sentences to try, without special tokens.

    Raises:
        ModelError: They do not.
    """
    vocabulary: Mapping[str, int] = tokenizer["model"]["vocab"]
    added = [str(token["content"]) for token in tokenizer.get("added_tokens") or ()]
    for text in texts:
        if any(token in text for token in added):
            continue  # a token of its own in the text is found before any cutting, there as here
        wanted = [piece for piece in backend.encode(text, add_special_tokens=False).tokens if not is_byte(piece)]
        told = pieces(_with_marks(text, tokenizer), vocabulary, scores)
        if wanted != [piece for piece in told if piece in vocabulary]:
            raise ModelError(
                "This model's vocabulary cuts text in a way that llama.cpp's SentencePiece does not share; a GGUF of "
                "it would read other tokens than were tested.",
                INSTEAD,
            )


def _with_marks(text: str, tokenizer: Mapping[str, Any]) -> str:
    """Return a text at whose beginning a tokenizer stands, with marks for its spaces and the one that it puts first."""
    marked = text.replace(" ", SPACE)
    steps = _steps(tokenizer)
    if any(step["type"] == "Prepend" for step in steps):
        return SPACE + marked
    metaspace = any(step.get("prepend_scheme") in ("first", "always") for step in steps)
    return SPACE + marked if metaspace and not marked.startswith(SPACE) else marked


def is_byte(piece: str) -> bool:
    """Whether a piece stands for one byte, such as <0x0A>."""
    return len(piece) == 6 and piece.startswith("<0x") and piece.endswith(">")
