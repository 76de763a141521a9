"""The tab 'Verdict': the sentence on top, and the table of voices with intervals; every figure opens its tickets."""

import math
from collections.abc import Sequence

from markupsafe import Markup

from engine.chat.records import NEAREST
from engine.studio import RunInfo
from engine.training.runs.status import ACTIVE
from engine.typed_numbers import signed
from engine.verdict.coach import Advice
from engine.verdict.intervals import Interval
from engine.verdict.records import DECIDES, MEASURES, Kind, Verdict
from engine.verdict.risk import risk
from ui import icons, parts, words
from ui.parts import NOTHING, join

MARKS: dict[Kind, tuple[str, Markup]] = {
    "better": ("fits", icons.CHECK),
    "as good": ("tight", icons.WARN),
    "worse": ("not", icons.CROSS),
    "no difference": ("unknown", icons.HELP),
}
"""Kind of verdict -> how it is coloured, and its sign."""
KINDS: dict[Kind, str] = {
    "better": "Worth it",
    "as good": "As good without",
    "worse": "Better without",
    "no difference": "Not decided",
}
ABOUT_COVERAGE = (
    "Coverage: the share of the learnt tickets that are stranger to the others than this question is to them. It is a "
    "rough guess: of a question on a topic that was never learnt and one on a usual topic, the new one has the lower "
    "coverage 79 times of 100 (sample shop). Where it helps, let drafts and programs pass strange questions on."
)
OUTDATED = parts.banner(
    "This was said of other weights.", "The run has learnt on since, or has ended: judge it again.", kind="note"
)
SHARES = frozenset({"language", "ends", "broken"})
"""Measures that are shares of the answers."""
DIGITS = {"chrf": 0, "rouge_l": 0, "loss": 2, "length": 2, "inventions": 1}
"""Behind the point, of the others."""


def heading(run: RunInfo) -> Markup:
    """Name the run that is judged."""
    facts = [run.status.dataset_name, "finished" if run.has_adapter else f"checkpoint of step {run.checkpoint:,}"]
    return Markup('<h1>Was ‘{}’ worth it?</h1><p class="quiet">{}</p>').format(
        run.status.name, " · ".join(fact for fact in facts if fact)
    )


def offer(run: RunInfo) -> Markup:
    """Say what will be done, where a run was not judged yet."""
    if not run.has_adapter and not run.checkpoint:
        return Markup('<p class="sentence">This run has learnt nothing yet.</p><p class="quiet">{}</p>').format(
            "As soon as it has its first checkpoint it can be judged."
        )
    return Markup('<p class="sentence">This run was not judged yet.</p><p class="quiet">{}</p>').format(
        "The tickets that were held out are answered by the tuned model, by the base model, by the base model with "
        "three near tickets in its prompt, and by the nearest answer, copied. What comes closest to what your agents "
        "really wrote, with what certainty, is then said in one sentence. It takes some minutes; cancelled, it goes on "
        "later where it was."
    )


def sentence(verdict: Verdict, now: float, outdated: bool = False) -> Markup:
    """Show the verdict in words: the sentence first, then what else is to be known.

    Args:
        verdict: The verdict.
        now: Seconds since 1970.
        outdated: Whether the run has other weights by now.
    """
    (kind, mark), note = MARKS[verdict.kind], OUTDATED if outdated else ""
    more = join([Markup("<li>{}</li>").format(told) for told in verdict.more])
    return Markup(
        '<div class="verdict verdict-{}"><span class="badge badge-{}">{}{}</span><p class="verdict-sentence">{}</p>'
        '{}<ul class="verdict-more">{}</ul><p class="quiet">{}</p></div>'
    ).format(kind, kind, mark, KINDS[verdict.kind], verdict.sentence, note, more, basis(verdict, now))


def basis(verdict: Verdict, now: float) -> str:
    """Say what the verdict rests on."""
    of = f" of {verdict.heldout:,}" if verdict.heldout > len(verdict.tickets) else ""
    difference = verdict.headline.difference
    return (
        f"Judged {words.when(verdict.made, now)} on {words.count(len(verdict.tickets), 'held-out ticket')}{of}, in "
        f"{words.count(difference.groups, 'group')} of one customer or topic; ranges hold the truth 95 times of 100."
    )


def at_a_glance(run: RunInfo, verdict: Verdict | None) -> Markup:
    """Say on a run's own page whether it was worth it, with the way to the tab Verdict; nothing while it learns."""
    if run.status.state in ACTIVE or not run.has_adapter:
        return NOTHING
    told = verdict.sentence if verdict else "Was it worth it? The held-out tickets can tell."
    button = '<button type="button" class="link" data-do="verdict" data-key="to-verdict">{}</button>'
    return Markup('<p class="run-verdict"><strong>{}</strong> ' + button + "</p>").format(
        told, "See why  →" if verdict else "Judge it  →"
    )


def coach(told: Sequence[Advice]) -> Markup:
    """Show what the run's own figures say to do next; nothing where they say nothing."""
    if not told:
        return NOTHING
    rows = join(
        [
            Markup('<li><strong>{}</strong><span>{}</span><span class="quiet">Rule: {}</span></li>').format(
                each.do, each.saw, each.rule
            )
            for each in told
        ]
    )
    return Markup('<section class="sheet"><h2>What to do next</h2><ul class="coach">{}</ul></section>').format(rows)


def voices_in_order(verdict: Verdict) -> list[str]:
    """Return the ids of the voices as the table shows them: tuned ones first, the nearest answer last."""
    ids = [voice.id for voice in verdict.voices]
    tuned = [voice.id for voice in verdict.voices if voice.role == "tuned"]
    return [*tuned, *(voice for voice in ids if voice not in tuned)]


def short_label(verdict: Verdict, voice: str) -> str:
    """Name a voice in the head of a column."""
    label = verdict.voice(voice).label.removeprefix("the ").replace("the answer of the nearest", "nearest")
    if voice == NEAREST:
        label = "nearest answer, copied"
    return label[:1].upper() + label[1:]


def table(verdict: Verdict, opened: tuple[str, str] = ("", "")) -> Markup:
    """Show a measure a row and a voice a column; each figure is a button that opens the tickets behind it.

    Args:
        verdict: The verdict.
        opened: Voice and measure of the figure whose tickets are shown.
    """
    voices = voices_in_order(verdict)
    heads = join(
        [
            Markup('<th scope="col"{}>{}</th>').format(
                Markup(' class="decides"') if voice == verdict.headline.tuned else NOTHING, short_label(verdict, voice)
            )
            for voice in voices
        ]
    )
    rows = join([_row(verdict, measure, voices, opened) for measure in MEASURES if _is_known(verdict, measure)])
    return Markup(
        '<div class="table-scroll" tabindex="0" role="region" aria-label="Figures of all voices"><table '
        'class="table verdict-table"><thead><tr><th scope="col">On the held-out tickets</th>{}</tr></thead>'
        "<tbody>{}</tbody></table></div>"
        '<p class="hint">Under each figure: how much more {} has, with the range in which the difference lies; bold '
        "where it is clear. Click a figure to see the tickets behind it.</p>"
    ).format(heads, rows, verdict.voice(verdict.headline.tuned).label)


def strange(verdict: Verdict) -> Markup:
    """Show how good the answers would be if the strangest questions were passed to a person."""
    measures = (DECIDES, "inventions")
    answered = risk(verdict.tickets, verdict.headline.tuned, measures)
    if not answered:
        return NOTHING
    rows = join(
        [
            Markup('<tr><th scope="row">{} ({:,})</th><td class="number">{}</td>{}</tr>').format(
                words.percent(one.share),
                one.count,
                words.percent(one.least),
                join([_mean(one.means.get(measure), measure) for measure in measures]),
            )
            for one in answered
        ]
    )
    return Markup(
        '<section class="sheet"><h2>What if it passed strange questions to a person?</h2><div class="table-scroll" '
        'tabindex="0" role="region" aria-label="Answers by coverage"><table class="table"><thead><tr>'
        '<th scope="col">Answered, the most usual first</th><th scope="col" class="number">Coverage from</th>'
        '<th scope="col" class="number">{}</th><th scope="col" class="number">{}</th></tr></thead>'
        '<tbody>{}</tbody></table></div><p class="hint">{}</p></section>'
    ).format(*(MEASURES[measure].label for measure in measures), rows, ABOUT_COVERAGE)


def _mean(value: Interval | None, measure: str) -> Markup:
    if value is None:
        return Markup('<td class="number">–</td>')
    if not math.isfinite(value.error):
        return Markup('<td class="number">{}</td>').format(figure(value.mean, measure))
    low, high = max(0.0, value.low), min(MEASURES[measure].most, value.high)
    return Markup('<td class="number">{}<span class="range">{} to {}</span></td>').format(
        *(figure(one, measure) for one in (value.mean, low, high))
    )


def _is_known(verdict: Verdict, measure: str) -> bool:
    return any(measure in of for of in verdict.figures.values())


def _row(verdict: Verdict, measure: str, voices: Sequence[str], opened: tuple[str, str]) -> Markup:
    about = MEASURES[measure]
    cells = [_cell(verdict, voice, measure, opened == (voice, measure)) for voice in voices]
    return Markup('<tr{}><th scope="row"><b>{}</b><span>{}</span></th>{}</tr>').format(
        Markup(' class="decides"') if measure == DECIDES else NOTHING, about.label, _hint(measure), join(cells)
    )


def _hint(measure: str) -> str:
    about = MEASURES[measure]
    wanted = {"more": "more is better", "less": "less is better", "as the agents": "1 is right"}[about.better]
    return f"{about.about} {about.unit.capitalize()}; {wanted}."


def _cell(verdict: Verdict, voice: str, measure: str, opened: bool) -> Markup:
    interval = verdict.figures[voice].get(measure)
    if interval is None:
        return Markup('<td class="number"><span class="figure quiet">–</span></td>')
    apart = verdict.differences.get(voice, {}).get(measure)
    beside = NOTHING if apart is None else _difference(apart, measure)
    label = f"{MEASURES[measure].label}, {verdict.voice(voice).label}: show the tickets"
    return Markup(
        '<td class="number"><button type="button" class="figure{}" data-do="open" data-voice="{}" data-measure="{}" '
        'data-key="figure-{}-{}" aria-label="{}: {}" aria-pressed="{}"><b>{}</b>{}</button></td>'
    ).format(
        " selected" if opened else "",
        voice,
        measure,
        measure,
        voice,
        label,
        figure(interval.mean, measure),
        "true" if opened else "false",
        figure(interval.mean, measure),
        beside,
    )


def _difference(apart: Interval, measure: str) -> Markup:
    shown = "<strong>{}</strong>" if apart.is_clear else "<span>{}</span>"
    return Markup(shown + '<span class="range">{}</span>').format(difference(apart.mean, measure), span(apart, measure))


def span(interval: Interval, measure: str) -> str:
    """Write the range of a difference."""
    if not math.isfinite(interval.error):
        return "cannot be told"
    low, high = MEASURES[measure].possible(interval)
    return f"{difference(low, measure)} to {difference(high, measure)}"


def figure(value: float, measure: str) -> str:
    """Write a value of a measure."""
    if measure in SHARES:
        return words.percent(value)
    return f"{value:.{DIGITS[measure]}f}"


def difference(value: float, measure: str) -> str:
    """Write a difference of a measure with its sign; of shares in points of 100."""
    return signed(value * 100) if measure in SHARES else signed(value, DIGITS[measure])
