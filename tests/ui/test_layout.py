import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.ui

ROOT = Path(__file__).parents[2]
DESTRUCTIVE = ("delete", "rename", "undo", "forget", "import", "bring", "reset")


def test_the_window_is_built_with_all_that_browser_tests_hold_on_to(wired):
    wanted = (
        "tab-tickets tab-recipe tab-training tab-verdict tab-playground tab-export sidebar-lists status-bar undo drop "
        "try-sample prepare summary conversations learn-view lengths to-recipe presets models advanced start-training "
        "loss-chart pause resume stop runs board question send stop-answer voices pick-ticket card download "
        "download-file import-adapter judge verdict-sentence verdict-table verdict-tickets verdict-ticket verdict-other"
    )
    there = {getattr(block, "elem_id", None) for block in wired.app.blocks.values()}
    assert set(wanted.split()) <= there


def test_every_setting_of_the_recipe_has_a_field_and_a_reset(wired):
    from engine.recipe import FIELDS

    there = {getattr(block, "elem_id", None) for block in wired.app.blocks.values()}
    for name in FIELDS:
        if name != "model":
            assert {f"field-{name}", f"reset-{name}"} <= there


def test_no_two_components_share_an_id(wired):
    ids = [block.elem_id for block in wired.app.blocks.values() if getattr(block, "elem_id", None)]
    assert len(ids) == len(set(ids))


def test_every_input_has_a_label(wired):
    import gradio as gr

    kinds = (gr.Textbox, gr.Number, gr.Dropdown, gr.Slider, gr.Checkbox, gr.Radio, gr.File)
    inputs = [block for block in wired.app.blocks.values() if isinstance(block, kinds) and block.visible]
    assert [block.elem_id for block in inputs if not block.label] == []


def test_a_text_field_that_nobody_has_seen_holds_an_empty_text(wired):
    """Not None: handlers get it as it is while its tab has not been open."""
    import gradio as gr

    texts = [block for block in wired.app.blocks.values() if isinstance(block, gr.Textbox)]
    assert [block.elem_id for block in texts if block.value is None] == []


def test_what_destroys_is_not_part_of_the_public_api(wired):
    public = {known.api_name for known in wired.functions() if known.api_visibility == "public"}
    assert public == {"prepare_sample", "start_training", "pause", "resume", "stop", "ask"}
    assert not any(word in name for word in DESTRUCTIVE for name in public)


def test_a_piece_of_html_takes_its_text_as_a_value_and_never_as_a_template(wired):
    import gradio as gr

    for block in wired.app.blocks.values():
        if isinstance(block, gr.HTML):
            assert "{{" not in block.html_template
            assert block.html_template == "${value}" or "$" not in block.html_template


def test_the_page_is_there_without_torch():
    script = """
import sys, tempfile
from pathlib import Path
from ui.server.quick_start import import_gradio
import_gradio()
from engine.studio import Studio
from engine.workspace import Workspace
from ui.layout import build_app
from ui.shell.theme import launch_options
folder = Path(tempfile.mkdtemp())
build_app(Studio(Workspace(folder)), folder)
launch_options()
print(sorted(name for name in ("torch", "transformers", "peft", "trl", "bitsandbytes") if name in sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.stdout.strip() == "[]", done.stderr


def test_the_quick_start_leaves_inspect_as_it_was():
    import inspect

    from ui.server.quick_start import import_gradio

    before = inspect.getfile
    import_gradio()
    assert inspect.getfile is before


def test_nothing_of_the_window_reaches_for_the_network():
    assets = ROOT / "assets"
    for file in [assets / "style.css", assets / "icon.svg", *(assets / "window").iterdir()]:
        text = file.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
        assert "http" not in text
        assert "@import" not in text


def test_light_and_dark_define_the_same_colours():
    import re

    text = (ROOT / "assets" / "style.css").read_text(encoding="utf-8")
    light = re.search(r":root \{(.*?)\}", text, re.DOTALL)
    dark = re.search(r'html\[data-theme="dark"\] \{(.*?)\}', text, re.DOTALL)
    assert light and dark
    colours = {name for name, value in re.findall(r"(--[\w-]+): ([^;]+);", light[1]) if value.startswith("#")}
    assert colours == {name for name, value in re.findall(r"(--[\w-]+): ([^;]+);", dark[1]) if value.startswith("#")}


@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize(
    ("text", "ground"),
    [
        ("ink", "ground"),
        ("ink", "surface"),
        ("ink", "surface-sunk"),
        ("ink-quiet", "ground"),
        ("ink-quiet", "surface"),
        ("ink-quiet", "surface-sunk"),
        ("ink-quiet", "accent-soft"),
        ("accent-ink", "surface"),
        ("accent-ink", "accent-soft"),
        ("on-accent", "accent"),
        ("on-accent", "accent-strong"),
        ("danger", "surface"),
        ("danger", "danger-soft"),
        ("warn", "surface"),
        ("warn", "warn-soft"),
        ("ink", "warn-soft"),
        ("base", "surface"),
    ],
)
def test_text_has_a_contrast_of_at_least_4_5(mode, text, ground):
    assert contrast(colour(mode, text), colour(mode, ground)) >= 4.5


def colour(mode, name):
    import re

    sheet = (ROOT / "assets" / "style.css").read_text(encoding="utf-8")
    block = re.search(
        r":root \{(.*?)\}" if mode == "light" else r'html\[data-theme="dark"\] \{(.*?)\}', sheet, re.DOTALL
    )
    assert block
    found = re.search(rf"--{name}: #([0-9a-f]{{6}});", block[1])
    assert found, name
    return found[1]


def contrast(one, other):
    """WCAG 2.2, https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio"""

    def light(hexes):
        parts = [int(hexes[at : at + 2], 16) / 255 for at in (0, 2, 4)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted((light(one), light(other)))
    return (high + 0.05) / (low + 0.05)
