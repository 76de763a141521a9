"""The cards of the tab 'Export': each format with its size, what it is for, one button, and what was made already."""

import time
from collections.abc import Sequence

from markupsafe import Markup

from engine.export.records import Command, Made, Offer, PackingOffer, Proof
from ui import icons, parts, words
from ui.parts import NOTHING, join

FETCHED = 2 * 10**9
"""Bytes up to which a browser fetches an export in one piece; Firefox and Safari keep it in memory meanwhile."""
OWN_BUTTON = "adapter"
"""The format that the large button at the top of the tab brings home."""

PACKINGS = {
    "q8_0": "8 bit, nearly as tested",
    "f16": "16 bit, as tested",
    "bf16": "16 bit, coarser",
    "q6_k": "6 bit",
    "q5_k_m": "5 bit",
    "q4_k_m": "4 bit, smallest",
    "alone": "over a base you have",
    "with-base-f16": "base in 16 bit",
    "with-base-q8_0": "base in 8 bit",
}
"""The ways of packing, in words that a card has room for."""
CHOICES = {"merged": (("trained", "the 4-bit weights it learnt over: as tested"), ("original", "the 16-bit original"))}
"""What is chosen beside a format that is not packed: value and words."""


def cards(offers: Sequence[Offer]) -> Markup:
    """Show where it can be asked here, and all formats but the one with a button of its own."""
    shown = [_card(offer) for offer in offers if offer.key != OWN_BUTTON]
    return Markup('<div class="tiles">{}</div>').format(join([_ASK, *shown]))


_ASK = Markup(
    '<section class="sheet tile" aria-label="Here, and in your help desk">'
    "<h3>Here, and in your help desk</h3>"
    "<p>It answers in the playground of this program, beside the untouched model.</p>"
    '<button type="button" class="button" data-do="ask">Ask it in the playground</button>'
    '<p class="quiet">On the tab Help desk it drafts replies to tickets that you paste, and answers other programs: '
    "with a key, as OpenAI's API does.</p></section>"
)


def _card(offer: Offer) -> Markup:
    return Markup(
        '<section class="sheet tile" data-format="{}" aria-label="{}"><h3>{}</h3><p>{}</p>{}{}{}</section>'
    ).format(
        offer.key,
        offer.title,
        offer.title,
        offer.purpose,
        _facts(offer),
        _making(offer),
        _made(offer, offer.made) if offer.made else NOTHING,
    )


def _facts(offer: Offer) -> Markup:
    """Size, and room on the disk."""
    if offer.refusal:
        return NOTHING
    if offer.size is None:
        return Markup('<p class="quiet">Its size is not known before the base model is here.</p>')
    room = f"needs {words.file_size(offer.needed)} of {words.file_size(offer.free)} free"
    return Markup('<p class="quiet"><strong>{}</strong> · {}</p>').format(words.file_size(offer.size), room)


def _making(offer: Offer) -> Markup:
    """The choice, and the button; or why there is none."""
    if offer.refusal:
        return Markup('<p class="take-note">{}<span>{}</span></p>').format(icons.NOTE, offer.refusal)
    if offer.needed > offer.free:
        return Markup('<p class="take-note">{}<span>There is not enough room for it on the disk.</span></p>').format(
            icons.WARN
        )
    options = [(packing.key, _packing(packing)) for packing in offer.packings]
    kind = "quantisation" if options else "onto"
    pick = _pick(offer, kind, options or list(CHOICES.get(offer.key, ())))
    label = "Make it again" if offer.made else f"Make: {offer.title}"
    return Markup(
        '{}<button type="button" class="button" data-do="make" data-format="{}" data-key="make-{}">{}</button>'
    ).format(pick, offer.key, offer.key, label)


def _packing(packing: PackingOffer) -> str:
    """A way of packing, in the field's word and in plain ones."""
    size = "" if packing.size is None else words.file_size(packing.size)
    return " · ".join(part for part in (packing.key, PACKINGS.get(packing.key, ""), size) if part)


def _pick(offer: Offer, kind: str, options: list[tuple[str, str]]) -> Markup:
    if not options:
        return NOTHING
    rows = join([Markup('<option value="{}">{}</option>').format(value, told) for value, told in options])
    label = "How it is packed" if kind == "quantisation" else "Merged onto"
    return Markup(
        '<label class="pick"><span>{}</span><select data-choice="{}" data-key="{}">{}</select></label>'
    ).format(label, kind, f"{kind}-{offer.key}", rows)


def _made(offer: Offer, made: Made) -> Markup:
    """Where it lies, what to do with it, and what to type for each tool."""
    kind = made.quantisation or ("onto the original" if made.onto == "original" else "")
    what = ", ".join(part for part in (words.file_size(made.size), kind, words.when(made.at, time.time())) if part)
    older = (
        Markup('<p class="quiet">Made of an earlier step than the run has by now.</p>') if made.is_older else NOTHING
    )
    opening = _button("open", offer.key, "Open folder")
    doubtful = made.proof is not None and made.proof.is_doubtful
    label = "Download it all the same" if doubtful else "Download (.zip)"
    fetching = _button("fetch", offer.key, label) if made.size <= FETCHED else NOTHING
    use = _use(made.commands, offer.key)
    return Markup(
        '<div class="made"><p class="done">{}<span>Saved ({}) in</span></p><code class="path" data-copy tabindex="0" '
        'role="button" aria-label="Copy the path">{}</code>{}{}<div class="made-buttons">{}{}</div>{}</div>'
    ).format(icons.CHECK, what, made.folder, older, proof(made.proof), opening, fetching, use)


def proof(told: Proof | None) -> Markup:
    """Say how an export answers beside the playground; the mark is never the only sign."""
    if told is None:
        return NOTHING
    mark = {"passed": icons.CHECK, "failed": icons.WARN}.get(told.verdict, icons.NOTE)
    return Markup('<p class="proof proof-{}">{}<span>{}</span></p>').format(
        told.verdict.replace(" ", "-"), mark, told.sentence
    )


def commands(told: Sequence[Command]) -> Markup:
    """Show what to type for each tool; a press copies it."""
    return join(
        [
            Markup('<div class="typed"><h4>{}</h4>{}{}</div>').format(
                command.tool, _note(command.note), parts.command(command.lines)
            )
            for command in told
        ]
    )


def _use(told: Sequence[Command], key: str) -> Markup:
    """The commands, folded under the names of the tools."""
    if not told:
        return NOTHING
    tools = words.listed(list(dict.fromkeys(command.tool.partition(",")[0] for command in told)))
    return Markup('<details class="use" data-key="use-{}"><summary>Use it with {}</summary>{}</details>').format(
        key, tools, commands(told)
    )


def _note(text: str) -> Markup:
    return Markup('<p class="quiet">{}</p>').format(text) if text else NOTHING


def _button(what: str, key: str, label: str) -> Markup:
    return Markup(
        '<button type="button" class="button" data-do="{}" data-format="{}" data-key="{}">{}</button>'
    ).format(what, key, f"{what}-{key}", label)
