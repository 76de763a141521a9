"""The tab 'Playground': panes side by side, each with its name, the weights that answer, and its words."""

from collections.abc import Sequence
from dataclasses import replace

from markupsafe import Markup

from engine.studio import Voice
from ui import words
from ui.parts import NOTHING, join
from ui.shell.views import short_model
from ui.state.conversations import Conversation, Reply

MOST_ADAPTERS = 3
"""Adapters beside the base; more panes cannot be read side by side."""

ENDS = {"end": "ended by itself", "length": "reached the longest answer", "cancelled": "stopped by you"}
"""Why an answer ended, in words."""


def board(conversation: Conversation, voices: Sequence[Voice]) -> Markup:
    """All panes; with a held-out ticket the agent's real answer stands last."""
    panes = [_pane(conversation, voice) for voice in voices]
    if conversation.reference:
        panes.append(_reference(conversation))
    return Markup('<div class="panes panes-{}">{}</div>').format(len(panes), join(panes))


def _pane(conversation: Conversation, voice: Voice) -> Markup:
    heard, newest = conversation.hears(lane(voice)), conversation.replies.get(lane(voice))
    said = [_said(turn["role"], turn["content"]) for turn in heard]
    if newest is not None and not newest.done:
        said.append(_speaking(newest, conversation.stage))
    elif newest is not None and newest.text and heard and heard[-1]["role"] == "user":
        said.append(_said("assistant", newest.text))  # complete, while another voice still speaks
    body = join(said) if said else Markup('<p class="hint">{}</p>').format(_hint(voice))
    kind = "base" if voice.path is None else "tuned"
    return Markup(
        '<section class="pane pane-{}" aria-label="{}" data-voice="{}"><header><h3>{}</h3>'
        '<span class="weights">{}{}</span></header>'
        '<div class="pane-body" tabindex="0" data-scroll>{}</div><footer>{}</footer></section>'
    ).format(kind, voice.label, voice.id, voice.label, weights(voice), _mark(newest), body, _tally(newest))


def _mark(newest: Reply | None) -> Markup:
    """Which weights have answered, told by the weights themselves."""
    if newest is None or not newest.weights:
        return NOTHING
    return Markup(' <code class="mark" title="{}">{}</code>').format(
        "Made of the numbers that answer, not of a name: the same weights always have the same mark.", newest.weights
    )


def _hint(voice: Voice) -> str:
    return "Answers as it did before any training." if voice.path is None else "Answers with what it has learnt."


def weights(voice: Voice) -> str:
    """Say which weights answer: 'base', 'base: starter', or 'base + Run 3'."""
    if voice.path is not None:
        return f"base + {voice.label}"
    return f"base: {short_model(voice.model)}" if voice.model else "base"


def lane(voice: Voice) -> str:
    """Where a conversation keeps what a voice has heard and said; what another base model said is not this one's."""
    return f"{voice.id}:{voice.model}" if voice.path is None and voice.model else voice.id


def _said(role: str, content: str) -> Markup:
    who = {"user": "Customer", "assistant": "Answer", "system": "Standing instruction"}.get(role, role)
    return Markup('<div class="turn turn-{}"><h4>{}</h4><p>{}</p></div>').format(role, who, content)


def _speaking(newest: Reply, stage: str) -> Markup:
    words_so_far = (
        Markup("{}").format(newest.text)
        if newest.text
        else Markup('<span class="quiet">{}</span>').format(stage or "Thinking")
    )
    return Markup(
        '<div class="turn turn-assistant speaking" aria-live="off"><h4>Answer</h4><p>{}<i class="caret"></i></p></div>'
    ).format(words_so_far)


def _tally(newest: Reply | None) -> Markup:
    """Speed, length and the reason of the end."""
    if newest is None or not newest.tokens:
        return NOTHING
    parts = [words.count(newest.tokens, "token")]
    if newest.speed:
        parts.insert(0, f"{newest.speed:.1f} tokens/s")
    if newest.stopped_by in ENDS:
        parts.append(ENDS[newest.stopped_by])
    return Markup("{}").format(" · ".join(parts))


def _reference(conversation: Conversation) -> Markup:
    opening = join([_said(turn["role"], turn["content"]) for turn in conversation.opening])
    return Markup(
        '<section class="pane pane-agent" aria-label="What the agent wrote"><header><h3>The agent</h3>'
        '<span class="weights">ticket {}</span>'
        '</header><div class="pane-body" tabindex="0" data-scroll>{}<div class="turn turn-agent">'
        "<h4>What the agent really wrote</h4><p>{}</p></div></div>"
        "<footer>never learnt from</footer></section>"
    ).format(conversation.ticket, opening, conversation.reference)


def choices(voices: Sequence[Voice]) -> list[tuple[str, str]]:
    """The adapters to choose from, as label and id."""
    return [(f"{voice.label} · {short_model(voice.model)}", voice.id) for voice in voices if voice.path is not None]


def shown(voices: Sequence[Voice], chosen: Sequence[str]) -> list[Voice]:
    """The base and the chosen adapters that are still there, in the order they were chosen.

    The base is that of the adapters; its model stays empty where it stands alone.
    """
    by_id = {voice.id: voice for voice in voices}
    adapters = [by_id[name] for name in over_one_base(voices, chosen)][:MOST_ADAPTERS]
    return [replace(by_id["base"], model=adapters[0].model if adapters else ""), *adapters]


def over_one_base(voices: Sequence[Voice], chosen: Sequence[str]) -> list[str]:
    """Keep of the chosen adapters those over the base of the newest, which can answer together."""
    models = {voice.id: voice.model for voice in voices if voice.path is not None}
    known = [name if name in models else name.removesuffix("@now") for name in chosen]  # it has ended since
    known = [name for name in dict.fromkeys(known) if name in models]
    return [name for name in known if models[name] == models[known[-1]]]
