"""An answer as clients of OpenAI read it: whole, or piece by piece as it is written.

Beside OpenAI's fields, ``metadata`` says what this program alone knows: the mark of the weights that answered, the
tickets that were looked up, what was left off from a conversation that is too long, how many values were masked.
"""

import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from engine.chat.records import Answer, ScoredToken, TokenText
from engine.serving.requests import AnswerRequest

_OBJECTS = {"chat": ("chat.completion", "chat.completion.chunk"), "text": ("text_completion", "text_completion")}
_PREFIXES = {"chat": "chatcmpl-", "text": "cmpl-"}


@dataclass(slots=True)
class Reply:
    """The answer to one request, which remembers what of it has been sent."""

    request: AnswerRequest
    id: str = ""
    created: int = 0
    sent: int = 0
    """Characters."""
    scored: int = 0
    """Tokens."""
    offsets: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.id = self.id or _PREFIXES[self.request.form] + secrets.token_hex(12)
        self.created = self.created or int(time.time())

    def whole(self, answer: Answer, masked: int = 0) -> dict[str, Any]:
        """Return the answer in one piece."""
        text: dict[str, Any] = {"text": answer.text}
        if self.request.form == "chat":
            text = {"message": {"role": "assistant", "content": answer.text, "refusal": None} | _thoughts(answer)}
        choice = {"index": 0, **text, "logprobs": self._logprobs(answer), "finish_reason": _finish(answer)}
        return {
            **self._head(answer, whole=True),
            "choices": [choice],
            "usage": usage(answer),
            "metadata": _metadata(answer, masked),
        }

    def first(self, answer: Answer) -> dict[str, Any] | None:
        """Return the piece that opens a stream, where its form has one."""
        if self.request.form == "text":
            return None
        choice = {"index": 0, "delta": {"role": "assistant", "content": "", "refusal": None}, "finish_reason": None}
        return {**self._head(answer), "choices": [{**choice, "logprobs": None}]}

    def next(self, answer: Answer, masked: int = 0) -> dict[str, Any] | None:
        """Return what has been written since the last piece; None where that is nothing.

        The last piece says why the answer has ended, and what this program alone knows.
        """
        words = answer.text[self.sent :]
        if not (words or answer.done):
            return None
        logprobs = self._logprobs(answer)
        self.sent = max(self.sent, len(answer.text))
        delta: dict[str, Any] = {"text": words} if self.request.form == "text" else {"delta": {"content": words}}
        choice = {"index": 0, **delta, "logprobs": logprobs, "finish_reason": _finish(answer)}
        extra = {"metadata": _metadata(answer, masked)} if answer.done else {}
        return {**self._head(answer), "choices": [choice], **extra}

    def count(self, answer: Answer) -> dict[str, Any]:
        """Return the piece that ends a stream with the number of tokens."""
        return {**self._head(answer), "choices": [], "usage": usage(answer)}

    def _head(self, answer: Answer, *, whole: bool = False) -> dict[str, Any]:
        return {
            "id": self.id,
            "object": _OBJECTS[self.request.form][0 if whole else 1],
            "created": self.created,
            "model": self.request.model,
            "system_fingerprint": answer.weights or None,
        }

    def _logprobs(self, answer: Answer) -> dict[str, Any] | None:
        """Those of the tokens that have not been told yet."""
        if self.request.sampling.logprobs is None:
            return None
        begun, new = self.scored, answer.scored[self.scored :]
        self.scored = max(begun, len(answer.scored))
        if self.request.form == "chat":
            return {"content": [_scored(token) for token in new], "refusal": None}
        return self._plain_logprobs(new)

    def _plain_logprobs(self, new: Sequence[ScoredToken]) -> dict[str, Any]:
        """In the older form of text completions."""
        at = self.offsets[-1] if self.offsets else 0
        told: list[int] = []
        for token in new:
            told.append(at)
            at += len(token.said.text)
        self.offsets.append(at)
        return {
            "tokens": [token.said.text for token in new],
            "token_logprobs": [token.said.logprob for token in new],
            "top_logprobs": [{one.text: one.logprob for one in token.likeliest} for token in new],
            "text_offset": told,
        }


def usage(answer: Answer) -> dict[str, int]:
    """Return how many tokens were read and written."""
    return {
        "prompt_tokens": answer.prompt_tokens,
        "completion_tokens": answer.tokens,
        "total_tokens": answer.prompt_tokens + answer.tokens,
    }


def _finish(answer: Answer) -> str | None:
    if not answer.done:
        return None
    return "length" if answer.stopped_by == "length" else "stop"


def _thoughts(answer: Answer) -> dict[str, str]:
    return {"reasoning_content": answer.thoughts} if answer.thoughts else {}


def _scored(token: ScoredToken) -> dict[str, Any]:
    return {**_token(token.said), "top_logprobs": [_token(one) for one in token.likeliest]}


def _token(token: TokenText) -> dict[str, Any]:
    return {"token": token.text, "bytes": list(token.raw) or None, "logprob": token.logprob}


def _metadata(answer: Answer, masked: int) -> dict[str, Any]:
    told: dict[str, Any] = {"weights": answer.weights, "masked_values": masked}
    if answer.note:
        told["note"] = answer.note
    if answer.lookup is not None:
        used = answer.lookup.tickets[: answer.lookup.used]
        told["tickets"] = [{"ticket": near.ticket, "nearness": round(near.score, 4)} for near in used]
    return told
