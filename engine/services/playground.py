"""The playground: who can answer, what they are asked, and their answers as they come."""

import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import TYPE_CHECKING

from engine.base_holder import LOOK, BaseHolder
from engine.chat.passing_on import passed_on
from engine.chat.records import LOOKUP, NEAREST, NEAREST_VOICE, Answer, AnswerFrame, LookUp, Voice
from engine.errors import StudioError, TicketsError
from engine.recipe import Recipe
from engine.services.adapters import AdapterService
from engine.services.lookup import LookupService
from engine.services.runs import RunService
from engine.services.stages import result_of, shown_as
from engine.task import Report
from engine.tickets.library import DataSets
from engine.training.runs.directory import RunDirectory
from engine.workspace import Workspace

if TYPE_CHECKING:
    from engine.chat.heldout import HeldOutTicket
    from engine.chat.records import Sampling
    from engine.turns import Turn


NOW = "@now"
"""At the end of a voice's id: a run as it trains."""


class _StoppedBy(threading.Event):
    """Is set, too, once somebody else says so."""

    def __init__(self, should_stop: Callable[[], bool]) -> None:
        super().__init__()
        self._should_stop = should_stop

    def is_set(self) -> bool:
        """Whether it is to stop."""
        return super().is_set() or self._should_stop()


@dataclass(frozen=True, eq=False, slots=True)
class _Asked:
    """An answer that somebody waits for."""

    session: str
    stop: threading.Event = field(default_factory=threading.Event)


class PlaygroundService:
    """Voices and their answers.

    Args:
        workspace: Where the runs are.
        tickets: Where held-out tickets are picked from where no run is asked.
        runs: Whose adapters answer.
        adapters: Others that answer.
        lookup: Finds tickets for those that answer with look-up.
        bases: Who lends the base model.
    """

    def __init__(
        self,
        workspace: Workspace,
        tickets: DataSets,
        runs: RunService,
        adapters: AdapterService,
        lookup: LookupService,
        bases: BaseHolder,
    ) -> None:
        self._workspace = workspace
        self._tickets = tickets
        self._runs = runs
        self._adapters = adapters
        self._lookup = lookup
        self._bases = bases
        self._answers: set[_Asked] = set()

    # ---- who

    def voices(self) -> list[Voice]:
        """Return everybody who can answer: base, finished runs, newest checkpoints of others, imported adapters.

        Each can answer with look-up as well (:attr:`Voice.looking`), and so can the nearest ticket.
        """
        voices = [Voice("base", "Base model", "", None)]
        for run in self._runs.all():
            if run.recipe is None:
                continue
            directory = RunDirectory(self._workspace.runs / run.id)
            if self._runs.can_be_asked(run.id):
                name, model, learnt = run.status.name, run.recipe.model, run.recipe.lookup
                voices.append(
                    Voice(f"run:{run.id}{NOW}", f"{name}, as it trains", model, directory.adapter, lookup=learnt)
                )
            checkpoint = 0 if run.has_adapter else run.checkpoint
            if run.has_adapter or checkpoint:
                voices.append(_voice_of(directory, run.status.name, run.recipe, checkpoint))
        return voices + self._adapters.voices()

    def newest(self, run: str) -> Voice:
        """Return the voice of a run's result, or of its newest checkpoint; the run may lie outside the workspace.

        Raises:
            StudioError: It has learnt nothing yet, or is not there any more.
        """
        directory = self._runs.get(run)
        steps = directory.checkpoint_steps()
        if not directory.has_adapter() and not steps:
            raise StudioError(f"'{directory.status.name}' has learnt nothing yet.", "Wait for its first checkpoint.")
        checkpoint = 0 if directory.has_adapter() else steps[-1]
        return _voice_of(directory, directory.status.name, directory.recipe, checkpoint)

    def voice(self, identifier: str) -> Voice:
        """Return a voice by its id, with look-up where the id says so.

        Raises:
            StudioError: It is not there any more.
        """
        if identifier == NEAREST:
            return NEAREST_VOICE
        plain = identifier.removesuffix(LOOKUP)
        for voice in chain(self.voices(), self._outside(plain)):
            if voice.id == plain:
                return voice.looking if identifier.endswith(LOOKUP) else voice
        raise StudioError("That adapter is not here any more.", "Pick another one from the list.")

    def _outside(self, identifier: str) -> Iterator[Voice]:
        """Yield the voice of a run that is in no list, if there is one."""
        run = Voice(identifier, "", "", None).run
        if run and NOW not in identifier:
            with suppress(StudioError):
                yield self.newest(run)

    def _become(self, identifier: str) -> Voice:
        """A voice by its id; for a run that has trained, which a page may still name so, what has become of it."""
        known, run = [voice.id for voice in self.voices()], identifier.partition(NOW)[0]
        if NOW not in identifier or f"{run}{NOW}" in known:
            return self.voice(identifier)
        return self.voice(next((name for name in known if name.partition("@")[0] == run), identifier))

    # ---- what

    def instruction(self, voices: Sequence[str]) -> str:
        """Return the standing instruction (system prompt) that the voices were trained with, or an empty text.

        Args:
            voices: Ids from :meth:`voices`; the first run among them counts, else the first imported adapter.
        """
        return self._recipe_for([self._become(voice) for voice in voices], None).system_prompt

    def heldout_ticket(self, voices: Sequence[str], dataset: str, number: int) -> "HeldOutTicket":
        """Return a ticket that none of the voices has learnt from.

        Args:
            voices: As for :meth:`heldout_tickets`.
            dataset: As there.
            number: Which ticket; it wraps round, so that any integer is right.

        Raises:
            TicketsError: There is none.
        """
        found = self.heldout_tickets(voices, dataset)
        return found[number % len(found)]

    def heldout_tickets(self, voices: Sequence[str], dataset: str) -> "list[HeldOutTicket]":
        """Return all tickets that none of the voices has learnt from; at least one.

        Args:
            voices: Ids from :meth:`voices`. A run brings the data it was trained and checked on.
            dataset: The data set to pick from where no voice is a run.

        Raises:
            TicketsError: There is none.
        """
        from engine.chat.heldout import heldout_tickets

        runs = dict.fromkeys(run for name in voices if (run := self._become(name).run))
        folders = [self._runs.get(run).data for run in runs]
        if not folders and not dataset:
            raise TicketsError("There is no data set to pick from.", "Prepare your tickets, or try the sample shop.")
        return heldout_tickets(folders or [self._tickets.get(dataset).folder])

    # ---- answers

    def ask(
        self,
        voices: Sequence[str],
        conversations: Sequence["Sequence[Turn] | str"],
        sampling: "Sampling",
        session: str = "",
        dataset: str = "",
        ticket: str = "",
        should_stop: Callable[[], bool] = lambda: False,
        over: str = "",
        least: float = 0.0,
    ) -> "Iterator[AnswerFrame]":
        """Stream the answers of several voices, decoded in one batch.

        Args:
            voices: Ids from :meth:`voices`, with or without look-up, at least one; all adapters belong to one base.
            conversations: One a voice: its own messages so far, the last one the customer's; or a text, which is
                continued as it stands and for which nothing is looked up.
            sampling: Temperature, top-p, length, seed.
            session: Whoever asks; :meth:`stop` with the same name ends the answer.
            dataset: The data set that is looked in where no voice is a run, which looks in its own copy.
            ticket: The held-out ticket that is asked about, if any: look-up finds neither it nor its like.
            should_stop: Looked at before every token.
            over: A voice whose base is asked where no voice names one; else it is the one that is loaded.
            least: The coverage below which all say that a person should answer, 0 to 1; 0 answers all, and so is a
                text continued.

        Yields:
            Frames with the text of every voice so far; the last frame has ``done`` set on each.

        Raises:
            StudioError: A voice is gone, the bases differ, nothing is there to look up, or memory ran out.
        """
        from engine.chat.lookup import completed, with_tickets
        from engine.chat.playground import answer, silent

        chosen = [self.voice(identifier) for identifier in voices]
        asked = _Asked(session, _StoppedBy(should_stop))
        self._answers.add(asked)
        try:
            if refusal := (yield from self._refusal(chosen, conversations[0], dataset, ticket, asked, least)):
                yield refusal
                return
            for place, voice in enumerate(chosen):
                if NOW in voice.id:
                    chosen[place] = yield from self._as_it_trains(voice, voices, asked)
            looked_up, nearest = yield from self._look_up(chosen, conversations, dataset, ticket, asked)
            writers = {
                voice.id: turns for voice, turns in zip(chosen, conversations, strict=True) if voice.id != NEAREST
            }
            speakers = [voice for voice in chosen if voice.id in writers]
            if not speakers:
                yield completed(AnswerFrame("", ()), voices, looked_up, nearest)
                return
            wanted = self._base_recipe([*speakers, self.voice(over)] if over else speakers)
            with self._bases.line_up(wanted) as lease:
                for stage in self._bases.stages(lease, should_stop=asked.stop.is_set):
                    yield completed(silent(list(writers), stage), voices, looked_up, nearest)
                if lease.base is None:
                    yield completed(silent(list(writers), "", "cancelled"), voices, looked_up, nearest)
                    return
                for name, turns in writers.items():
                    if name in looked_up and not isinstance(turns, str):
                        longest = sampling.longest
                        writers[name], looked_up[name] = with_tickets(lease.base, turns, looked_up[name], longest)
                for frame in answer(lease.base, speakers, list(writers.values()), sampling, asked.stop.is_set):
                    yield completed(frame, voices, looked_up, nearest)
        finally:
            self._answers.discard(asked)

    def ask_many(
        self,
        voices: Sequence[str],
        questions: "Sequence[tuple[Sequence[Turn], str]]",
        sampling: "Sampling",
        dataset: str = "",
        report: Report = lambda *_: None,
        should_stop: Callable[[], bool] = lambda: False,
    ) -> "Generator[tuple[Answer, ...], None, None]":
        """Let several voices answer many questions, as many at a time as memory has room for.

        Args:
            voices: As for :meth:`ask`.
            questions: What all voices are asked, each with the held-out ticket that it is about, if any.
            sampling: How the answers are chosen.
            dataset: As for :meth:`ask`.
            report: Told what is being done.
            should_stop: Looked at before every token.

        Yields:
            For each question, in order, an answer a voice; where it was stopped, some are 'cancelled'. Whoever stops
            listening closes it: until then the base is lent.

        Raises:
            StudioError: As for :meth:`ask`.
        """
        from engine.chat.lookup import completed, with_tickets
        from engine.chat.playground import answer_many

        def progress(done: int, total: int) -> None:
            report(f"{done} of {total} answers", done / total)

        def tell(frame: AnswerFrame) -> None:
            report(frame.stage, None)

        chosen = [self.voice(identifier) for identifier in voices]
        asked = _Asked("", _StoppedBy(should_stop))
        self._answers.add(asked)
        try:
            for place, voice in enumerate(chosen):
                if NOW in voice.id:
                    chosen[place] = result_of(self._as_it_trains(voice, voices, asked), tell)
            looked_up = [
                result_of(self._look_up(chosen, [turns] * len(chosen), dataset, ticket, asked), tell)
                for turns, ticket in questions
            ]
            speakers = [voice for voice in chosen if voice.id != NEAREST]
            if not speakers:
                yield from (completed(AnswerFrame("", ()), voices, *each).answers for each in looked_up)
                return
            with self._bases.line_up(self._base_recipe(speakers)) as lease:
                for stage in self._bases.stages(lease, report, asked.stop.is_set):
                    report(stage, None)
                if lease.base is None:
                    return
                heard: list[list[Sequence[Turn]]] = []
                for (turns, _), (by_voice, _) in zip(questions, looked_up, strict=True):
                    heard.append([turns] * len(speakers))
                    for place, voice in enumerate(speakers):
                        if voice.id in by_voice:
                            longest = sampling.longest
                            told, by_voice[voice.id] = with_tickets(lease.base, turns, by_voice[voice.id], longest)
                            heard[-1][place] = told
                answers = answer_many(lease.base, speakers, heard, sampling, progress, asked.stop.is_set)
                for of_question, each in zip(answers, looked_up, strict=True):
                    yield completed(AnswerFrame("", of_question), voices, *each).answers
        finally:
            self._answers.discard(asked)

    def _refusal(
        self,
        chosen: Sequence[Voice],
        conversation: "Sequence[Turn] | str",
        dataset: str,
        ticket: str,
        asked: _Asked,
        least: float,
    ) -> "Generator[AnswerFrame, None, AnswerFrame | None]":
        """Tell how strange a question is.

        Returns:
            The answer of all voices that a person should answer it; None where it is usual enough.
        """
        from engine.chat.playground import silent

        if not least or isinstance(conversation, str):
            return None
        voices = [voice.id for voice in chosen]
        stages = self._lookup.coverage(self._lookup.home(chosen, dataset), conversation, ticket, asked.stop.is_set)
        coverage = yield from shown_as(stages, lambda stage: silent(voices, stage))
        return passed_on(voices, coverage) if coverage is not None and coverage < least else None

    def _look_up(
        self,
        chosen: Sequence[Voice],
        conversations: Sequence["Sequence[Turn] | str"],
        dataset: str,
        ticket: str,
        asked: _Asked,
    ) -> "Generator[AnswerFrame, None, tuple[dict[str, LookUp], Answer | None]]":
        """Look up what the voices need that answer with look-up.

        Returns:
            Voice -> what was found for it; and the answer of the nearest ticket, where that is a voice too.
        """
        from engine.chat.lookup import pasted
        from engine.chat.playground import silent

        voices = [voice.id for voice in chosen]
        by_voice: dict[str, LookUp] = {}
        same: dict[tuple[str, ...], LookUp] = {}
        began = time.perf_counter()
        for voice, conversation in zip(chosen, conversations, strict=True):
            if not voice.lookup or isinstance(conversation, str):
                continue
            words = tuple(turn["content"] for turn in conversation if turn["role"] == "user")
            if words not in same:
                stages = self._lookup.find(self._lookup.home(chosen, dataset), conversation, ticket, asked.stop.is_set)
                seen = yield from shown_as(stages, lambda stage: silent(voices, stage))
                same[words] = seen or LookUp((), 0.0, 0.0)
            by_voice[voice.id] = same[words]
        nearest = pasted(by_voice[NEAREST], time.perf_counter() - began) if NEAREST in by_voice else None
        return by_voice, nearest

    def _as_it_trains(
        self, voice: Voice, voices: Sequence[str], asked: _Asked
    ) -> "Generator[AnswerFrame, None, Voice]":
        """Wait for the end of the step under way, and return the voice with the weights of that moment."""
        from engine.chat.playground import silent

        run = voice.run
        weights = self._runs.snapshot(run)
        yield silent(voices, f"Waiting for the step under way of '{self._runs.get(run).status.name}'")
        while not asked.stop.is_set():
            with suppress(TimeoutError):
                return replace(voice, snapshot=weights.result(LOOK))
        return voice

    def stop(self, session: str = "") -> None:
        """End the answers that ``session`` is waiting for."""
        for asked in tuple(self._answers):
            if asked.session == session:
                asked.stop.set()

    def close(self) -> None:
        """End all answers."""
        for asked in tuple(self._answers):
            asked.stop.set()

    # ---- the base

    def _base_recipe(self, voices: Sequence[Voice]) -> Recipe | None:
        """The recipe of the base that all voices belong to; None where any base will do."""
        models = {voice.model for voice in voices if voice.model}
        if len(models) > 1:
            raise StudioError(
                f"These adapters belong to different base models ({', '.join(sorted(models))}).",
                "Compare adapters of one base at a time.",
            )
        return self._recipe_for(voices, models.pop()) if models else None

    def _recipe_for(self, voices: Sequence[Voice], model: str | None) -> Recipe:
        """The recipe whose loading options fit the voices: that of their run, or the defaults."""
        from engine.export.importing import adapter_recipe

        for voice in voices:
            if voice.run:
                return self._runs.get(voice.run).recipe
        for voice in voices:
            if voice.path is not None:
                return adapter_recipe(voice.path, voice.model)
        return Recipe(model=model) if model else Recipe()


def _voice_of(directory: RunDirectory, name: str, recipe: Recipe, checkpoint: int) -> Voice:
    """The voice of a run's result; of a checkpoint where that is not 0."""
    if not checkpoint:
        return Voice(f"run:{directory.id}", name, recipe.model, directory.adapter, lookup=recipe.lookup)
    label, folder = f"{name}, step {checkpoint}", directory.checkpoint(checkpoint)
    return Voice(f"run:{directory.id}@{checkpoint}", label, recipe.model, folder, lookup=recipe.lookup)
