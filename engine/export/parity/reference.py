"""What the playground answers: the measure of an export.

A reference is plain data, so that it can be written down, sent along and compared on another computer. What is asked is
kept as turns of a conversation, not as tokens: whoever replays them writes them down with the export's own template.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.errors import StudioError
from engine.export.parity.prompts import Question
from engine.turns import Turn

if TYPE_CHECKING:
    from engine.model.base import BaseModel

LONGEST_ANSWER = 48
"""Tokens: the beginning of an answer shows what the export has become; the rest only costs time."""
LONGEST_PROMPT = 1024
"""Tokens: longer tickets are left out."""
_DIGITS = 6
"""Of log-probabilities in nats; float32 tells no more of them."""


@dataclass(frozen=True, slots=True)
class Answered:
    """A conversation, and how the playground goes on."""

    turns: tuple[Turn, ...]
    """As the chat template is given them."""
    travels: bool
    prompt: tuple[int, ...]
    """Token ids of the conversation."""
    tokens: tuple[int, ...]
    """The greedy answer, with the token that ended it."""
    ended: bool
    """Whether it ended by itself."""
    likely: tuple[tuple[int, ...], ...]
    """The likeliest tokens at each place of the answer, the likeliest first; shape (tokens, about 20)."""
    logprobs: tuple[tuple[float, ...], ...]
    """Their log-probabilities in nats, of the same shape."""


@dataclass(frozen=True, slots=True)
class Reference:
    """What the playground answers with an adapter."""

    answers: tuple[Answered, ...]
    opening: str
    """Written behind the template's own prompt (ChatFormat.opening)."""
    stop_ids: tuple[int, ...]
    """Tokens that end an answer, in ascending order."""
    compute_type: str
    """What the playground computed in: float32, bfloat16 or float16."""
    device: str
    """cpu or cuda."""
    base_mark: str
    """Of the base's weights (engine/model/fingerprint.py); empty where that is not known."""

    def travelling(self) -> "Reference":
        """The part that holds no word of a ticket.

        The answers in it are the adapter's own to public questions: whoever has the adapter can have them anyway.
        """
        kept = tuple(answer for answer in self.answers if answer.travels)
        return Reference(kept, self.opening, self.stop_ids, self.compute_type, self.device, self.base_mark)

    def to_json(self) -> dict[str, Any]:
        """As JSON takes it."""
        return {
            "opening": self.opening,
            "stop_ids": list(self.stop_ids),
            "compute_type": self.compute_type,
            "device": self.device,
            "base_mark": self.base_mark,
            "answers": [
                {
                    "turns": list(answer.turns),
                    "travels": answer.travels,
                    "prompt": list(answer.prompt),
                    "tokens": list(answer.tokens),
                    "ended": answer.ended,
                    "likely": [list(place) for place in answer.likely],
                    "logprobs": [[round(value, _DIGITS) for value in place] for place in answer.logprobs],
                }
                for answer in self.answers
            ],
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Reference":
        """Read what :meth:`to_json` wrote; a stranger may have written it.

        Raises:
            StudioError: It is damaged.
        """
        try:
            return cls(
                answers=tuple(_answered(each) for each in values["answers"]),
                opening=str(values["opening"]),
                stop_ids=tuple(int(stop) for stop in values["stop_ids"]),
                compute_type=_one_of(values["compute_type"], ("float32", "bfloat16", "float16")),
                device=_one_of(values["device"], ("cpu", "cuda")),
                base_mark=str(values["base_mark"]),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise StudioError("The questions of the parity certificate are damaged.", "Export it again.") from error


def reference(
    base: "BaseModel",
    adapter: Path | None,
    asked: Sequence[Question],
    progress: Callable[[int, int], None] = lambda *_: None,
) -> Reference:
    """Let the playground answer.

    Args:
        base: The loaded base.
        adapter: A PEFT adapter's folder; None is the base itself.
        asked: As from :func:`engine.export.parity.prompts.questions`.
        progress: As for :func:`engine.chat.traced.traced`.

    Raises:
        StudioError: The adapter does not fit, or no question is short enough for the model.
        Cancelled: ``progress`` said so.
    """
    from engine.chat.context import context_of
    from engine.chat.traced import traced

    most = min(LONGEST_PROMPT, (context_of(base.model) or LONGEST_PROMPT + LONGEST_ANSWER) - LONGEST_ANSWER)
    progress(0, len(asked))
    prompts = [base.chat.prompt(question.turns) for question in asked]
    progress(0, len(asked))
    short = [place for place, prompt in enumerate(prompts) if len(prompt) <= most]
    if not short:
        raise StudioError(
            f"No question is short enough to compare answers: this model reads {most} tokens before an answer.",
            "Shorten the standing instruction.",
        )
    traces = traced(base, adapter, [prompts[place] for place in short], LONGEST_ANSWER, progress)
    answers = [
        Answered(
            turns=tuple(base.chat.taken_turns(asked[place].turns)),
            travels=asked[place].travels,
            prompt=trace.prompt,
            tokens=trace.tokens,
            ended=trace.ended,
            likely=trace.likely,
            logprobs=trace.logprobs,
        )
        for place, trace in zip(short, traces, strict=True)
    ]
    return Reference(
        answers=tuple(answers),
        opening=base.chat.opening,
        stop_ids=tuple(sorted(base.chat.stop_ids)),
        compute_type=_compute_type(base),
        device=base.device.type,
        base_mark=base.mark,
    )


def _compute_type(base: "BaseModel") -> str:
    from engine.model.unpacking import linear_4bit_layers

    return str(linear_4bit_layers(base.model)[0].compute_dtype).removeprefix("torch.")


def _answered(values: Mapping[str, Any]) -> Answered:
    likely = tuple(tuple(int(token) for token in place) for place in values["likely"])
    logprobs = tuple(tuple(float(value) for value in place) for place in values["logprobs"])
    tokens = tuple(int(token) for token in values["tokens"])
    shapes = [len(place) for place in likely], [len(place) for place in logprobs]
    if not tokens or len(likely) != len(tokens) or shapes[0] != shapes[1] or not all(shapes[0]):
        raise ValueError("places and tokens do not belong together")
    return Answered(
        turns=tuple({"role": str(turn["role"]), "content": str(turn["content"])} for turn in values["turns"]),
        travels=bool(values["travels"]),
        prompt=tuple(int(token) for token in values["prompt"]),
        tokens=tokens,
        ended=bool(values["ended"]),
        likely=likely,
        logprobs=logprobs,
    )


def _one_of(value: Any, allowed: Sequence[str]) -> str:
    if value not in allowed:
        raise ValueError(f"{value!r}")
    return str(value)
