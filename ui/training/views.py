"""The tab 'Training': the curve, what is going on in a sentence, the numbers, the log, the table of runs."""

import json
from collections.abc import Sequence
from datetime import datetime

from markupsafe import Markup

from engine.recipe import FIELDS
from engine.studio import RunInfo
from engine.training.runs.history import History
from engine.training.runs.progress import SHARES, JobSnapshot, Phase
from engine.training.runs.status import ACTIVE
from ui import charts, words
from ui.charts import Part, Series
from ui.parts import join, pill
from ui.shell.views import short_model

OVERLAYS = 3
"""Runs that can be laid over the one on the page; each has its own dashes."""

NEAR = 0.005
"""Held-out losses closer than this, in nats, count as equal: the difference cannot be heard in an answer."""


def heading(run: RunInfo, overlays: Sequence[str] = ()) -> Markup:
    """Name, state and the choices of a run; for what an open page asks also which runs it shows."""
    recipe = run.recipe
    facts = [
        run.status.dataset_name,
        short_model(recipe.model) if recipe else "",
        f"rank {recipe.rank}" if recipe else "",
        f"started by {run.status.started_by}" if run.status.started_by else "",
    ]
    return Markup(
        '<div class="run-title" data-run="{}" data-overlays="{}"><h1>{}</h1>{}<p class="quiet">{}</p></div>'
    ).format(
        run.id,
        " ".join(overlays),
        run.status.name,
        pill(run.status.state),
        " · ".join(fact for fact in facts if fact),
    )


def progress(run: RunInfo, job: JobSnapshot | None) -> Markup:
    """The sentence on what is going on, and the bar with the time that is left."""
    told = Markup('<p class="sentence">{}</p>').format(sentence(run, job))
    if job is None or run.status.state not in ACTIVE or run.status.state == "queued":
        return told
    steps = f"step {job.step:,} of {job.steps:,}" if job.phase in {"learn", "check"} else ""
    note = " · ".join(part for part in (steps, words.left(job.seconds_left)) if part)
    return Markup(
        '<div class="work">{}<div class="phases" role="progressbar" aria-label="Progress of the run" aria-valuemin="0" '
        'aria-valuemax="100" aria-valuenow="{:.0f}" aria-valuetext="{}">{}</div><p class="work-note">{}</p></div>'
    ).format(told, 100 * job.whole, f"{PHASES[job.phase]}. {note}", _segments(job), note)


PHASES: dict[Phase, str] = {
    "fetch": "Fetch",
    "load": "Load",
    "measure": "Measure",
    "learn": "Learn",
    "check": "Check",
}
"""The phases of a run, as the bar names them."""


def _segments(job: JobSnapshot) -> Markup:
    """One bar over all phases: those that are done are full, that which is under way as far as it is."""
    order = list(SHARES)
    here = order.index(job.phase)
    pieces = []
    for place, phase in enumerate(order):
        fraction = 1.0 if place < here else 0.0 if place > here else job.fraction
        kind = "done" if place < here else "now" if place == here else ""
        moving = " bar-unknown" if fraction is None and job.state != "paused" else ""
        pieces.append(
            Markup(
                '<div class="phase {}" style="flex-grow:{:g}"><span class="bar{}"><i style="width:{:.1f}%"></i></span>'
                "<b>{}</b></div>"
            ).format(kind, 100 * SHARES[phase], moving, 100 * (fraction or 0.0), PHASES[phase])
        )
    return join(pieces)


def sentence(run: RunInfo, job: JobSnapshot | None) -> str:
    """Say in plain words what is going on with a run."""
    history, status = run.history, run.status
    match status.state:
        case "queued":
            return "Waits until the run before it has ended."
        case "preparing":
            return f"{job.stage}." if job and job.stage else "Getting ready."
        case "stopping":
            return "Stops at the next step; the last checkpoint stays."
        case "paused":
            return f"Holds at step {last_step(history):,}. {_trend(history)}".strip()
        case "running":
            if not history.steps and not history.evaluations:
                return "Measures the base model on the held-out tickets, before the first step."
            return _trend(history) or "Learning. The held-out tickets have not been checked yet."
        case "finished":
            return _outcome(history)
        case "interrupted" | "cancelled" | "failed":
            return _ended(run)
    return ""


def seconds_taken(history: History) -> float | None:
    """How long a run has taken: to its end once that is there, else to its newest step."""
    if history.finished:
        return history.finished.seconds
    return history.last.seconds if history.last else None


def has_curve(history: History) -> bool:
    """Whether there is something to draw; until then no empty card is shown."""
    return history.last is not None or history.checked is not None


def last_step(history: History) -> int:
    """The newest logged step; 0 before the first."""
    return history.last.step if history.last else 0


def _trend(history: History) -> str:
    """What the held-out loss does."""
    trained = [seen for seen in history.evaluations if seen.step > 0]
    before, best = history.before, history.best
    if best is None:
        if before is None:
            return ""
        return (
            f"Learning. Before the first step the held-out loss is {words.loss(before.loss)}; the next check is coming."
        )
    if trained[-1].loss <= best.loss + NEAR:
        start = f", from {words.loss(before.loss)} before training" if before else ""
        return f"Held-out loss is falling: {words.loss(trained[-1].loss)} at step {trained[-1].step:,}{start}."
    return (
        f"Held-out loss has stopped falling since step {best.step:,}; the best checkpoint is {best.step:,} "
        f"({words.loss(best.loss)}, now {words.loss(trained[-1].loss)})."
    )


def _outcome(history: History) -> str:
    took = f" in {words.duration(history.finished.seconds)}" if history.finished else ""
    before, best = history.before, history.best
    if before is None or best is None:
        return f"Finished{took}."
    from_step = f" The adapter is the one from step {history.finished.step:,}." if history.finished else ""
    if _did_not_fall(history):
        return (
            f"Finished{took}, but the held-out loss did not fall ({words.loss(before.loss)} before, "
            f"{words.loss(best.loss)} at best). "
            "Try smaller steps (learning rate) or more tickets."
        )
    end = history.finished.step if history.finished else best.step
    loss = next((seen.loss for seen in history.evaluations if seen.step == end), best.loss)
    return f"Finished{took}. The held-out loss fell from {words.loss(before.loss)} to {words.loss(loss)}.{from_step}"


def _ended(run: RunInfo) -> str:
    status = run.status
    said = status.message or {"cancelled": "Stopped by you.", "failed": "It could not go on."}.get(status.state, "")
    if not run.resumable:
        return f"{said} Its recipe is damaged, so it cannot go on; what it has learnt stays.".strip()
    if "resume" in said.lower():
        return said
    if not run.checkpoint:
        return f"{said} Resume begins again from the first step."
    return f"{said} Resume goes on from step {run.checkpoint:,}."


def facts(history: History) -> Markup:
    """Trainable parameters, examples and the newest numbers; a dash where there is nothing to say yet."""
    started, before, best = history.started, history.before, history.best
    last = history.steps[-1] if history.steps else None
    share = (
        f"{words.percent(started.trainable / started.total)} of {words.parameters(started.total)}" if started else ""
    )
    cells = (
        ("Trainable parameters", words.parameters(started.trainable) if started else "–", share),
        (
            "Learns from",
            f"{started.train_examples:,}" if started else "–",
            f"conversations, {started.heldout_examples:,} held out" if started else "",
        ),
        (
            "Held-out loss",
            words.loss(best.loss) if best else "–",
            f"{words.loss(before.loss)} before training" if before else "",
        ),
        (
            "Time",
            words.duration(taken) if (taken := seconds_taken(history)) else "–",
            f"{last.epoch:.1f} times through the tickets" if last else "",
        ),
    )
    cell = Markup("<div><dt>{}</dt><dd><b>{}</b><span>{}</span></dd></div>")
    return Markup('<dl class="figures">{}</dl>').format(join([cell.format(*texts) for texts in cells]))


def loss_chart(run: RunInfo, others: Sequence[RunInfo]) -> str:
    """Plot data of the big chart: training and held-out loss, the best point, and other runs' held-out loss."""
    history = run.history
    series = [
        Series("training", "train", tuple((seen.step, seen.loss) for seen in history.steps)),
        Series("held-out", "heldout", _heldout(history), dots=True),
    ]
    for number, other in enumerate(others[:OVERLAYS], start=1):
        part: Part = ("other-1", "other-2", "other-3")[number - 1]
        series.append(Series(_overlaid_name(run, other), part, _heldout(other.history), dots=True))
    if not any(line.points for line in series):
        return charts.NOTHING
    marks = (
        [{"x": best.step, "y": best.loss, "text": f"best: {words.loss(best.loss)}"}] if (best := history.best) else []
    )
    lines = [{"y": before.loss, "text": f"base {words.loss(before.loss)}"}] if (before := history.before) else []
    return json.dumps(
        {
            "kind": "lines",
            "label": f"Loss of {run.status.name} by step. {sentence(run, None)}",
            "x": "step",
            "y": "loss",
            "zero": True,
            "end": history.started.steps if history.started else None,
            "series": [line.plain() for line in series if line.points],
            "marks": marks,
            "levels": lines,
        }
    )


def _overlaid_name(run: RunInfo, other: RunInfo) -> str:
    """The name of a run that is laid over another, with what keeps their losses from being compared."""
    if run.recipe and other.recipe and run.recipe.model != other.recipe.model:
        return f"{other.status.name} (another model: not comparable)"
    if _heldout_set(run) != _heldout_set(other):
        return f"{other.status.name} (other held-out tickets: not comparable)"
    return other.status.name


def _heldout_set(run: RunInfo) -> tuple[str, int]:
    """What tells held-out tickets from others: whose they are, and how many."""
    started = run.history.started
    return run.status.dataset, started.heldout_examples if started else 0


def _heldout(history: History) -> tuple[charts.Point, ...]:
    return tuple((seen.step, seen.loss) for seen in history.evaluations)


SMALL: dict[str, tuple[str, str]] = {
    "learning_rate": ("Learning rate", ""),
    "grad_norm": ("Gradient norm", ""),
    "tokens_per_second": ("Speed", "tokens/s"),
    "memory_gib": ("Memory", "GB"),
}
"""Field of a step -> title and unit of its small chart."""


def small_chart(run: RunInfo, field: str) -> str:
    """Plot data of one of the small charts."""
    title, unit = SMALL[field]
    history = run.history
    points = tuple((seen.step, getattr(seen, field)) for seen in history.steps)
    if not points:
        return charts.NOTHING
    return json.dumps(
        {
            "kind": "lines",
            "small": True,
            "label": f"{title} by step",
            "x": "step",
            "y": unit or title.lower(),
            "zero": True,
            "top": run.recipe.learning_rate if run.recipe and field == "learning_rate" else None,
            "end": history.started.steps if history.started else None,
            "series": [Series(title, "plain", points).plain()],
            "marks": [],
            "levels": [],
        }
    )


def log(history: History, limit: int = 200) -> Markup:
    """The newest sentences of the log, the newest first."""
    if not history.notes:
        return Markup('<p class="hint">Nothing to report yet.</p>')
    rows = [
        Markup('<li class="log-{}"><time>{}</time><span>{}</span></li>').format(
            note.level, datetime.fromtimestamp(at).strftime("%H:%M:%S"), note.text
        )
        for at, note in reversed(history.notes[-limit:])
    ]
    return Markup('<ol class="log" reversed>{}</ol>').format(join(rows))


def lower_rate(run: RunInfo) -> float:
    """The learning rate to start again with after the loss of a run broke or did not fall; 0 where neither is so."""
    if run.recipe is None:
        return 0.0
    if run.status.state == "finished" and _did_not_fall(run.history):
        return max(FIELDS["learning_rate"].low or 0.0, float(f"{run.recipe.learning_rate / 5:.2g}"))
    return run.status.lower_rate if run.status.state == "failed" else 0.0


def never_began(run: RunInfo) -> bool:
    """Whether a run failed before it learnt anything: its model could not be loaded, say. It would fail so again."""
    return run.recipe is not None and run.status.state == "failed" and not has_curve(run.history)


def _did_not_fall(history: History) -> bool:
    return bool(history.before and history.best and history.best.loss >= history.before.loss)


def buttons(run: RunInfo | None, job: JobSnapshot | None) -> tuple[bool, bool, bool]:
    """Whether Pause, Resume and Stop are of use now."""
    if run is None:
        return False, False, False
    state = run.status.state
    ours = job is not None and job.run == run.id
    return (
        ours and state == "running",
        state == "paused" or run.resumable,
        state in ("queued", "preparing", "running", "paused"),
    )
