"""A conversation -> the answers of several voices, streamed side by side and cancellable.

Everything that a person reads is made here: texts, times, and a sentence for what can go wrong. It neither keeps the
conversation nor knows where adapters come from.
"""

import gc
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from engine.chat.answer_builder import AnswerBuilder, silent
from engine.chat.context import Fitted, context_of, fit, fit_text
from engine.chat.records import Answer, AnswerFrame, Sampling
from engine.errors import ResourceError, StudioError
from engine.model.adapter_files import check_mark
from engine.model.device_errors import has_lost_gpu, is_out_of_memory
from engine.turns import Turn

if TYPE_CHECKING:
    from engine.chat.decoding import Request
    from engine.chat.records import Voice
    from engine.chat.thought import ThoughtLimit
    from engine.model.base import BaseModel

__all__ = ["Answer", "AnswerFrame", "Progress", "Sampling", "Turn", "answer", "answer_many", "silent"]

log = logging.getLogger(__name__)

Progress = Callable[[int, int], None]
"""Called with how many answers there are, and how many there will be."""


def answer(
    base: "BaseModel",
    voices: "Sequence[Voice]",
    conversations: Sequence[Sequence[Turn] | str],
    sampling: Sampling,
    should_stop: Callable[[], bool] = lambda: False,
) -> Iterator[AnswerFrame]:
    """Let several voices answer, in one batch with whoever else is answered on this base.

    Args:
        base: The loaded base model that all voices belong to.
        voices: At least one; a voice without a path is the base itself.
        conversations: One a voice, its own messages so far. One that is longer than the model reads loses its oldest
            messages, and the answer says so. A text in place of messages is continued as it stands.
        sampling: How the answers are chosen.
        should_stop: Looked at before every token.

    Yields:
        A frame at each stage and a frame a token; in the last one all answers are done.

    Raises:
        StudioError: An adapter is gone or does not fit, a question is too long, or memory ran out.
    """
    if not voices or len(voices) != len(conversations):
        raise ValueError("one conversation a voice, and at least one voice")
    with told_in_words():
        yield from _answers(base, voices, conversations, sampling, should_stop)


def answer_many(
    base: "BaseModel",
    voices: "Sequence[Voice]",
    questions: Sequence[Sequence[Sequence[Turn]]],
    sampling: Sampling,
    progress: Progress = lambda *_: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> Iterator[tuple[Answer, ...]]:
    """Let several voices answer many questions: as many at a time as memory has room for, each as if it were alone.

    Args:
        base: The loaded base model that all voices belong to.
        voices: At least one; a voice without a path is the base itself.
        questions: For each one conversation a voice, which ends with the customer's message.
        sampling: How the answers are chosen; every answer draws from the seed anew.
        progress: Told whenever an answer has ended.
        should_stop: Looked at before every token; once it is true, the open answers end as 'cancelled' where they are.

    Yields:
        For each question, in order and as soon as it is there, the voices' answers.

    Raises:
        StudioError: As in :func:`answer`.
    """
    if not voices or any(len(question) != len(voices) for question in questions):
        raise ValueError("one conversation a voice, and at least one voice")
    with told_in_words():
        yield from _many(base, voices, questions, sampling, progress, should_stop)


def _answers(
    base: "BaseModel",
    voices: "Sequence[Voice]",
    conversations: Sequence[Sequence[Turn] | str],
    sampling: Sampling,
    should_stop: Callable[[], bool],
) -> Iterator[AnswerFrame]:
    from engine.chat.decoding import batch_of

    answers = _builder(base, [voice.id for voice in voices], sampling)
    yield answers.frame("Loading the adapters")
    fitted = [_fitted(base, conversation, sampling) for conversation in conversations]
    with _names(base, voices) as (names, weights):
        answers.sign(weights, fitted)
        requests = [
            _request(base, each, name, sampling, talks_on=True) for each, name in zip(fitted, names, strict=True)
        ]
        reading = _reading(base, sampling.longest)
        yield answers.frame(reading)
        for states in batch_of(base).answer(requests, should_stop):
            for ended in answers.update(states):
                requests[ended].dropped = True
            yield answers.frame("Writing" if any(seen.tokens for seen in answers.answers) else reading)


def _reading(base: "BaseModel", longest: int) -> str:
    """Say that the question is read; over a streamed base also what the answer will cost."""
    if not base.is_streamed:
        return "Reading"
    seconds = longest * base.sweep_seconds
    time = f"{seconds / 60:.0f} minutes" if seconds >= 90 else f"{seconds:.0f} seconds"
    cost = f"up to {time if seconds >= 1.5 else 'a second'} for {longest} tokens"
    return f"Reading. This model's layers come from the computer's memory for every token: {cost}"


def _many(
    base: "BaseModel",
    voices: "Sequence[Voice]",
    questions: Sequence[Sequence[Sequence[Turn]]],
    sampling: Sampling,
    progress: Progress,
    should_stop: Callable[[], bool],
) -> Iterator[tuple[Answer, ...]]:
    from engine.chat.decoding import batch_of

    if not questions:
        return
    fitted = [[_fitted(base, conversation, sampling) for conversation in question] for question in questions]
    ids, size = [voice.id for voice in voices], len(voices)
    with _names(base, voices) as (names, weights):
        requests = [_request(base, each, name, sampling) for of in fitted for each, name in zip(of, names, strict=True)]
        builders = [_builder(base, ids, sampling) for _ in fitted]
        for builder, of in zip(builders, fitted, strict=True):
            builder.sign(weights, of)
        given, ended = 0, 0
        progress(0, len(requests))
        for states in batch_of(base).answer(requests, should_stop):
            for number in range(given, len(builders)):
                own = states[number * size : (number + 1) * size]
                if sampling.stop_words or all(state.done for state in own):
                    for stopped in builders[number].update(own):
                        requests[number * size + stopped].dropped = True
            now = sum(state.done for state in states)
            if now > ended:
                ended = now
                progress(ended, len(requests))
            while given < len(builders) and all(seen.done for seen in builders[given].answers):
                yield builders[given].answers
                given += 1


@contextmanager
def _names(base: "BaseModel", voices: "Sequence[Voice]") -> "Iterator[tuple[tuple[str | None, ...], list[str]]]":
    """Have the voices' adapters loaded; their names in the bank, and which weights they are in words."""
    from engine.chat.adapters import bank_of
    from engine.chat.weights import DIGITS

    for voice in voices:
        if voice.path and voice.snapshot is None:
            check_mark(voice.path, base.mark)
    bank = bank_of(base)
    with bank.acquire([voice.snapshot or voice.path for voice in voices]) as names:
        marks = [bank.mark(name) if name else base.mark[:DIGITS] for name in names]
        yield names, [_weights(voice, mark) for voice, mark in zip(voices, marks, strict=True)]


def _builder(base: "BaseModel", voices: Sequence[str], sampling: Sampling) -> AnswerBuilder:
    begun = sampling.thinking and base.chat.closes_thought
    return AnswerBuilder(voices, base.chat.tokenizer, sampling.stop_words, begun=begun)


def _request(
    base: "BaseModel", fitted: Fitted, name: str | None, sampling: Sampling, *, talks_on: bool = False
) -> "Request":
    from engine.chat.decoding import Request, Row

    thought = _thought(base, sampling)
    if thought is not None:
        thought = thought.within(fitted.room, sampling.max_new_tokens)
    room = max(1, fitted.room - (thought.longest if thought else 0))
    sampling = replace(sampling, max_new_tokens=min(room, sampling.max_new_tokens))
    return Request(Row(fitted.prompt, name), sampling, base.chat.stop_ids, talks_on, thought)


def _thought(base: "BaseModel", sampling: Sampling) -> "ThoughtLimit | None":
    from engine.chat.thought import thought_limit

    return thought_limit(base.chat, sampling.thinking_budget) if sampling.thinking else None


def _weights(voice: "Voice", mark: str) -> str:
    step = f"step {voice.snapshot.step}" if voice.snapshot else ""
    return ", ".join(part for part in (step, mark) if part)


def _fitted(base: "BaseModel", conversation: Sequence[Turn] | str, sampling: Sampling) -> Fitted:
    if isinstance(conversation, str):
        ids = base.chat.tokenizer(conversation)["input_ids"]
        return fit_text(ids, context_of(base.model), sampling.max_new_tokens)
    asked = conversation[-1] if conversation else {"role": "", "content": ""}
    if asked["role"] != "user" or not asked["content"].strip():
        raise StudioError("There is no question to answer.", "Type a customer's message first.")

    def encode(turns: Sequence[Turn]) -> list[int]:
        return base.chat.prompt(turns, thinking=sampling.thinking)

    thought = _thought(base, sampling)
    longest = sampling.max_new_tokens + (thought.longest if thought else 0)
    return fit(conversation, encode, context_of(base.model), longest)


@contextmanager
def told_in_words() -> Iterator[None]:
    """Translate what goes wrong inside, and let go of what it held."""
    try:
        yield
    except Exception as error:
        told = _in_words(error)
        if told is None:
            raise
        log.warning("an answer failed", exc_info=error)
        error.__traceback__ = None  # its frames hold the failed batch's cache, which the next answer may need
        gc.collect()
        raise told from error


def _in_words(error: Exception) -> StudioError | None:
    """Translate what the libraries raise while answering; None for what nobody foresaw."""
    if isinstance(error, StudioError):
        return None
    if is_out_of_memory(error):
        return ResourceError(
            "There is not enough memory for this answer.", "Compare fewer voices, or start a new, shorter conversation."
        )
    if has_lost_gpu(error):
        return ResourceError("The GPU stopped answering.", "Restart the program; runs go on from their checkpoints.")
    return None
