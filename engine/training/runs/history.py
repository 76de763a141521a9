"""History: a run's curve as its events tell it, in a size that does not grow with the run.

    Curve           takes in one record after the other
    History         what it tells, for charts and sentences
    Summary         the few numbers of it that a list of runs shows
    StoredHistory   a History that is a summary until somebody asks for the curve

Curves are thinned (thinning.py), so that a run of a million steps is as quick to show as one of a thousand. Nothing
here knows files.
"""

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, fields
from statistics import median
from typing import Any

from engine.training.runs.events import (
    Checkpointed,
    DryRunMeasured,
    Evaluated,
    Finished,
    GeneralChecked,
    LogNote,
    Paused,
    Record,
    Replied,
    Started,
    Stepped,
)
from engine.training.runs.thinning import Thinned

NOTES = 500
"""Sentences that are kept, the newest."""
GENERAL_CHECKS = 500
"""Checks of what the model knew before that are kept: the base's and the newest."""
REPLIES = 500
"""Likewise of replies on the way."""
CHECKPOINTS = 200
"""Checkpoints that are kept in mind, the newest; far fewer are on the disk."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What a list of runs says of one."""

    started: Started | None = None
    finished: Finished | None = None
    last: Stepped | None = None
    before: Evaluated | None = None
    best: Evaluated | None = None
    checked: Evaluated | None = None
    speed: float = 0.0

    def plain(self) -> dict[str, Any]:
        """Return it as JSON's values; :meth:`read` is the other way."""
        return asdict(self)

    @classmethod
    def read(cls, values: dict[str, Any]) -> "Summary":
        """Return what :meth:`plain` was given.

        Raises:
            TypeError: It is no such thing.
        """
        kinds = {"started": Started, "finished": Finished, "last": Stepped}
        kinds |= dict.fromkeys(("before", "best", "checked"), Evaluated)
        return cls(**{name: _one(kinds[name], value) if name in kinds else value for name, value in values.items()})


@dataclass(frozen=True)
class History:
    """A run's curve, as its events tell it.

    After a resume the steps from the checkpoint on are told a second time; the later telling counts.
    """

    started: Started | None = None
    steps: tuple[Stepped, ...] = ()
    """In their order; of a long run its lowest and highest losses and its newest step."""
    evaluations: tuple[Evaluated, ...] = ()
    """Likewise."""
    checkpoints: tuple[int, ...] = ()
    notes: tuple[tuple[float, LogNote], ...] = ()
    """Unix seconds and sentence."""
    finished: Finished | None = None
    dry_run: DryRunMeasured | None = None
    paused: bool = False
    """Whether the run, in processes of its own, waits at a step boundary."""
    general: tuple[GeneralChecked, ...] = ()
    """What the model knew before, check by check."""
    replies: tuple[Replied, ...] = ()
    """How many facts the replies on the way invented, check by check; in the order of their steps."""
    tokens: float = 0.0
    """Tokens trained on: those that the trainer counted; an earlier version told only its speed."""
    stalled: float = 0.0
    """Seconds since the start or the last resume in which a streamed base waited for its layers."""

    @property
    def last(self) -> Stepped | None:
        """The newest step."""
        return self.steps[-1] if self.steps else None

    @property
    def checked(self) -> Evaluated | None:
        """The newest check on held-out tickets."""
        return self.evaluations[-1] if self.evaluations else None

    @property
    def best(self) -> Evaluated | None:
        """The lowest held-out loss after the first step."""
        trained = [seen for seen in self.evaluations if seen.step > 0]
        return min(trained, key=lambda seen: (seen.loss, seen.step), default=None)

    @property
    def before(self) -> Evaluated | None:
        """The held-out loss of the untouched base."""
        return next((seen for seen in self.evaluations if seen.step == 0), None)

    @property
    def speed(self) -> float:
        """Tokens a second, the middle of all steps but the first, which warms up; 0 while unknown."""
        return median([seen.tokens_per_second for seen in self.steps[1:]] or [0.0])

    @property
    def waited(self) -> float | None:
        """The share of the time in which a streamed base waited for its layers, 0 to 1; None where none is streamed."""
        if self.started is None or not self.started.streamed or self.last is None:
            return None
        return min(1.0, self.stalled / max(1e-9, self.last.seconds))

    @property
    def summary(self) -> Summary:
        """What a list says of it."""
        return Summary(self.started, self.finished, self.last, self.before, self.best, self.checked, self.speed)


class StoredHistory(History):
    """A history of which only the summary is in memory; the rest is read when somebody asks for it.

    Args:
        summary: The summary.
        read: Gives the whole.
    """

    def __init__(self, summary: Summary, read: Callable[[], History]) -> None:
        self.__dict__.update(_summary=summary, _read=read)

    def __getattribute__(self, name: str) -> Any:
        own = object.__getattribute__(self, "__dict__")
        if name in _SUMMED_UP:
            return getattr(own["_summary"], name)
        if name == "summary":
            return own["_summary"]
        if name in _CURVE:
            return getattr(own["_read"](), name)
        return object.__getattribute__(self, name)


_SUMMED_UP = frozenset(item.name for item in fields(Summary))
_CURVE = frozenset(item.name for item in fields(History)) - _SUMMED_UP


class Curve:
    """Takes in a run's events one after the other; costs the same for each, however long the run is."""

    def __init__(self) -> None:
        self._started: Started | None = None
        self._dry_run: DryRunMeasured | None = None
        self._finished: Finished | None = None
        self._paused = False
        self._steps: Thinned[Stepped] = Thinned(_loss)
        self._evaluations: Thinned[Evaluated] = Thinned(_loss)
        self._checkpoints: dict[int, float] = {}
        """Step -> the tokens until there, from where a resumed run counts on."""
        self._general: list[GeneralChecked] = []
        self._replies: dict[int, Replied] = {}
        self._notes: list[tuple[float, LogNote]] = []
        self._tokens = self._until = self._stalled = 0.0

    def add(self, record: Record) -> None:
        """Take in one event."""
        match record.event:
            case Started() as event:
                self._begin(event)
            case DryRunMeasured() as event:
                self._dry_run = event
            case Stepped() as event:
                self._steps.add(event)
                self._tokens += event.tokens or event.tokens_per_second * max(0.0, event.seconds - self._until)
                self._until = event.seconds
                self._stalled += event.stalled
            case Evaluated() as event:
                self._evaluations.add(event)
            case GeneralChecked() as event:
                self._general.append(event)
                del self._general[1:-GENERAL_CHECKS]
            case Replied() as event:
                self._replies[event.step] = event
                while len(self._replies) > REPLIES:
                    del self._replies[sorted(self._replies)[1]]
            case Checkpointed() as event:
                self._checkpoints.pop(event.step, None)
                self._checkpoints[event.step] = self._tokens
                while len(self._checkpoints) > CHECKPOINTS:
                    del self._checkpoints[min(self._checkpoints)]
            case Paused() as event:
                self._paused = event.on
            case Finished() as event:
                self._finished = event
            case LogNote() as event:
                self._notes.append((record.at, event))
                del self._notes[:-NOTES]

    def _begin(self, event: Started) -> None:
        """Go back to the checkpoint from which the run goes on."""
        self._started, self._dry_run, self._finished, self._paused = event, None, None, False
        self._steps.cut(event.first_step)
        self._evaluations.cut(event.first_step)
        self._general = [seen for seen in self._general if seen.step <= event.first_step and event.first_step]
        goes_on = event.first_step > 0
        self._replies = {step: seen for step, seen in self._replies.items() if goes_on and step <= event.first_step}
        self._checkpoints = {step: known for step, known in self._checkpoints.items() if step <= event.first_step}
        self._tokens = self._checkpoints.get(event.first_step, self._tokens) if event.first_step else 0.0
        self._until = self._stalled = 0.0

    def history(self) -> History:
        """Return what has been told so far."""
        return History(
            self._started,
            self._steps.points(),
            self._evaluations.points(),
            tuple(sorted(self._checkpoints)),
            tuple(self._notes),
            self._finished,
            self._dry_run,
            self._paused,
            tuple(self._general),
            tuple(self._replies[step] for step in sorted(self._replies)),
            self._tokens,
            self._stalled,
        )

    def plain(self) -> dict[str, Any]:
        """Return it as JSON's values; :meth:`read` is the other way."""
        return {
            "started": self._started and asdict(self._started),
            "rehearsed": self._dry_run and asdict(self._dry_run),
            "finished": self._finished and asdict(self._finished),
            "held": self._paused,
            "steps": [self._steps.stretch, *_rows(self._steps.points())],
            "evaluations": [self._evaluations.stretch, *_rows(self._evaluations.points())],
            "general": _rows(self._general),
            "replies": _rows(self._replies.values()),
            "checkpoints": list(self._checkpoints.items()),
            "notes": [[at, note.text, note.level] for at, note in self._notes],
            "tokens": self._tokens,
            "until": self._until,
            "stalled": self._stalled,
        }

    @classmethod
    def read(cls, values: dict[str, Any]) -> "Curve":
        """Return what :meth:`plain` was given.

        Raises:
            KeyError, TypeError, ValueError: It is no such thing.
        """
        history = cls()
        history._started = _one(Started, values["started"])
        history._dry_run = _one(DryRunMeasured, values["rehearsed"])
        history._finished = _one(Finished, values["finished"])
        history._paused = values["held"]
        history._steps = Thinned(_loss, values["steps"][0], (Stepped(*row) for row in values["steps"][1:]))
        checks = values["evaluations"]
        history._evaluations = Thinned(_loss, checks[0], (Evaluated(*row) for row in checks[1:]))
        history._general = [GeneralChecked(*row) for row in values["general"]]
        history._replies = {row[0]: Replied(*row) for row in values["replies"]}
        history._checkpoints = {int(step): float(tokens) for step, tokens in values["checkpoints"]}
        history._notes = [(at, LogNote(text, level)) for at, text, level in values["notes"]]
        history._tokens, history._until = float(values["tokens"]), float(values["until"])
        history._stalled = float(values["stalled"])
        return history


def _loss(seen: Stepped | Evaluated) -> float:
    return seen.loss


def _one(kind: Any, values: dict[str, Any] | None) -> Any:
    return None if values is None else kind(**values)


def _rows(points: Iterable[Any]) -> list[list[Any]]:
    return [[getattr(point, item.name) for item in fields(point)] for point in points]
