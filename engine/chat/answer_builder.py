"""Answers as they grow: tokens to texts, thoughts told apart, cut before a stop word."""

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from engine.chat.records import Answer, AnswerFrame
from engine.chat.scored_text import ScoredText
from engine.chat.text import TextStream
from engine.reasoning import split_reasoning

if TYPE_CHECKING:
    from engine.chat.context import Fitted
    from engine.chat.continuous_batch import RowState
    from engine.chat.records import StoppedBy

__all__ = ["AnswerBuilder", "before_stop_word", "silent"]


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
    """The answers of several voices.

    Args:
        voices: Their ids.
        tokenizer: Of their base.
        stop_words: Texts that end answers.
        begun: Whether the prompts have opened a thought.
    """

    def __init__(
        self, voices: Sequence[str], tokenizer: Any, stop_words: Sequence[str] = (), *, begun: bool = False
    ) -> None:
        self._started = time.perf_counter()
        self._streams = [TextStream(tokenizer) for _ in voices]
        self._scored = [ScoredText(tokenizer) for _ in voices]
        self._stop_words, self._begun = stop_words, begun
        self._answers = silent(voices, "").answers

    def sign(self, weights: Sequence[str], fitted: "Sequence[Fitted]") -> None:
        """Note which weights answer, and what each is told and not told."""
        self._answers = tuple(
            replace(seen, weights=told, note=each.note, prompt_tokens=len(each.prompt))
            for seen, told, each in zip(self._answers, weights, fitted, strict=True)
        )

    def update(self, states: "Sequence[RowState]") -> list[int]:
        """Bring every open answer up to date.

        Returns:
            The numbers of those that a stop word has ended just now.
        """
        seconds = time.perf_counter() - self._started
        before = self._answers
        self._answers = tuple(
            seen if seen.done else self._updated(seen, state, stream, scored, seconds)
            for seen, state, stream, scored in zip(before, states, self._streams, self._scored, strict=True)
        )
        pairs = enumerate(zip(before, self._answers, strict=True))
        return [place for place, (old, new) in pairs if not old.done and new.stopped_by == "stop word"]

    @property
    def answers(self) -> tuple[Answer, ...]:
        """The answers as they are now."""
        return self._answers

    def frame(self, stage: str) -> AnswerFrame:
        """The answers as they are now, in a frame; without a stage once all are done."""
        return AnswerFrame("" if all(seen.done for seen in self._answers) else stage, self._answers)

    def _updated(
        self, seen: Answer, state: "RowState", stream: TextStream, scored: ScoredText, seconds: float
    ) -> Answer:
        written = stream.update(state.tokens)
        written = stream.finish() if state.done else written
        thoughts, whole = split_reasoning(written, begun=self._begun)
        text, is_stopped = before_stop_word(whole, self._stop_words, done=state.done)
        start = len(written) - len(whole)
        return replace(
            seen,
            text=text,
            thoughts=thoughts,
            tokens=len(state.tokens),
            seconds=seconds,
            done=state.done or is_stopped,
            stopped_by="stop word" if is_stopped else state.stopped_by,
            scored=scored.update(state.chances, start, start + len(text), done=state.done or is_stopped),
        )


def before_stop_word(text: str, stop_words: Sequence[str], *, done: bool) -> tuple[str, bool]:
    """Cut a text before the first stop word; while it is being written, also before what may become one.

    Returns:
        What may be shown, and whether there is a stop word.
    """
    places = [place for word in stop_words if (place := text.find(word)) >= 0]
    if places:
        return text[: min(places)], True
    if done:
        return text, False
    begun = max((_overlap(text, word) for word in stop_words), default=0)
    return text[: len(text) - begun], False


def _overlap(text: str, word: str) -> int:
    """How many characters at the end of a text a word begins with."""
    longest = min(len(text), len(word) - 1)
    return next((length for length in range(longest, 0, -1) if text.endswith(word[:length])), 0)
