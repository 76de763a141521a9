"""Pieces of HTML as components: with buttons that raise events, and with charts.

What is put into them comes from ui/views, which escapes everything it fills in. The template is Gradio's plain
``${value}``: it takes the text as a value. A template with Handlebars braces would compile it as code.
"""

from typing import Any

import gradio as gr


def html(
    value: str = "", *, elem_id: str | None = None, raises: tuple[str, ...] = (), script: str | None = None
) -> gr.HTML:
    """Make a piece of HTML.

    Args:
        value: What it shows at first.
        elem_id: Its id on the page.
        raises: Events: a button with ``data-do="pick"`` raises 'pick' and brings its data along, see :func:`data_of`.
            Gradio finds the names of events in the script, so they stand there.
        script: Runs once when it is put on the page, in place of the one for ``raises``.
    """
    if raises:
        names = ", ".join(f"'{event}'" for event in raises)
        script = f"ticketTuner.actions(element, trigger, watch, [{names}])"
    return gr.HTML(value, elem_id=elem_id, js_on_load=script, apply_default_css=False)


def plot(elem_id: str, size: str) -> gr.HTML:
    """Make a chart; its value is plot data of ui/views/charts.py as JSON.

    Args:
        elem_id: Its id on the page.
        size: 'plot-tall', 'plot-low' or 'plot-small'.
    """
    return gr.HTML(
        "",
        elem_id=elem_id,
        html_template=f'<div class="plot {size}"></div>',
        js_on_load="ticketTuner.chart(element, props, watch)",
        apply_default_css=False,
    )


def data_of(event: gr.EventData) -> dict[str, Any]:
    """The data of the button that raised an event."""
    return dict(event._data or {})
