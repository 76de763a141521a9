import re

import pytest

from ui.shell.theme import ASSETS, VALUES, theme

pytestmark = pytest.mark.ui

STYLE = re.sub(r"/\*.*?\*/", "", (ASSETS / "style.css").read_text(encoding="utf-8"), flags=re.DOTALL)
SIZED = re.compile(r"(?:^|[\s;{])(font(?:-size)?):\s*([^;}]+)")
NO_SIZE = {"0", "0 !important", "inherit"}
"""0 hides words of Gradio's in favour of ours."""


def test_the_window_has_five_sizes_of_type():
    declared = dict(re.findall(r"(--type-[a-z]+):\s*([^;]+);", STYLE))
    assert len(declared) == len(set(declared.values())) == 5
    used = {value.strip() for _, value in SIZED.findall(STYLE)} - NO_SIZE
    assert used, "the pattern finds the sizes"
    assert [value for value in used if not re.search(r"var\((--type-[a-z]+)\)", value)] == []
    assert set(re.findall(r"var\((--type-[a-z]+)\)", STYLE)) == set(declared)


def test_gradio_has_no_size_of_type_of_its_own():
    sizes = {value for name, value in vars(theme()).items() if re.fullmatch(r"text_(xxs|xs|sm|md|lg|xl|xxl)", name)}
    assert len(sizes) == 5
    assert all(value.startswith("var(--type-") for value in sizes)


def test_what_the_page_presses_by_itself_is_not_seen(wired):
    """A wide 'Download' without a purpose stood under the answers."""
    hidden = re.findall(r"([^{}]+)\{ display: none !important; \}", STYLE)
    buttons = [block for block in wired.app.blocks.values() if type(block).__name__ == "DownloadButton"]
    assert buttons
    for button in buttons:
        names = {f".{name}" for name in button.elem_classes}
        assert names & {one.strip() for rule in hidden for one in rule.split(",")}, button.elem_id


def test_no_variable_is_used_that_the_style_sheet_does_not_declare():
    own = set(re.findall(r"(--[a-z0-9-]+):", STYLE))
    used = set(re.findall(r"var\((--[a-z0-9-]+)", STYLE + " ".join(VALUES.values())))
    assert used - own == set()
