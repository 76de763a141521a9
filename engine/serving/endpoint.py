"""Endpoint: requests of other programs -> answers, a limited number at a time, each from the batch that all share.

It knows records and no web: how a request travels is http/'s. Every answer is made in the thread of whoever asks for
its words, as in the window.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from engine.chat.records import Answer, Voice
from engine.errors import StudioError
from engine.serving.keys import ApiKey, ApiKeys
from engine.serving.offers import Offers
from engine.serving.refusals import ApiError
from engine.serving.requests import AnswerRequest, Limits
from engine.serving.veil import Veil
from engine.turns import Turn, with_instruction

if TYPE_CHECKING:
    from engine.chat.records import AnswerFrame, Sampling
    from engine.tickets.privacy.masking import PrivacyOptions


class Voices(Protocol):
    """Who answers: see :class:`engine.services.playground.PlaygroundService`."""

    def voices(self) -> list[Voice]:
        """Return everybody who can answer."""

    def instruction(self, voices: Sequence[str]) -> str:
        """Return the standing instruction that they were trained with."""

    def ask(
        self,
        voices: Sequence[str],
        conversations: Sequence[Sequence[Turn] | str],
        sampling: "Sampling",
        session: str = "",
        dataset: str = "",
        ticket: str = "",
        should_stop: Callable[[], bool] = ...,
        over: str = "",
        least: float = 0.0,
    ) -> "Iterator[AnswerFrame]":
        """Stream their answers, or that a person should answer."""


@dataclass(frozen=True, slots=True)
class OfferedModel:
    """A model that programs can name."""

    name: str
    voice: Voice


class Endpoint:
    """What other programs may ask.

    Args:
        voices: Who answers.
        offers: What is offered now.
        keys: Who may ask.
        privacy: What counts as personal data in the tickets of a voice.
        limits: How much is taken.
    """

    def __init__(
        self,
        voices: Voices,
        offers: Callable[[], Offers],
        keys: ApiKeys,
        privacy: "Callable[[Voice], PrivacyOptions]",
        limits: Limits | None = None,
    ) -> None:
        self.keys = keys
        self.limits = limits or Limits()
        self._voices, self._offers, self._privacy = voices, offers, privacy
        self._lock = threading.Lock()
        self._under_way = 0

    @property
    def is_on(self) -> bool:
        """Whether anybody is answered at all."""
        return self._offers().on

    @property
    def under_way(self) -> int:
        """Requests that are answered or wait."""
        return self._under_way

    def models(self) -> list[OfferedModel]:
        """Return what is offered and still there, in the order of the playground."""
        offered = self._offers().offered
        return [OfferedModel(offered[voice.id], voice) for voice in self._voices.voices() if voice.id in offered]

    def model(self, name: str) -> OfferedModel:
        """Return an offered model by its name.

        Raises:
            ApiError: There is none of that name.
        """
        for model in self.models():
            if model.name == name:
                return model
        raise ApiError(
            404,
            f"There is no model '{name[:80]}'.",
            "Name one that /v1/models lists, or offer it on the tab Help desk.",
            param="model",
            code="model_not_found",
        )

    def admit(self, secret: str) -> ApiKey:
        """Let somebody in who shows a key.

        Raises:
            ApiError: The endpoint is off, or the key is none of ours.
        """
        if not self.is_on:
            raise ApiError(
                403, "The endpoint is switched off.", "Switch it on in the window: tab Help desk.", code="endpoint_off"
            )
        if not secret:
            raise ApiError(401, "There is no API key.", "Send 'Authorization: Bearer KEY'.", code="invalid_api_key")
        key = self.keys.check(secret)
        if key is None:
            raise _bad_key()
        return key

    def begin(self, request: AnswerRequest, key: ApiKey) -> "Answering":
        """Take a request; its place is given back when its answers have come to an end, or :meth:`Answering.close`.

        Raises:
            ApiError: There is no such model, or too many are being answered.
        """
        model = self.model(request.model)
        if request.lookup is False and model.voice.lookup and request.form == "chat":
            request = replace(request, lookup=True)  # it has learnt to answer so, and is always asked so
        with self._lock:
            if self._under_way >= self.limits.under_way:
                raise ApiError(
                    429,
                    f"{self._under_way} requests are being answered, which is as many as are taken.",
                    "Try again in a moment.",
                    code="rate_limit_exceeded",
                    wait=1,
                )
            self._under_way += 1
        return Answering(self, request, model, key)

    # ---- for Answering

    def answers(self, answering: "Answering") -> "Iterator[AnswerFrame]":
        """Stream what the model says."""
        request, voice = answering.request, answering.model.voice
        heard: Sequence[Turn] | str = request.asked
        if not isinstance(heard, str):
            heard = answering.veil.over(heard) if answering.veil else heard
            heard = with_instruction(heard, self._voices.instruction([voice.id]))
        chosen = voice.looking.id if request.lookup else voice.id
        dataset = self._offers().dataset
        over = self._home_of_base() if voice.path is None else ""
        is_over, least = answering.is_over, request.least_coverage
        return self._voices.ask([chosen], [heard], request.sampling, "", dataset, "", is_over, over, least)

    def _home_of_base(self) -> str:
        """The voice whose base is meant by 'base': the first adapter that is offered; none where there is none."""
        return next((model.voice.id for model in self.models() if model.voice.path is not None), "")

    def veil(self, voice: Voice) -> Veil:
        """Make the veil for a conversation with a voice."""
        return Veil(self._privacy(voice))

    def give_back(self) -> None:
        """A request has ended."""
        with self._lock:
            self._under_way -= 1

    def holds(self, key: ApiKey) -> bool:
        """Whether somebody may still ask."""
        return self.is_on and self.keys.holds(key.id)


class Answering:
    """One request that is being answered.

    Args:
        endpoint: Where it was taken.
        request: What is asked for.
        model: Who answers.
        key: Who asks.
    """

    def __init__(self, endpoint: Endpoint, request: AnswerRequest, model: OfferedModel, key: ApiKey) -> None:
        self.request, self.model = request, model
        self.veil = endpoint.veil(model.voice) if request.mask else None
        self._endpoint, self._key = endpoint, key
        self._gone = threading.Event()
        self._closed = False

    @property
    def masked(self) -> int:
        """Values that the model did not read."""
        return len(self.veil.hidden) if self.veil else 0

    def stop(self) -> None:
        """Nobody waits for it any more; may be called by any thread."""
        self._gone.set()

    def is_over(self) -> bool:
        """Whether it is to end before its end."""
        return self._gone.is_set() or not self._endpoint.holds(self._key)

    def answers(self) -> Iterator[Answer]:
        """Yield the answer as it grows; done in the last one.

        Raises:
            StudioError: There is none, or whoever asked may no longer.
        """
        try:
            for frame in self._endpoint.answers(self):
                [answer] = frame.answers
                if answer.stopped_by == "cancelled" and not self._gone.is_set():
                    raise self._why_ended()
                yield replace(answer, text=self.veil.lifted(answer.text, done=answer.done)) if self.veil else answer
        finally:
            self.close()

    def close(self) -> None:
        """Give its place back."""
        if not self._closed:
            self._closed = True
            self._endpoint.give_back()

    def _why_ended(self) -> StudioError:
        if not self._endpoint.is_on:
            return ApiError(403, "The endpoint has been switched off.", code="endpoint_off")
        if not self._endpoint.keys.holds(self._key.id):
            return _bad_key()
        return ApiError(503, "The program is closing.", "Start it again.", code="not_now", wait=10)


def _bad_key() -> ApiError:
    return ApiError(
        401, "This API key is not known, or has been revoked.", "Make one on the tab Help desk.", code="invalid_api_key"
    )
