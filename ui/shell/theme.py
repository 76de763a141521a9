"""Theme, style sheet, script: what launch() gets. Colours live in assets/style.css, once for light, once for dark."""

from pathlib import Path
from typing import Any

import gradio as gr
from starlette.middleware import Middleware

from ui.shell.head import HeadScripts

ASSETS = Path(__file__).parents[2] / "assets"

SANS = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "Helvetica Neue", "Liberation Sans", "Arial", "sans-serif")
MONO = ("ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "Liberation Mono", "monospace")

TYPE = tuple(f"var(--type-{name})" for name in ("caption", "caption", "small", "body", "title", "figure", "figure"))
"""Gradio's sizes of type, from the smallest to the largest: the five of the style sheet."""


def theme() -> gr.themes.Base:
    """Return a theme whose values are the variables of the style sheet, so that light and dark are decided there."""
    return gr.themes.Base(
        font=SANS,
        font_mono=MONO,
        radius_size=gr.themes.sizes.radius_sm,
        text_size=gr.themes.Size(*TYPE),
        spacing_size=gr.themes.sizes.spacing_sm,
    ).set(**{f"{name}{mode}": value for name, value in VALUES.items() for mode in _modes(name)})


def launch_options() -> dict[str, Any]:
    """Return what ``Blocks.launch`` needs for the looks."""
    return {
        "theme": theme(),
        "css_paths": [ASSETS / "style.css"],
        "app_kwargs": {"middleware": [Middleware(HeadScripts)]},
        "favicon_path": ASSETS / "icon.svg",
        "footer_links": [],
    }


VALUES = {
    "body_background_fill": "var(--ground)",
    "body_text_color": "var(--ink)",
    "body_text_color_subdued": "var(--ink-quiet)",
    "background_fill_primary": "var(--surface)",
    "background_fill_secondary": "var(--surface-sunk)",
    "border_color_primary": "var(--line)",
    "border_color_accent": "var(--accent)",
    "color_accent": "var(--accent)",
    "color_accent_soft": "var(--accent-soft)",
    "link_text_color": "var(--accent-ink)",
    "block_background_fill": "transparent",
    "block_border_width": "0px",
    "block_label_background_fill": "transparent",
    "block_label_border_width": "0px",
    "block_label_text_color": "var(--ink)",
    "block_title_text_color": "var(--ink)",
    "block_title_text_weight": "600",
    "block_info_text_color": "var(--ink-quiet)",
    "block_padding": "0px",
    "block_shadow": "none",
    "panel_background_fill": "transparent",
    "input_background_fill": "var(--field)",
    "input_background_fill_focus": "var(--field)",
    "input_border_color": "var(--line-strong)",
    "input_border_color_focus": "var(--accent)",
    "input_shadow": "none",
    "input_shadow_focus": "none",
    "input_placeholder_color": "var(--ink-quiet)",
    "checkbox_background_color": "var(--field)",
    "checkbox_border_color": "var(--line-strong)",
    "checkbox_background_color_selected": "var(--accent)",
    "checkbox_border_color_selected": "var(--accent)",
    "checkbox_label_background_fill": "transparent",
    "checkbox_label_background_fill_hover": "var(--surface-sunk)",
    "checkbox_label_background_fill_selected": "var(--surface)",
    "checkbox_label_text_color": "var(--ink)",
    "button_primary_background_fill": "var(--accent)",
    "button_primary_background_fill_hover": "var(--accent-strong)",
    "button_primary_border_color": "transparent",
    "button_primary_text_color": "var(--on-accent)",
    "button_secondary_background_fill": "var(--surface)",
    "button_secondary_background_fill_hover": "var(--surface-sunk)",
    "button_secondary_border_color": "var(--line-strong)",
    "button_secondary_text_color": "var(--ink)",
    "slider_color": "var(--accent)",
    "accordion_text_color": "var(--ink)",
    "code_background_fill": "var(--surface-sunk)",
}
"""Gradio's variables in terms of ours."""


def _modes(name: str) -> tuple[str, ...]:
    """Both modes of a variable that has two."""
    import inspect

    return ("", "_dark") if f"{name}_dark" in inspect.signature(gr.themes.Base.set).parameters else ("",)
