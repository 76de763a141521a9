"""A conversation -> the answers of several voices, streamed side by side and cancellable.

Everything that a person reads is made here: texts, times, and a sentence for what can go wrong. It neither keeps the
conversation nor knows where adapters come from.
"""

import gc
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from engine.chat.records import Answer, AnswerFrame, Sampling
from engine.chat.text import TextStream
from engine.errors import ResourceError, StudioError
from engine.model.adapter_files import check_mark
from engine.turns import Turn

if TYPE_CHECKING:
    from engine.chat.decoding import RowState
    from engine.chat.records import StoppedBy, Voice
    from engine.model.base import BaseModel

__all__ = ["Answer", "AnswerFrame", "Sampling", "Turn", "answer", "silent"]

log = logging.getLogger(__name__)


def answer(
    base: "BaseModel",
    voices: "Sequence[Voice]",
    conversations: Sequence[Sequence[Turn]],
    sampling: Sampling,
    should_stop: Callable[[], bool] = lambda: False,
) -> Iterator[AnswerFrame]:
    """Let several voices answer in one batch.

    Args:
        base: The loaded base model that all voices belong to.
        voices: At least one; a voice without a path is the base itself.
        conversations: One a voice, its own messages so far.
        sampling: How the answers are chosen.
        should_stop: Looked at before every token.

    Yields:
        A frame at each stage and a frame a token; in the last one all answers are done.

    Raises:
        StudioError: An adapter is gone or does not fit, the conversation is too long, or memory ran out.
    """
    if not voices or len(voices) != len(conversations):
        raise ValueError("one conversation a voice, and at least one voice")
    try:
        yield from _answers(base, voices, conversations, sampling, should_stop)
    except Exception as error:
        known = _in_words(error)
        if known is None:
            raise
        log.warning("an answer failed", exc_info=error)
        error.__traceback__ = None  # its frames hold the failed batch's cache, which the next answer may need
        gc.collect()
        raise known from error


def _answers(
    base: "BaseModel",
    voices: "Sequence[Voice]",
    conversations: Sequence[Sequence[Turn]],
    sampling: Sampling,
    should_stop: Callable[[], bool],
) -> Iterator[AnswerFrame]:
    from engine.chat.adapters import bank_of
    from engine.chat.decoding import Row, decode
    from engine.chat.weights import DIGITS

    answers = AnswerBuilder([voice.id for voice in voices], base.chat.tokenizer)
    yield answers.frame("Loading the adapters")
    prompts = [_prompt(base, conversation) for conversation in conversations]
    sampling = _fitted(sampling, max(map(len, prompts)), base)
    for voice in voices:
        if voice.path and voice.snapshot is None:
            check_mark(voice.path, base.mark)
    bank = bank_of(base)
    with bank.acquire([voice.snapshot or voice.path for voice in voices]) as names:
        marks = [bank.mark(name) if name else base.mark[:DIGITS] for name in names]
        answers.sign([_weights(voice, mark) for voice, mark in zip(voices, marks, strict=True)])
        rows = [Row(prompt, name) for prompt, name in zip(prompts, names, strict=True)]
        yield answers.frame("Reading")
        for states in decode(bank, rows, sampling, base.chat.stop_ids, base.chat.pad_id, should_stop):
            answers.note(states)
            yield answers.frame("" if all(state.done for state in states) else "Writing")


def silent(voices: Sequence[str], stage: str, stopped_by: "StoppedBy | None" = None) -> AnswerFrame:
    """Return a frame in which nobody has said anything yet, or ever will.

    Args:
        voices: Their ids.
        stage: What is being done, in words.
        stopped_by: What ended the answers before their first word, if anything did.
    """
    answers = tuple(Answer(voice, "", 0, 0.0, stopped_by is not None, stopped_by) for voice in voices)
    return AnswerFrame(stage, answers)


class AnswerBuilder:
    """The answers as they grow."""

    def __init__(self, voices: Sequence[str], tokenizer: object) -> None:
        self._started = time.perf_counter()
        self._streams = [TextStream(tokenizer) for _ in voices]
        self._answers = silent(voices, "").answers

    def sign(self, weights: Sequence[str]) -> None:
        """Note which weights answer."""
        self._answers = tuple(replace(seen, weights=told) for seen, told in zip(self._answers, weights, strict=True))

    def note(self, states: "Sequence[RowState]") -> None:
        """Bring every open answer up to date."""
        seconds = time.perf_counter() - self._started
        self._answers = tuple(
            seen if seen.done else self._updated(seen, state, stream, seconds)
            for seen, state, stream in zip(self._answers, states, self._streams, strict=True)
        )

    def frame(self, stage: str) -> AnswerFrame:
        """The answers as they are now."""
        return AnswerFrame(stage, self._answers)

    def _updated(self, seen: Answer, state: "RowState", stream: TextStream, seconds: float) -> Answer:
        text = stream.update(state.tokens)
        text = stream.finish() if state.done else text
        return Answer(seen.voice, text, len(state.tokens), seconds, state.done, state.stopped_by, seen.weights)


def _weights(voice: "Voice", mark: str) -> str:
    step = f"step {voice.snapshot.step}" if voice.snapshot else ""
    return ", ".join(part for part in (step, mark) if part)


def _prompt(base: "BaseModel", conversation: Sequence[Turn]) -> tuple[int, ...]:
    asked = conversation[-1] if conversation else {"role": "", "content": ""}
    if asked["role"] != "user" or not asked["content"].strip():
        raise StudioError("There is no question to answer.", "Type a customer's message first.")
    return tuple(base.chat.prompt(conversation))


def _fitted(sampling: Sampling, longest_prompt: int, base: "BaseModel") -> Sampling:
    """Shorten the answer to what the model's context has left.

    Raises:
        StudioError: The conversation fills the context already.
    """
    context = getattr(base.model.config.get_text_config(), "max_position_embeddings", None)
    if context is None or longest_prompt + sampling.max_new_tokens <= context:
        return sampling
    if longest_prompt >= context:
        raise StudioError(
            f"The conversation is {longest_prompt} tokens long, and this model reads at most {context}.",
            "Start a new conversation, or shorten the message.",
        )
    return Sampling(sampling.temperature, sampling.top_p, context - longest_prompt, sampling.seed)


def _in_words(error: Exception) -> StudioError | None:
    """Translate what the libraries raise while answering; None for what nobody foresaw."""
    if isinstance(error, StudioError):
        return None
    from engine.model.device_errors import has_lost_gpu, is_out_of_memory

    if is_out_of_memory(error):
        return ResourceError(
            "There is not enough memory for this answer.", "Compare fewer voices, or start a new, shorter conversation."
        )
    if has_lost_gpu(error):
        return ResourceError("The GPU stopped answering.", "Restart the program; runs go on from their checkpoints.")
    return None
