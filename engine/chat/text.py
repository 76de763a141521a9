"""Tokens to text as they come, without half characters."""

from typing import Any

UNFINISHED = "�"
"""What a decoder writes for bytes that do not make a character yet."""


class TextStream:
    """The text of one answer that is being written.

    Each step decodes only the last few tokens: those whose text is not settled, behind enough of the settled ones for a
    decoder that looks at what comes before (SentencePiece drops the space in front of the first word).

    Args:
        tokenizer: A tokenizer of transformers.
    """

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self._settled = ""
        self._seen: tuple[int, ...] = ()
        self._start = 0
        self._read = 0

    def update(self, tokens: tuple[int, ...]) -> str:
        """Return the text of ``tokens``, which continue those of the last call; ends with a whole character."""
        if len(tokens) > len(self._seen):
            self._seen = tokens
            before = self._decode(tokens[self._start : self._read])
            now = self._decode(tokens[self._start :])
            if len(now) > len(before) and not now.endswith(UNFINISHED):
                self._settled += now[len(before) :]
                self._start, self._read = self._read, len(tokens)
        return self._settled

    def finish(self) -> str:
        """Return the whole text, read in one piece; bytes that never became a character are shown as such."""
        return self._decode(self._seen)

    def _decode(self, tokens: tuple[int, ...]) -> str:
        text = self._tokenizer.decode(tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        return str(text)
