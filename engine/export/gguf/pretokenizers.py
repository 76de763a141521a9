"""How a byte-level tokenizer cuts text before its merges, told by its own structure, under llama.cpp's name for it.

llama.cpp has these cuts compiled in and knows them by name. A wrong name gives other tokens without a word, so a cut
that is not recognised is refused.
"""

from collections.abc import Mapping
from typing import Any

from engine.errors import ModelError
from engine.export.gguf.families import INSTEAD

_ENDINGS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"
_REST = r"|\s*[\r\n]+|\s+(?!\S)|\s+"
_UPPER, _LOWER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
_BEFORE = r"[^\r\n\p{L}\p{N}]?"
_WORD = _ENDINGS + "|" + _BEFORE + r"\p{L}+"
_SIGNS = r"| ?[^\s\p{L}\p{N}]+[\r\n]*"
_SIGNS_OR_SLASHES = r"| ?[^\s\p{L}\p{N}]+[\r\n/]*"

_THREE_DIGITS = _WORD + r"|\p{N}{1,3}" + _SIGNS + _REST
_ONE_DIGIT = _WORD + r"|\p{N}" + _SIGNS + _REST
_BY_CASE = f"{_BEFORE}{_UPPER}*{_LOWER}+|{_BEFORE}{_UPPER}+{_LOWER}*" + r"|\p{N}" + _SIGNS_OR_SLASHES + _REST
_BY_CASE_WITH_ENDINGS = (
    f"{_BEFORE}{_UPPER}*{_LOWER}+{_ENDINGS}?|{_BEFORE}{_UPPER}+{_LOWER}*{_ENDINGS}?"
    + r"|\p{N}{1,3}"
    + _SIGNS_OR_SLASHES
    + _REST
)

_BY_PATTERN: Mapping[tuple[str, bool], str] = {
    (_THREE_DIGITS, True): "llama-bpe",
    (_THREE_DIGITS, False): "dbrx",
    (_ONE_DIGIT, False): "qwen2",
    (_BY_CASE, True): "tekken",
    (_BY_CASE_WITH_ENDINGS, False): "gpt-4o",
}
"""(pattern, whether a piece that is a token is taken whole, without its merges) -> llama.cpp's name. Llama 3, Phi-4,
Qwen 2 and 3, Mistral Nemo, Phi-4 mini."""


def pretokenizer_name(tokenizer: Mapping[str, Any]) -> str:
    """Return llama.cpp's name for how a tokenizer cuts text.

    Args:
        tokenizer: A tokenizer.json.

    Raises:
        ModelError: llama.cpp is not known to cut so.
    """
    normalizer = tokenizer.get("normalizer")
    steps = _steps(tokenizer.get("pre_tokenizer"))
    whole = bool(tokenizer["model"].get("ignore_merges"))
    name = _name(steps, whole) if normalizer is None or normalizer["type"] == "NFC" else None
    if name is None:
        kinds = ", ".join(str(step.get("type")) for step in steps) or "nothing"
        raise ModelError(
            f"This model's tokenizer cuts text in a way that llama.cpp is not known to share ({kinds}); a GGUF of it "
            "could read other tokens than were tested.",
            INSTEAD,
        )
    return name


def _steps(pre_tokenizer: Mapping[str, Any] | None) -> list[Mapping[str, Any]]:
    if pre_tokenizer is None:
        return []
    return list(pre_tokenizer["pretokenizers"]) if pre_tokenizer["type"] == "Sequence" else [pre_tokenizer]


def _name(steps: list[Mapping[str, Any]], whole: bool) -> str | None:
    if not steps or steps[-1]["type"] != "ByteLevel" or steps[-1].get("add_prefix_space"):
        return None
    before, by_words = steps[:-1], bool(steps[-1].get("use_regex", True))
    if by_words:
        if whole or any(step["type"] != "Digits" or not step.get("individual_digits") for step in before):
            return None
        return "smollm" if before else "gpt-2"
    if len(before) != 1 or before[0]["type"] != "Split" or before[0].get("invert"):
        return None
    if before[0].get("behavior") != "Isolated":
        return None
    return _BY_PATTERN.get((str(before[0]["pattern"].get("Regex")), whole))
