"""Tokens as they are written, with how likely the model thought each: what an endpoint calls logprobs."""

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from engine.chat.records import ScoredToken, TokenText
from engine.chat.text import TextStream

if TYPE_CHECKING:
    from engine.chat.records import TokenChance

_BYTE = re.compile(r"<0x([0-9A-F]{2})>")


class ScoredText:
    """The scored tokens of one answer that is being written.

    Args:
        tokenizer: A fast tokenizer of transformers.
    """

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self._stream = TextStream(tokenizer)
        self._tokens: tuple[int, ...] = ()
        self._scored: list[tuple[int, int, ScoredToken]] = []
        """Where each begins and ends in all that was written, in characters."""

    def update(
        self, chances: "tuple[TokenChance, ...]", start: int, end: int, *, done: bool
    ) -> tuple[ScoredToken, ...]:
        """Return the tokens of the part of the text that is shown.

        Args:
            chances: Of all tokens so far; they continue those of the last call.
            start: The character at which the shown part begins.
            end: The character behind it.
            done: Whether it will not grow: a token that reaches beyond its end then belongs to it.
        """
        for chance in chances[len(self._scored) :]:
            self._tokens = (*self._tokens, chance.token)
            begun = self._scored[-1][1] if self._scored else 0
            self._scored.append((begun, len(self._stream.update(self._tokens)), self._written(chance)))
        return tuple(
            scored
            for begins, ends, scored in self._scored
            if (ends > start or start == 0) and (ends <= end or (done and begins < end))
        )

    def _written(self, chance: "TokenChance") -> ScoredToken:
        return ScoredToken(
            self._text(chance.token, chance.logprob),
            tuple(self._text(token, logprob) for token, logprob in chance.likeliest),
        )

    def _text(self, token: int, logprob: float) -> TokenText:
        raw = token_bytes(self._tokenizer, token)
        text = raw.decode("utf-8", "replace") or self._tokenizer.convert_ids_to_tokens(token) or ""
        return TokenText(text, raw, logprob)


def token_bytes(tokenizer: Any, token: int) -> bytes:
    """Return the bytes that a token stands for, also where they are a part of a character only.

    Args:
        tokenizer: A fast tokenizer of transformers, of one of two kinds: the letters of a token stand for bytes (GPT-2
            and its kin), or they are the text itself, with a token of its own for each odd byte (SentencePiece).
        token: Its id. A special token stands for none, and nor does an id beyond the vocabulary, which a padded output
            layer has.
    """
    piece = tokenizer.convert_ids_to_tokens(token)
    if not isinstance(piece, str) or token in tokenizer.all_special_ids:
        return b""
    if token in tokenizer.added_tokens_decoder:
        return piece.encode()
    if odd := _BYTE.fullmatch(piece):
        return bytes([int(odd[1], 16)])
    letters = _letters()
    if _writes_bytes(tokenizer) and all(letter in letters for letter in piece):
        return bytes(letters[letter] for letter in piece)
    return piece.replace("\N{LOWER ONE EIGHTH BLOCK}", " ").encode()


def _writes_bytes(tokenizer: Any) -> bool:
    decoder = tokenizer.backend_tokenizer.decoder
    return decoder is not None and b"ByteLevel" in decoder.__getstate__()


@lru_cache(maxsize=1)
def _letters() -> dict[str, int]:
    """Letter -> byte, as GPT-2's tokenizer writes them: what can be seen as itself, the others from 256 on."""
    seen = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in seen]
    return {chr(byte): byte for byte in seen} | {chr(256 + place): byte for place, byte in enumerate(others)}
