"""The tab 'Playground': panes side by side, each with its name, the weights that answer, and its words."""

from collections.abc import Sequence
from dataclasses import replace

from markupsafe import Markup

from engine.chat.records import NEAREST, NEAREST_VOICE, WITH_LOOKUP, LookedUpTicket
from engine.studio import Voice
from engine.turns import Turn
from engine.verdict.facts.fact import Fact
from ui import words
from ui.parts import NOTHING, join
from ui.playground import inventions
from ui.playground.differences import marked
from ui.shell.views import short_model
from ui.state.conversations import Conversation, Reply
from ui.tickets.views.listing import ticket_name

FEW = 8
"""Tokens below which the speed of an answer says how long its question was read, not how fast it is written."""
MOST_BESIDE = 3
"""Voices beside the base; more panes cannot be read side by side."""

ENDS = {
    "end": "ended by itself",
    "length": "reached the longest answer",
    "cancelled": "stopped by you",
    "stop word": "ended before a stop word",
}
"""Why an answer ended, in words."""


def board(conversation: Conversation, voices: Sequence[Voice]) -> Markup:
    """All panes; beside the answers to a held-out ticket the agent's real one stands last."""
    panes = [_pane(conversation, voice, _compared_with(conversation, voice, voices)) for voice in voices]
    if conversation.agents_answer:
        panes.append(_reference(conversation))
    return Markup('<div class="panes panes-{}">{}</div>').format(len(panes), join(panes))


def _compared_with(conversation: Conversation, voice: Voice, voices: Sequence[Voice]) -> str:
    """What an answer is compared with: the agent's, else the first voice's; empty where it is not."""
    if not conversation.compares or (voice.id == voices[0].id and not conversation.agents_answer):
        return ""
    first = conversation.replies.get(lane(voices[0]))
    return conversation.agents_answer or (first.text if first else "")


def _pane(conversation: Conversation, voice: Voice, other: str) -> Markup:
    heard, newest = conversation.hears(lane(voice)), conversation.replies.get(lane(voice))
    said = [_said(turn["role"], _content(conversation, voice, turn)) for turn in heard]
    if heard and heard[-1]["role"] == "assistant":
        text = heard[-1]["content"]
        said[-1] = _answer(marked(text, other) if other else _marked(conversation, voice, text))
    if newest is not None and not newest.done:
        said.append(_speaking(newest, conversation.stage))
    elif newest is not None and newest.text and heard and heard[-1]["role"] == "user":
        said.append(_answer(_marked(conversation, voice, newest.text)))  # complete, while another voice still speaks
    if said:
        is_answer = newest is not None and (newest.text or not newest.done)
        said.insert(len(said) - bool(is_answer), thoughts(newest))
    body = join([left_off(newest), *said, looked_up(newest)]) or Markup('<p class="hint">{}</p>').format(_hint(voice))
    kind = "agent" if voice.id == NEAREST else "base" if voice.path is None else "tuned"
    return Markup(
        '<section class="pane pane-{}" aria-label="{}" data-voice="{}"><header><h3>{}</h3>'
        '<span class="weights">{}</span>{}</header>'
        '<div class="pane-body" tabindex="0" data-scroll>{}</div>{}</section>'
    ).format(
        kind,
        voice.label,
        voice.id,
        voice.label,
        weights(voice),
        _mark(newest),
        body,
        _footer(conversation, voice, newest),
    )


def _footer(conversation: Conversation, voice: Voice, newest: Reply | None) -> Markup:
    """How the newest answer went, and the button that copies it."""
    has_answer = newest is not None and bool(newest.text)
    return Markup("<footer><span>{}</span>{}</footer>").format(
        _tally(newest, _invented(conversation, voice, newest)),
        _copy_button(voice.id, voice.label) if has_answer else NOTHING,
    )


def _copy_button(identifier: str, name: str) -> Markup:
    return Markup(
        '<button type="button" class="link copy" data-copy-answer data-key="copy-{}" aria-live="polite" '
        'title="Copy the answer of ‘{}’">Copy</button>'
    ).format(identifier, name)


def _content(conversation: Conversation, voice: Voice, turn: Turn) -> str | Markup:
    return _marked(conversation, voice, turn["content"]) if turn["role"] == "assistant" else turn["content"]


def _marked(conversation: Conversation, voice: Voice, text: str) -> Markup:
    """An answer with what it has from nowhere, where that is to be seen."""
    facts = conversation.invented.get((lane(voice), text), ()) if conversation.marks_invented else ()
    return inventions.marked(text, facts)


def _invented(conversation: Conversation, voice: Voice, newest: Reply | None) -> tuple[Fact, ...] | None:
    return conversation.invented.get((lane(voice), newest.text)) if newest is not None and newest.text else None


def _mark(newest: Reply | None) -> Markup:
    """Which weights have answered, told by the weights themselves."""
    if newest is None or not newest.weights:
        return NOTHING
    return Markup(' <code class="mark" title="{}">{}</code>').format(
        "Made of the numbers that answer, not of a name: the same weights always have the same mark.", newest.weights
    )


def _hint(voice: Voice) -> str:
    if voice.id == NEAREST:
        return "The answer of the ticket that is nearest to the question, word for word; no model has a part in it."
    told = "Answers as it did before any training" if voice.path is None else "Answers with what it has learnt"
    return f"{told}, and reads the three nearest tickets first." if voice.lookup else f"{told}."


def weights(voice: Voice) -> str:
    """Say which weights answer: 'base', 'base: starter', 'base + Run 3', or that none do."""
    if voice.id == NEAREST:
        return "no model"
    if voice.path is not None:
        return f"base + {voice.label.removesuffix(WITH_LOOKUP)}"
    return f"base: {short_model(voice.model)}" if voice.model else "base"


def thoughts(newest: Reply | None) -> Markup:
    """What a model that thinks has thought before its newest answer, folded."""
    if newest is None or not newest.thoughts:
        return NOTHING
    return Markup('<details class="thoughts"><summary>What it thought first</summary><p>{}</p></details>').format(
        newest.thoughts
    )


def left_off(newest: Reply | None) -> Markup:
    """That the beginning of a long conversation was not read."""
    if newest is None or not newest.note:
        return NOTHING
    return Markup('<p class="left-off" role="note">{}</p>').format(newest.note)


def looked_up(newest: Reply | None) -> Markup:
    """The tickets that stand behind an answer, folded; or a sentence that none is near enough."""
    if newest is None or newest.lookup is None or not newest.done:
        return NOTHING
    lookup = newest.lookup
    if not lookup.tickets:
        return Markup(
            '<p class="lookup-none">No ticket is near enough (the nearest has {:.2f}, {:.2f} are needed): nothing was '
            "looked up.</p>"
        ).format(lookup.best, lookup.threshold)
    rows = join([_looked_up_ticket(ticket, number < lookup.used) for number, ticket in enumerate(lookup.tickets)])
    told = (
        f"{words.count(lookup.used, 'ticket')} looked up" if lookup.used else "Tickets were found, but there is no room"
    )
    return Markup('<details class="lookup"><summary>{}</summary><ol>{}</ol></details>').format(told, rows)


def _looked_up_ticket(ticket: LookedUpTicket, used: bool) -> Markup:
    said = [
        Markup('<div class="told"><h4>{}</h4><p>{}</p></div>').format(
            "Customer" if turn["role"] == "user" else "The agent wrote", turn["content"]
        )
        for turn in ticket.turns
    ]
    note = NOTHING if used else Markup(' <span class="quiet">found, and not used</span>')
    return Markup(
        '<li><details><summary>{} <span class="quiet">nearness {:.2f}</span>{}</summary>{}</details></li>'
    ).format(ticket_name(ticket.ticket), ticket.score, note, join(said))


def lane(voice: Voice) -> str:
    """Where a conversation keeps what a voice has heard and said; what another base model said is not this one's."""
    return f"{voice.id}:{voice.model}" if voice.path is None and voice.model else voice.id


def _said(role: str, content: str) -> Markup:
    who = {"user": "Customer", "assistant": "Answer", "system": "Standing instruction"}.get(role, role)
    return Markup('<div class="turn turn-{}"><h4>{}</h4><p>{}</p></div>').format(role, who, content)


def _answer(content: str | Markup) -> Markup:
    """The newest answer of a pane, which can be copied."""
    return Markup('<div class="turn turn-assistant"><h4>Answer</h4><p data-answer>{}</p></div>').format(content)


def _speaking(newest: Reply, stage: str) -> Markup:
    if newest.text:
        words_so_far = Markup("<span data-answer>{}</span>").format(newest.text)
    else:
        stage = "Thinking" if newest.thoughts else stage or "Thinking"
        words_so_far = Markup('<span class="quiet">{}</span>').format(stage)
    return Markup(
        '<div class="turn turn-assistant speaking" aria-live="off"><h4>Answer</h4><p>{}<i class="caret"></i></p></div>'
    ).format(words_so_far)


def _tally(newest: Reply | None, invented: tuple[Fact, ...] | None = None) -> Markup:
    """Speed, length, the reason of the end, and how many facts are from nowhere."""
    if newest is None or not newest.tokens:
        return NOTHING
    parts = [words.count(newest.tokens, "token")]
    if newest.speed and newest.tokens >= FEW:
        parts.insert(0, f"{newest.speed:.1f} tokens/s")
    if newest.stopped_by in ENDS:
        parts.append(ENDS[newest.stopped_by])
    if invented is not None:
        parts.append(inventions.counted(invented))
    return Markup("{}").format(" · ".join(parts))


def _reference(conversation: Conversation) -> Markup:
    opening = join([_said(turn["role"], turn["content"]) for turn in conversation.opening])
    return Markup(
        '<section class="pane pane-agent" aria-label="What the agent wrote"><header><h3>The agent</h3>'
        '<span class="weights">ticket {}</span>'
        '</header><div class="pane-body" tabindex="0" data-scroll>{}<div class="turn turn-agent">'
        "<h4>What the agent really wrote</h4><p data-answer>{}</p></div></div>"
        "<footer><span>never learnt from</span>{}</footer></section>"
    ).format(conversation.ticket, opening, conversation.agents_answer, _copy_button("agent", "The agent"))


def everybody(known: Sequence[Voice]) -> list[Voice]:
    """Return who can stand in a pane: each voice, the same with look-up, and the nearest answer."""
    both = [each for voice in known for each in dict.fromkeys((voice, voice.looking))]
    return [*both, NEAREST_VOICE]


def choices(known: Sequence[Voice]) -> list[tuple[str, str]]:
    """Whom to choose from beside the base, as label and id: adapters first."""
    others = [voice for voice in everybody(known) if voice.id != "base"]
    ordered = sorted(others, key=lambda voice: voice.path is None)
    return [
        (f"{voice.label} · {short_model(voice.model)}" if voice.path else voice.label, voice.id) for voice in ordered
    ]


def newly(known: Sequence[Voice], name: str) -> list[str]:
    """Return whom a new playground compares with the base: an adapter, and the same with look-up."""
    return list(dict.fromkeys(each.id for voice in known if voice.id == name for each in (voice, voice.looking)))


def shown(known: Sequence[Voice], chosen: Sequence[str]) -> list[Voice]:
    """The base and the chosen voices that are still there, in the order they were chosen.

    The base is that of the adapters; its model stays empty where it stands alone.
    """
    by_id = {voice.id: voice for voice in everybody(known)}
    beside = [by_id[name] for name in over_one_base(known, chosen)][:MOST_BESIDE]
    model = next((voice.model for voice in beside if voice.model), "")
    first = [] if any(_is_whole(voice) for voice in beside) else [by_id["base"]]  # which would be the same one again
    return [
        replace(voice, model=model) if voice.path is None and voice.id != NEAREST else voice
        for voice in (*first, *beside)
    ]


def _is_whole(voice: Voice) -> bool:
    """Whether a voice is a whole model that was brought in, and answers without look-up."""
    return voice.id.startswith("model:") and not voice.lookup


def over_one_base(known: Sequence[Voice], chosen: Sequence[str]) -> list[str]:
    """Keep of the chosen voices those over the base of the newest adapter, which can answer together."""
    models = {voice.id: voice.model for voice in everybody(known) if voice.id != "base"}
    names = [name if name in models else name.replace("@now", "") for name in chosen]  # it has ended since
    names = [name for name in dict.fromkeys(names) if name in models]
    newest = next((models[name] for name in reversed(names) if models[name]), "")
    return [name for name in names if models[name] in ("", newest)]
