"""Pieces of HTML as components: with buttons that raise events, and with charts.

What is put into them comes from the views of the tabs, which escape everything they fill in. The template is Gradio's
plain ``${value}``: it takes the text as a value. A template with Handlebars braces would compile it as code.
"""

from collections.abc import Callable
from typing import Any

import gradio as gr


def html(
    value: str = "",
    *,
    elem_id: str | None = None,
    raises: tuple[str, ...] = (),
    script: str | None = None,
    live: bool = False,
    server: tuple[Callable[..., Any], ...] = (),
) -> gr.HTML:
    """Make a piece of HTML.

    Args:
        value: What it shows at first.
        elem_id: Its id on the page.
        raises: Events: a button with ``data-do="pick"`` raises 'pick' and brings its data along, see :func:`data_of`.
            Gradio finds the names of events in the script, so they stand there.
        script: Runs once when it is put on the page, in place of the one for ``raises``.
        live: Whether what a page asks every few seconds sets it (ui/shell/live.py); it then has an ``elem_id``.
        server: Functions that ``script`` may call, as ``server.NAME``.
    """
    if raises:
        names = ", ".join(f"'{event}'" for event in raises)
        script = f"ticketTuner.actions(element, trigger, watch, [{names}]);"
    if live:
        script = f"{script or ''} ticketTuner.piece('{elem_id}', element, props);"
    return gr.HTML(
        value, elem_id=elem_id, js_on_load=script, apply_default_css=False, server_functions=list(server) or None
    )


def plot(elem_id: str, size: str, *, live: bool = False) -> gr.HTML:
    """Make a chart; its value is plot data of ui/charts.py as JSON.

    Args:
        elem_id: Its id on the page.
        size: 'plot-tall', 'plot-low' or 'plot-small'.
        live: As for :func:`html`.
    """
    extra = f", '{elem_id}'" if live else ""
    return gr.HTML(
        "",
        elem_id=elem_id,
        html_template=f'<div class="plot {size}"></div>',
        js_on_load=f"ticketTuner.chart(element, props, watch{extra})",
        apply_default_css=False,
    )


def data_of(event: gr.EventData) -> dict[str, Any]:
    """The data of the button that raised an event."""
    return dict(event._data or {})
