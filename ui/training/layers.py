"""Where the layers of a run's base are: on the GPU, or on their way from the computer's memory; and what that costs."""

from markupsafe import Markup

from engine.studio import RunInfo
from engine.training.runs.status import ACTIVE
from ui import words
from ui.parts import NOTHING

MUCH = 0.05
"""From this share of the time on it is worth a change."""


def layers(run: RunInfo) -> Markup:
    """Say how many layers stay and how many come, and how long computing has waited for them; else nothing."""
    started = run.history.started
    if started is None or not started.streamed:
        return NOTHING
    stay, come, goes_on = started.resident, started.streamed, run.status.state in ACTIVE
    place = "in place" if started.device.startswith("CPU") else "on the GPU"
    told = (
        f"{stay} of {stay + come} layers {'stay' if goes_on else 'stayed'} {place}, "
        f"{come} {'come' if goes_on else 'came'} from the computer's memory for each batch."
    )
    return Markup(
        '<div class="layers"><span class="layers-strip" aria-hidden="true">'
        '<i style="flex-grow:{}"></i><b style="flex-grow:{}"></b></span><p class="quiet">{} {}</p></div>'
    ).format(stay, come, told, _waited(run.history.waited, goes_on=goes_on))


def _waited(share: float | None, *, goes_on: bool) -> str:
    """Say what of the time went into waiting."""
    if share is None:
        return ""
    time = f"{words.percent(share)} of the time" if share else "no time"
    told = f"Computing {'has waited' if goes_on else 'waited'} {time} for them."
    return f"{told} Larger batches hide more of it." if share >= MUCH else told
