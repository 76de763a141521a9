"""The tab 'Help desk': a draft and what stands behind it, the keys, and where programs ask."""

import time
from collections.abc import Sequence

from markupsafe import Markup

from engine.errors import StudioError
from engine.serving.drafting import Draft
from engine.serving.keys import ApiKey
from engine.serving.offers import Offers
from engine.studio import Voice
from ui import parts, words
from ui.parts import NOTHING, join
from ui.playground.views import left_off, looked_up
from ui.state.conversations import Reply
from ui.state.focus import run_of

ADDRESS = "ADDRESS"
"""Stands for the address of the window, which the page itself knows (assets/window/address.js)."""

DRAFT_TITLE = Markup(
    '<h1>Draft a reply</h1><p class="quiet">Paste what the customer has written. Names, addresses and numbers are '
    "hidden from the model, and put back into its answer.</p>"
)

ENDS = {"length": "It was cut at the longest reply.", "cancelled": "You stopped it."}


def nothing_drafted() -> Markup:
    """What stands where the draft will be."""
    return _pane(
        Markup(
            '<p class="hint">The draft appears here, word by word. You read it, copy it and change it in your help '
            "desk; nothing is sent by itself.</p>"
        )
    )


def draft(seen: Draft) -> Markup:
    """A draft as it is written, and what stands behind it."""
    if seen.text:
        caret = NOTHING if seen.done else Markup('<i class="caret"></i>')
        body = Markup('<div class="turn turn-assistant"><p data-answer>{}{}</p></div>').format(seen.text, caret)
    elif seen.done:
        body = Markup('<p class="hint">The model has nothing to say to this.</p>')
    else:
        body = Markup('<p class="quiet" role="status">{}<i class="caret"></i></p>').format(seen.stage or "Writing")
    reply = Reply(seen.text, done=seen.done, lookup=seen.lookup, note=seen.note)
    behind = [left_off(reply), looked_up(reply), hidden(seen.hidden)]
    ending = ENDS.get(seen.stopped_by or "", "") if seen.done else ""
    return _pane(join([body, *behind]), ending, copies=bool(seen.text and seen.done))


def failed(error: StudioError, seen: Draft | None) -> Markup:
    """Why there is no draft, over what was written so far."""
    return parts.failure(error) + (draft(seen) if seen and seen.text else NOTHING)


def hidden(values: Sequence[tuple[str, str]]) -> Markup:
    """What the model did not read, folded."""
    if not values:
        return Markup('<p class="quiet desk-hidden">Nothing in it was taken for personal data. Look yourself.</p>')
    rows = join(
        [Markup("<li><code>{}</code> {}</li>").format(placeholder, original) for placeholder, original in values]
    )
    told = words.count(len(values), "value")
    return Markup(
        '<details class="lookup"><summary>{} hidden from the model</summary><ul class="desk-values">{}</ul></details>'
    ).format(told, rows)


def _pane(body: Markup, ending: str = "", *, copies: bool = False) -> Markup:
    button = Markup(
        '<button type="button" class="button small copy" data-copy-answer data-key="copy-draft" '
        'aria-live="polite">Copy</button>'
    )
    return Markup(
        '<section class="pane pane-tuned desk-pane" aria-label="Draft"><header><h3>Draft</h3></header>'
        '<div class="pane-body" tabindex="0">{}</div><footer><span>{}</span>{}</footer></section>'
    ).format(body, ending, button if copies else NOTHING)


# ---- who can be asked


def voices(known: Sequence[Voice]) -> list[tuple[str, str]]:
    """All who can draft, the adapters first: label and id."""
    return [(voice.label, voice.id) for voice in sorted(known, key=lambda voice: voice.path is None)]


def chosen(choices: Sequence[tuple[str, str]], wanted: Sequence[str]) -> str | None:
    """Who drafts: the first that is there of some voices and runs, by their ids; else the newest adapter."""
    known = [identifier for _, identifier in choices]
    named = (voice for name in wanted if name for voice in known if name in (voice, run_of(voice)))
    return next(named, next(iter(known), None))


def offered(known: Sequence[Voice], offers: Offers) -> list[tuple[str, str]]:
    """What can be offered: the name where it has one, and whose it is."""
    return [
        (f"{offers.offered[voice.id]}  ({voice.label})" if voice.id in offers.offered else voice.label, voice.id)
        for voice in known
    ]


# ---- the way in


def state(offers: Offers) -> Markup:
    """Whether programs are answered, and where."""
    if not offers.on:
        return Markup('<p class="quiet">Off: nobody is answered. Keys can be made all the same.</p>')
    where = parts.command(f"{ADDRESS}/v1")
    rest = Markup(
        '<p class="quiet">Programs on this computer reach this address. A help desk in the cloud does not: for that, '
        "start Ticket Tuner with <code>--host</code>, a login and a certificate, or behind a tunnel with "
        "<code>--allow-host</code> and its name.</p>"
    )
    nobody = NOTHING if offers.offered else parts.banner("Nothing is offered.", "Tick at least one model.", "note")
    return Markup('<div class="api-address">{}{}{}</div>').format(where, rest, nobody)


def keys(known: Sequence[ApiKey], doubted: str = "") -> Markup:
    """The keys, each with a button that revokes it; of ``doubted`` it is asked once more."""
    if not known:
        return Markup(
            '<p class="quiet">There is no key yet. Make one for each program, so that each can be revoked.</p>'
        )
    now = time.time()
    rows = join([_doubted(key) if key.id == doubted else _key(key, now) for key in known])
    return Markup(
        '<div class="scroll-x"><table class="table"><thead><tr><th>Name</th><th>Key</th><th>Made</th><th>Last used</th>'
        '<th aria-label="What can be done"></th></tr></thead><tbody>{}</tbody></table></div>'
    ).format(rows)


def _key(key: ApiKey, now: float) -> Markup:
    used = words.when(key.used, now) if key.used else "never"
    return Markup(
        '<tr><td>{}</td><td><code>tt-…{}</code></td><td class="number">{}</td><td class="number">{}</td>'
        '<td class="actions"><button type="button" class="button small" data-do="doubt" data-id="{}" '
        'data-key="revoke-{}" aria-label="Revoke {}">Revoke</button></td></tr>'
    ).format(key.name, key.ends, words.when(key.made, now), used, key.id, key.id, key.name)


def _doubted(key: ApiKey) -> Markup:
    return Markup(
        '<tr><td colspan="5"><div class="key-doubt"><span>Revoke ‘{}’? Whoever uses it is refused at once.</span>'
        '<button type="button" class="button small danger" data-do="revoke" data-id="{}" data-key="revoke-yes">Revoke'
        '</button><button type="button" class="button small" data-do="keep" data-key="revoke-no">Keep</button></div>'
        "</td></tr>"
    ).format(key.name, key.id)


def made(key: ApiKey, secret: str) -> Markup:
    """The new key itself, which is not shown again."""
    return Markup(
        '<div class="sheet api-made" role="status"><p><strong>The key ‘{}’.</strong> Press it to copy it now: it is '
        "not kept here and cannot be shown again.</p>{}</div>"
    ).format(key.name, parts.command(secret))
