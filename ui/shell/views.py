"""The frame around the tabs: header, status bar, the offer to undo; the sidebar's lists are in lists.py."""

from markupsafe import Markup

from engine.studio import StudioSnapshot
from engine.training.runs.events import Evaluated
from engine.training.runs.progress import JobSnapshot
from ui import icons, words
from ui.parts import STATES, join

HELP = Markup("""
<dialog id="help" class="help" aria-labelledby="help-title">
  <form method="dialog"><h2 id="help-title">How Ticket Tuner works</h2>
  <ol>
    <li><b>Tickets.</b> Drop an export of your help desk, or try the sample shop. You see what will be learnt, and what
    is left out.</li>
    <li><b>Recipe.</b> Pick how long it may take. Every number is under 'Advanced', with a sentence each.</li>
    <li><b>Training.</b> Watch the loss on held-out tickets fall. You can close the window; it goes on.</li>
    <li><b>Playground.</b> Ask the base model and yours the same question, side by side.</li>
    <li><b>Export.</b> Take the adapter home as one file.</li>
  </ol>
  <p>Nothing leaves this computer, except for fetching a model that you pick.</p>
  <h3>Keys</h3>
  <dl><dt><kbd>Ctrl</kbd> <kbd>Enter</kbd></dt><dd>send the question</dd><dt><kbd>Esc</kbd></dt>
  <dd>stop the answer, close what lies on top</dd>
  <dt><kbd>Ctrl</kbd> <kbd>K</kbd></dt><dd>find a data set, run, adapter, model, or something to do</dd>
  <dt><kbd>1</kbd> to <kbd>5</kbd></dt><dd>open a tab</dd>
  <dt><kbd>↑</kbd> <kbd>↓</kbd></dt><dd>move in a list, <kbd>←</kbd> <kbd>→</kbd> between tabs</dd>
  <dt><kbd>→</kbd></dt><dd>in the lists at the left: rename, delete</dd></dl>
  <button class="button" value="close" autofocus>Close</button></form>
</dialog>""")


def header() -> Markup:
    """The name at the left, help and the switch for light and dark at the right; the tabs lie between.

    The first button is seen in a narrow window alone: it opens the sidebar, which has no room of its own there.
    """
    return Markup(
        '<header class="top"><button type="button" class="icon-button" id="lists-button" aria-controls="sidebar" '
        'aria-expanded="false" aria-label="Data sets, runs and adapters" title="Data sets, runs and adapters">{}'
        '</button><div class="brand">{}<span>Ticket Tuner</span></div><div class="top-buttons">'
        '<button type="button" class="find-button" id="find-button" data-palette="" aria-keyshortcuts="Control+K" '
        'title="Find a data set, run, adapter, model or action">{}<span>Find</span><kbd>Ctrl K</kbd></button>'
        '<button type="button" class="icon-button" id="help-button" aria-label="Help and keys" '
        'title="Help and keys">{}</button>'
        '<button type="button" class="icon-button" id="theme-button" aria-label="Switch between light and dark" '
        'title="Light or dark">{}{}</button></div></header>{}'
    ).format(icons.LISTS, icons.LOGO, icons.FIND, icons.HELP, icons.MOON, icons.SUN, HELP)


def menu_button(kind: str, identifier: str, name: str, *, fixed: bool = False, extra: str = "") -> Markup:
    """The button that opens a row's menu: rename, delete.

    Args:
        kind: 'dataset', 'run' or 'adapter'.
        identifier: Its id.
        name: Its name, which Rename begins with.
        fixed: Whether it cannot be deleted now.
        extra: A further class.
    """
    return Markup(
        '<button type="button" class="icon-button small {extra}" data-menu data-kind="{kind}" data-id="{id}" '
        'data-name="{name}"{fixed} aria-haspopup="menu" aria-label="More for {name}">{dots}</button>'
    ).format(
        extra=extra,
        kind=kind,
        id=identifier,
        name=name,
        fixed=Markup(" data-fixed") if fixed else "",
        dots=icons.DOTS,
    )


def short_model(model: str) -> str:
    """A model's name without its owner or folder."""
    return model.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1] or model


def status_bar(snapshot: StudioSnapshot, heldout: Evaluated | None, heldout_of: str) -> Markup:
    """The line at the bottom: device and memory, model loaded, job, held-out loss.

    Args:
        snapshot: The machine now.
        heldout: The newest check on held-out tickets, or None.
        heldout_of: The run it belongs to.
    """
    device = snapshot.device
    memory = f"{device.used_gib:.1f} / {device.total_gib:.0f} GB"
    kind = "GPU memory" if device.kind == "cuda" else "memory"
    name = device.name if device.kind != "unknown" else "This computer"
    parts = [
        Markup('<span class="status-part" id="status-device" title="{} in use"><b>{}</b> {}{}</span>').format(
            kind, name, memory, _meter(device.used_gib / device.total_gib if device.total_gib else 0)
        ),
        _model(snapshot.model, snapshot.answers),
        Markup('<span class="status-part status-job" id="status-job">{}</span>').format(
            job_line(snapshot.job, len(snapshot.queued))
        ),
        Markup('<span class="status-part" id="status-heldout"{}>{}</span>').format(
            Markup(' title="The mean loss on held-out tickets, of {}"').format(heldout_of) if heldout_of else "",
            heldout_line(heldout),
        ),
    ]
    return Markup('<footer class="status" aria-label="Status">{}</footer>').format(join(parts))


def _model(model: str, answers: int) -> Markup:
    """The loaded base, and what answers hold beside it."""
    if not model or not answers:
        return Markup('<span class="status-part" id="status-model">{}</span>').format(model or "no model loaded")
    return Markup(
        '<span class="status-part" id="status-model" title="Beside the model, answers hold its scales in 32 bit, its '
        'output layer, adapters and what they have read.">{} · {} for answers</span>'
    ).format(model, words.file_size(answers))


def heldout_line(seen: Evaluated | None) -> str:
    """Say the held-out loss; that of step 0 is the untouched base's."""
    if seen is None:
        return "held-out –"
    return f"held-out {words.loss(seen.loss)}" + ("" if seen.step else " before training")


def _meter(share: float) -> Markup:
    return Markup('<span class="meter" aria-hidden="true"><i style="width:{:.0f}%"></i></span>').format(
        min(share, 1) * 100
    )


def job_line(job: JobSnapshot | None, waiting: int = 0) -> str:
    """Say in one line what is being trained."""
    queue = f", {waiting} waiting" if waiting else ""
    if job is None:
        return f"no run in progress{queue}"
    if job.state == "running" and job.steps:
        rest = words.left(job.seconds_left) or ("checking and saving" if job.step >= job.steps else "")
        return f"{job.name}: step {job.step:,} of {job.steps:,}" + (f", {rest}" if rest else "") + queue
    if job.state == "paused":
        return f"{job.name}: paused at step {job.step:,} of {job.steps:,}{queue}"
    stage = job.stage or STATES[job.state]
    done = f", {job.fraction:.0%}" if job.fraction is not None and job.state == "preparing" else ""
    return f"{job.name}: {stage[0].lower()}{stage[1:]}{done}{queue}"


def undo(label: str) -> Markup:
    """Offer to bring back what was just deleted."""
    return Markup(
        '<div class="undo" role="status"><span>‘{}’ was deleted.</span><button type="button" class="button small" '
        'data-do="undo">Undo</button>'
        '<button type="button" class="icon-button small" data-do="dismiss" aria-label="Close">{}</button></div>'
    ).format(label, icons.CROSS)
