"""The lists of the sidebar: data sets, runs and adapters.

One of each stands out at most: the selected data set, the selected run where it has learnt from that data set, and what
that run has made. A list has its newest entries; the command palette has them all (ui/shell/palette.py).
"""

from collections.abc import Sequence
from functools import lru_cache

from markupsafe import Markup

from engine.damage import Damaged
from engine.studio import RunInfo, Voice
from engine.tickets.library import DataSetInfo
from engine.training.runs.status import ACTIVE
from ui import icons, words
from ui.parts import NOTHING, STATES, join
from ui.shell.views import menu_button, short_model
from ui.state.focus import focused_run, run_of

MOST = 20
"""Entries of a list; 500 runs and their adapters made 610 kB of HTML, sent anew with every selection."""


def sidebar(
    datasets: Sequence[DataSetInfo],
    runs: Sequence[RunInfo],
    voices: Sequence[Voice],
    dataset: str,
    run: str,
    chosen: Sequence[str],
    damaged: Sequence[Damaged] = (),
) -> Markup:
    """The lists at the left.

    Args:
        datasets: All data sets, the newest first.
        runs: All runs, the newest first.
        voices: Everybody who can answer; imported adapters and results of runs are shown.
        dataset: Id of the selected data set.
        run: Id of the selected run.
        chosen: Ids of the voices in the playground.
        damaged: What none of the lists can show.
    """
    focus = focused_run(datasets, runs, dataset, run)
    sets = [
        _dataset_row(seen, seen.id == dataset)
        for place, seen in enumerate(datasets)
        if place < MOST or seen.id == dataset
    ]
    learnt = [
        _run_row(seen, seen.id == focus)
        for place, seen in enumerate(runs)
        if place < MOST or seen.id == run or seen.status.state in ACTIVE
    ]
    adapters = [voice for voice in voices if voice.path is not None or voice.id.startswith("model:")]
    made = {voice.id for voice in adapters if focus and run_of(voice.id) == focus}
    answering = [
        _adapter_row(voice, voice.id in made, voice.id in chosen)
        for place, voice in enumerate(adapters)
        if place < MOST or voice.id in made or voice.id in chosen
    ]
    return join(
        [
            _section("Data sets", "dataset", sets, len(datasets), "None yet. Drop an export.", "Add tickets"),
            _section("Runs", "run", learnt, len(runs), "None yet.", ""),
            _section(
                "Adapters", "adapter", answering, len(adapters), "A finished run puts one here.", "Import an adapter"
            ),
            _section("Cannot be read", "damaged", [_damaged_row(seen) for seen in damaged], len(damaged), "", "")
            if damaged
            else NOTHING,
        ]
    )


def _section(title: str, kind: str, rows: list[Markup], count: int, hint: str, add: str) -> Markup:
    button = Markup(
        '<button type="button" class="icon-button small" data-do="bring" data-kind="{}" data-key="bring-{}" '
        'aria-label="{}" title="{}">{}</button>'
    ).format(kind, kind, add, add, icons.PLUS)
    more = Markup(
        '<button type="button" class="link side-all" data-palette="{}" data-key="all-{}">Show all {:,}</button>'
    ).format(kind, kind, count)
    body = (
        Markup('<ul class="side-list">{}</ul>{}').format(join(rows), more if count > len(rows) else NOTHING)
        if rows
        else Markup('<p class="hint">{}</p>').format(hint)
    )
    return Markup(
        '<section class="side-section" aria-label="{}"><div class="side-title"><h2>{}</h2>{}</div>{}</section>'
    ).format(title, title, button if add else NOTHING, body)


def _row(
    kind: str,
    identifier: str,
    name: str,
    caption: str,
    selected: bool,
    *,
    mark: Markup = NOTHING,
    more: Markup = NOTHING,
) -> Markup:
    return Markup(
        '<li class="side-row{chosen}" data-kind="{kind}"><button type="button" class="side-pick" data-do="pick" '
        'data-kind="{kind}" data-id="{id}" data-key="{kind}-{id}" aria-current="{current}" title="{name}: {caption}">'
        '<span class="side-name">{mark}{name}</span><span class="side-caption">{caption}</span></button>{more}</li>'
    ).format(
        chosen=" selected" if selected else "",
        current="true" if selected else "false",
        kind=kind,
        id=identifier,
        name=name,
        caption=caption,
        mark=mark,
        more=more,
    )


@lru_cache(maxsize=256)
def _dataset_row(seen: DataSetInfo, selected: bool) -> Markup:
    caption = f"{seen.train:,} + {seen.heldout:,} held out"
    return _row("dataset", seen.id, seen.name, caption, selected, more=_more("dataset", seen.id, seen.name))


@lru_cache(maxsize=256)
def _run_row(run: RunInfo, selected: bool) -> Markup:
    state, best = run.status.state, run.history.best
    caption = f"{STATES[state]} · loss {words.loss(best.loss)}" if best else STATES[state]
    return _row(
        "run",
        run.id,
        run.status.name,
        caption,
        selected,
        mark=Markup('<i class="dot dot-{}"></i>').format(state),
        more=_more("run", run.id, run.status.name, fixed=state in ACTIVE),
    )


@lru_cache(maxsize=256)
def _adapter_row(voice: Voice, selected: bool, answers: bool) -> Markup:
    imported = voice.id.startswith(("adapter:", "model:"))
    origin = "checkpoint" if "@" in voice.id else "from a run"
    if imported:
        origin = "a whole model" if voice.path is None else "imported"
    caption = ("in the playground · " if answers else "") + f"{origin} · {short_model(voice.model)}"
    more = _more("adapter", voice.id, voice.label) if imported else NOTHING
    mark = icons.CHECK if answers else NOTHING
    return _row("adapter", voice.id, voice.label, caption, selected, mark=mark, more=more)


def _damaged_row(seen: Damaged) -> Markup:
    return Markup(
        '<li class="side-row side-damaged" data-kind="damaged" title="{path}: {why}"><div class="side-pick">'
        '<span class="side-name">{mark}{name}</span><span class="side-caption">{why}</span></div>'
        '<button type="button" class="button small" data-do="delete" data-kind="damaged" data-id="{id}" '
        'data-key="damaged-{id}" aria-label="Delete {name}">Delete</button></li>'
    ).format(path=seen.path, why=seen.why, name=seen.path.name, id=seen.id, mark=icons.WARN)


def _more(kind: str, identifier: str, name: str, *, fixed: bool = False) -> Markup:
    return menu_button(kind, identifier, name, fixed=fixed, extra="more")
