import pytest

from tests.ui.fake_studio import FakeStudio
from ui.shell.palette import ACTIONS, everything
from ui.shell.sidebar import lists

pytestmark = pytest.mark.ui


def test_the_palette_knows_all_there_is(tmp_path):
    studio = FakeStudio(tmp_path)
    studio.add_run("Run 1")
    studio.adapters.bring_in(tmp_path / "shop.zip")
    found = {(entry["kind"], entry["id"]) for entry in everything(studio)}
    assert {("dataset", "set-1"), ("run", "run-1"), ("adapter", "run:run-1"), ("adapter", "adapter:a1")} <= found
    assert {("model", entry.id) for entry in studio.recipes.catalogue()} <= found
    assert {("action", act.name) for act in ACTIONS} <= found


def test_every_action_leads_to_a_tab_or_a_button_that_is_there(wired, tmp_path):
    ids = {getattr(block, "elem_id", None) for block in wired.app.blocks.values()}
    pieces = "".join(str(block.value) for block in wired.app.blocks.values() if type(block).__name__ == "HTML")
    pieces += str(lists(FakeStudio(tmp_path), "", "", []))
    for act in ACTIONS:
        assert not act.tab or f"tab-{act.tab}" in ids
        named = act.target.partition(" ")[0].lstrip("#").removeprefix("[data-key=").rstrip("]")
        assert not named or named in ids or f'id="{named}"' in pieces or f'data-key="{named}"' in pieces, act.name
    tabs = [block.elem_id for block in wired.app.blocks.values() if type(block).__name__ == "Tab"]
    assert [f"tab-{act.tab}" for act in ACTIONS if act.key] == tabs


def test_what_the_palette_raises_is_picked_as_in_the_sidebar(wired):
    asks = wired.component("palette")
    heard = [known for known in wired.functions() if any(target == (asks._id, "pick") for target in known.targets)]
    assert [known.fn.__wrapped__.__module__ for known in heard] == ["ui.shell.sidebar"]
