"""Files -> a data set on disk: runs every stage in order and writes the result to the side before it is renamed.

Owns the order of the stages; the stages themselves live in their own modules, and the files of a data set are listed in
:mod:`engine.tickets.dataset.files`.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from statistics import median
from time import perf_counter

import orjson

from engine.errors import TicketsError
from engine.scratch import scratch, sweep
from engine.tickets.conversation import DAMAGED, KIND_REASONS, LeftOut, excerpt, is_learnt_answer
from engine.tickets.dataset.editing import Editor
from engine.tickets.dataset.files import (
    AGENTS,
    ANSWERED,
    CUSTOMERS,
    DROPPED,
    HELDOUT,
    PREPARED,
    REDACTIONS,
    REPORT,
    TRAIN,
)
from engine.tickets.dataset.stored import StoredConversation, conversations
from engine.tickets.importing.files.sources import find_sources
from engine.tickets.importing.format_plan import plan
from engine.tickets.importing.planned import Plan
from engine.tickets.importing.reading import writers_of
from engine.tickets.lookup.building import build_index
from engine.tickets.options import PrepareOptions
from engine.tickets.preparing.facts import Facts
from engine.tickets.preparing.findings import Held
from engine.tickets.preparing.first_pass import Gathered, Spool, gather
from engine.tickets.preparing.quality import assess
from engine.tickets.preparing.remedies import UNANSWERED, remedy_for
from engine.tickets.preparing.report import Progress, Report, exchanging
from engine.tickets.preparing.selecting import Selection, select
from engine.tickets.privacy.second_look import Finder, FinderOpener, look_again
from engine.workspace import disk_errors, private_file, write_atomically

Builder = Callable[
    [Sequence[Path], Path, PrepareOptions, Callable[[Progress], None], Callable[[], bool]],
    Report,
]
"""Writes the files of a data set into an empty folder; takes what :func:`build` takes."""


def prepare(
    files: Sequence[Path],
    out: Path,
    options: PrepareOptions | None = None,
    progress: Callable[[Progress], None] = lambda _: None,
    should_stop: Callable[[], bool] = lambda: False,
    open_finder: FinderOpener | None = None,
    *,
    builder: Builder | None = None,
) -> Report:
    """Turn export files into a data set.

    Args:
        files: The files that the person chose, of one or several formats.
        out: The folder of the data set; made when missing, an older data set in it is replaced at the end.
        options: What the person chose.
        progress: Told about ten times a second how far it is.
        should_stop: Asked as often; True ends the import and leaves nothing behind.
        open_finder: Opens the model of ``options.second_look``; see :mod:`engine.tickets.privacy.second_look`.
        builder: Does what :func:`build` does; :func:`engine.tickets.sandbox.build` for the files of strangers.

    Returns:
        What was read, kept, left out and masked.

    Raises:
        TicketsError: The files cannot be read, hold no conversation with an answer, or the import was stopped.
        ResourceError: The disk is full or cannot be written.
    """
    options = options or PrepareOptions()
    finder = None
    if options.second_look and options.mask:
        progress(Progress(0, None, "Opening the model that looks for names"))
        finder = _opened(options.second_look, open_finder)
    with disk_errors(out), _side_folder(Path(out)) as side:
        report = (builder or build)([Path(file) for file in files], side, options, progress, should_stop)
        if finder:
            look_again(side, finder, options.allow, progress, should_stop)
            build_index(side)
        _swap(side, Path(out))
    return report


def build(
    files: Sequence[Path],
    side: Path,
    options: PrepareOptions,
    progress: Callable[[Progress], None],
    should_stop: Callable[[], bool],
) -> Report:
    """Write the files of a data set into an empty folder; otherwise as :func:`prepare`."""
    progress(Progress(0, None, "Looking into the files"))
    began = perf_counter()
    plans = plan(find_sources(files), options.overrides)
    looking = perf_counter() - began
    with Spool(side) as spool:
        gathered = gather(plans, spool, options, progress, should_stop)
        gathered.stages["looking into the files"] = looking
        report = _finish(plans, gathered, spool, side, options, progress)
    write_atomically(side / REPORT, orjson.dumps(report.to_json(), option=orjson.OPT_INDENT_2))
    return report


def _opened(folder: str, open_finder: FinderOpener | None) -> Finder:
    if open_finder is None:
        raise TicketsError("There is nothing here that opens a model to look for names.", "Prepare without one.")
    return open_finder(folder)


@contextmanager
def _side_folder(out: Path) -> Iterator[Path]:
    """Give an empty folder beside ``out``; what a killed import left there is swept."""
    out.parent.mkdir(parents=True, exist_ok=True)
    sweep([out.parent])
    with scratch(out.parent, out.name) as folder:
        side = folder / "data"
        side.mkdir(mode=0o700)
        yield side


def _swap(side: Path, out: Path) -> None:
    """Put the finished files in place: the report goes first and comes back last."""
    if not out.exists():
        side.rename(out)
        return
    with exchanging(out):
        (out / REPORT).unlink(missing_ok=True)
        for name in PREPARED:
            (side / name).replace(out / name)


def _finish(
    plans: Sequence[Plan],
    gathered: Gathered,
    spool: Spool,
    side: Path,
    options: PrepareOptions,
    progress: Callable[[Progress], None],
) -> Report:
    """Second pass: repeats, canned replies, the split, the files and the report."""
    progress(Progress(0, None, "Looking for duplicates"))
    began = perf_counter()
    vendors = all(entry.reader and entry.format != "chat" for entry in plans)
    changed = _apply_edits(gathered, spool, side, Editor(options.edits, options, vendors or options.same_files))
    # Somebody has put a chat data set together on purpose: repeated answers in it are wanted.
    curated = all(entry.format == "chat" for entry in plans)
    cap = len(gathered.facts) + 1 if curated else options.canned_cap
    selection = select(gathered.facts, replace(options, canned_cap=cap), ids_are_unique=vendors)
    _leave_out(gathered, spool, selection)
    remaining = [index for index in range(len(gathered.facts)) if index not in selection.dropped]
    if not remaining:
        raise _nothing_kept(plans, gathered)
    gathered.stages["duplicates and split"] = perf_counter() - began
    began = perf_counter()
    _write(side, gathered, spool, remaining, selection, changed, progress)
    learnt = {gathered.facts[index].words_key.hex() for index in remaining if index not in selection.heldout}
    # Those that a person left out may be taken back in.
    pairs = spool.write_pairs(learnt | {entry.key for entry in conversations(side / DROPPED)})
    gathered.stages["writing"] = perf_counter() - began
    began = perf_counter()
    progress(Progress(0, None, "Judging the quality"))
    report = replace(
        _report(plans, gathered, spool, remaining, selection, options),
        stable_ids=vendors,
        preferences=pairs,
        hub=dict(options.hub),
    )
    report.stages["quality report"] = round(perf_counter() - began, 3)
    began = perf_counter()
    sketches = {gathered.facts[index].words_key.hex(): gathered.facts[index].sketch for index in remaining}
    build_index(
        side, lambda stage, done: progress(Progress(round(100 * (done or 0)), 100, stage)), report.languages, sketches
    )
    report.stages["look-up"] = round(perf_counter() - began, 3)
    return report


def _apply_edits(gathered: Gathered, spool: Spool, side: Path, editor: Editor) -> dict[int, bytes]:
    """Take out what the person left out; return the new lines of conversations with rewritten answers."""
    changed = dict[int, bytes]()
    remaining: list[int] = []
    with private_file(side / DROPPED) as dropped:
        if editor.idle:
            return changed
        for index, place in enumerate(gathered.places):
            entry = spool.conversation(place)
            reason, edited = editor.reason(entry), editor.edited(entry)
            if reason:
                gathered.dropped[reason] += 1
                dropped.write(replace(edited, reason=reason).line())
                continue
            if edited is not entry:
                changed[len(remaining)] = edited.line()
            remaining.append(index)
    for name in ("facts", "places", "kinds"):
        column = getattr(gathered, name)
        setattr(gathered, name, [column[index] for index in remaining])
    return changed


def _leave_out(gathered: Gathered, spool: Spool, selection: Selection) -> None:
    for index, reason in selection.dropped.items():
        gathered.dropped[reason] += 1
        entry = spool.conversation(gathered.places[index])
        shown = next(message.content for message in entry.messages if is_learnt_answer(message))
        spool.leave_out(LeftOut(entry.ticket, reason, excerpt(shown)))


_SAID_OF = {
    KIND_REASONS[
        "after_tool"
    ]: "Left out are {:,} answers that follow a tool call: without its result they would teach to invent one.",
    KIND_REASONS["rated_bad"]: "Left out are {:,} answers that the file marks as bad.",
    KIND_REASONS["unknown"]: "Left out are {:,} messages of which it is not clear who wrote them.",
}
"""Reason -> the sentence above the report on messages left out for it, with their number."""


def _nothing_kept(plans: Sequence[Plan], gathered: Gathered) -> TicketsError:
    names = ", ".join(dict.fromkeys(entry.source.path.name for entry in plans))
    if not gathered.read:
        return TicketsError(f"{names} holds no tickets.", "Check that the export finished and covers the right dates.")
    reasons = ", ".join(f"{reason}: {count}" for reason, count in gathered.dropped.most_common(5))
    most = gathered.dropped.most_common(1)[0][0]
    talks = [entry for entry in plans if entry.family != "mail"]  # of mails, the other side lies in another box
    if most in UNANSWERED and talks and len(writing := writers_of(talks)) == 1:
        return TicketsError(
            f"In {names} only one person writes, {writing[0].name}: without the other side no answer can be learnt.",
            "Export the talk with what both sides have written.",
        )
    if most == KIND_REASONS["unknown"]:
        reasons = " ".join((f"{reasons}.", *plans[0].cautions)).removesuffix(".")
    what = f"None of the {gathered.read:,} tickets in {names} has an answer to learn from ({reasons})."
    return TicketsError(what, remedy_for(plans[0], most))


def _write(
    side: Path,
    gathered: Gathered,
    spool: Spool,
    remaining: Sequence[int],
    selection: Selection,
    changed: dict[int, bytes],
    progress: Callable[[Progress], None],
) -> None:
    agents = Counter(agent for index in remaining for agent in gathered.facts[index].agents)
    with (
        private_file(side / TRAIN) as train,
        private_file(side / HELDOUT) as heldout,
        private_file(side / REDACTIONS) as review,
        private_file(side / AGENTS) as who,
        private_file(side / ANSWERED) as answered,
        private_file(side / CUSTOMERS) as customers,
    ):
        customers.write(orjson.dumps(_customers([gathered.facts[index] for index in remaining])))
        who.write(orjson.dumps(dict(agents.most_common(200)), option=orjson.OPT_INDENT_2))
        for number, index in enumerate(remaining):
            place, facts = gathered.places[index], gathered.facts[index]
            stream = heldout if index in selection.heldout else train
            stream.write(changed.get(index) or spool.line(place))
            if place[3]:
                review.write(spool.redactions(place))
            if facts.agents:
                line = {"key": facts.words_key.hex(), "agents": list(facts.agents)}
                answered.write(orjson.dumps(line) + b"\n")
            if number % 5000 == 0:
                progress(Progress(number, len(remaining), "Writing the data set"))
        for written in (train, heldout, review, who, answered, customers):
            written.flush()
            os.fsync(written.fileno())


def _customers(facts: Sequence[Facts]) -> dict[str, int]:
    """Number the customers who have several conversations; who they are, stays out of the data set."""
    times = Counter(entry.customer for entry in facts if entry.customer)
    numbers: dict[str, int] = {}
    return {
        entry.words_key.hex(): numbers.setdefault(entry.customer, len(numbers))
        for entry in facts
        if times[entry.customer] > 1
    }


def _report(
    plans: Sequence[Plan],
    gathered: Gathered,
    spool: Spool,
    remaining: Sequence[int],
    selection: Selection,
    options: PrepareOptions,
) -> Report:
    formats = Counter(entry.format for entry in plans)
    common = formats.most_common(1)[0][0]
    main = min((entry for entry in plans if entry.format == common), key=lambda entry: entry.refusal is not None)
    facts = [gathered.facts[index] for index in remaining]
    redactions: Counter[str] = Counter()
    for index in remaining:
        redactions.update(dict(gathered.kinds[index]))
    tags = Counter(tag for entry in facts for tag in dict.fromkeys(entry.tags))
    languages = Counter(entry.language for entry in facts)
    numbers = {index: number for number, index in enumerate(remaining)}
    canned = [replace(entry, number=numbers[entry.number]) for entry in selection.canned]

    def read(number: int) -> StoredConversation:
        return spool.conversation(gathered.places[remaining[number]])

    return Report(
        format=main.format,
        tickets_read=gathered.read,
        conversations_kept=len(remaining),
        dropped=dict(gathered.dropped.most_common()),
        redactions=dict(redactions.most_common()),
        label=main.label,
        evidence=main.evidence,
        files=[entry.source.name for entry in plans],
        broken_off=list(gathered.broken_off),
        train=len(remaining) - len(selection.heldout),
        heldout=len(selection.heldout),
        messages_kept=sum(entry.turns for entry in facts),
        messages_left_out=dict(gathered.messages_left_out.most_common()),
        split_basis=selection.basis,
        similar=selection.similar,
        tags=dict(tags.most_common(50)),
        ratings=_ratings(facts),
        languages=dict(languages.most_common()),
        median_answer_chars=int(median(chars for entry in facts for chars in entry.answer_chars)),
        warnings=_warnings(plans, gathered, remaining, selection, options),
        quality=assess(facts, canned, gathered.topics, read, Held(len(selection.heldout), selection.shared_answers)),
        stages={name: round(taken, 3) for name, taken in gathered.stages.items()},
    )


def _ratings(facts: Sequence[Facts]) -> dict[str, int]:
    counts = Counter(entry.rating for entry in facts if entry.rating)
    opened = sum(entry.reopened for entry in facts)
    return {**dict(counts.most_common()), **({"reopened": opened} if opened else {})}


def _warnings(
    plans: Sequence[Plan], gathered: Gathered, remaining: Sequence[int], selection: Selection, options: PrepareOptions
) -> list[str]:
    warnings = list(dict.fromkeys(caution for entry in plans for caution in entry.cautions))
    warnings[:0] = gathered.broken_off
    left = gathered.messages_left_out
    warnings.extend(sentence.format(left[reason]) for reason, sentence in _SAID_OF.items() if left[reason])
    damaged = gathered.dropped[DAMAGED]
    if damaged:
        warnings.append(
            f"{damaged:,} damaged {'line was' if damaged == 1 else 'lines were'} left out; the list names each."
        )
    wanted = round(len(remaining) * options.heldout)
    if wanted and len(selection.heldout) < wanted * 0.5:
        warnings.append(
            f"Only {len(selection.heldout)} of {wanted} conversations could be held out: the others belong to the same "
            "customers or say nearly the same, and must stay together."
        )
    if selection.loosened and wanted:
        warnings.append("Many tickets resemble each other, so some that do had to be put on both sides of the split.")
    if (options.rated or options.least_good) and not any(entry.rating for entry in gathered.facts):
        warnings.append("The export says of no ticket how customers rated it, so that ratings could not choose.")
    if options.mask:
        warnings.append("Names and numbers are masked by rules. No detector is complete: look through the masked list.")
    else:
        warnings.append("Personal data was not masked.")
    return warnings
