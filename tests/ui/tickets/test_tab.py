"""The tab 'Tickets' over the engine in memory: looking, leaving out, rewriting, reviewing, preparing again."""

from dataclasses import replace
from pathlib import Path

import pytest

from engine.errors import StudioError
from tests.ui.fake_tickets import HOSTILE
from tests.ui.handlers import by_id, calls, until
from ui.state import page
from ui.task_registry import repreparing

pytestmark = pytest.mark.ui


def look(**changes):
    return {**page.first_look(), **changes}


def state(**changes):
    return "set-1", look(**changes), page.first_draft()


def shown(wired, **changes):
    return by_id(wired.handler("tickets.tab.show")(*state(**changes)))


def counted(wired):
    """The tab, once the tokens have been counted."""
    return until(lambda: ((found := shown(wired))["lengths"] and found) or None)


def new_look(answer):
    """What is looked at after a handler's answer."""
    return next(value for value in answer.values() if isinstance(value, dict) and "mode" in value and "start" in value)


def test_the_tab_shows_a_page_the_view_of_what_is_learnt_and_the_counts(wired):
    found = counted(wired)
    assert "1–20 of 60" in found["pager"]
    assert "piece-learnt" in found["learn-view"]
    assert "9,000" in found["lengths-note"]


def test_pairs_that_came_with_a_data_set_can_be_taken_home(wired, studio):
    assert "Take them home" not in shown(wired)["summary"]
    data = studio.tickets.get("set-1")
    data.report = replace(data.report, preferences=3)
    assert 'data-do="pairs"' in shown(wired)["summary"]
    file = Path(by_id(wired.handler("tickets.tab.take_pairs")("set-1"))["pairs-file"])
    assert file.name.endswith("-preferences.jsonl")
    assert len(file.read_text().splitlines()) == 3


def test_without_a_data_set_there_is_the_import_panel(wired):
    found = by_id(wired.handler("tickets.tab.show")("", page.first_look(), page.first_draft()))
    assert found["import"].visible is True
    assert found["data-set"].visible is False


@pytest.mark.parametrize("mode", ["conversations", "left_out", "masked", "changed"])
def test_text_from_outside_is_never_a_part_of_the_page_in_any_mode(wired, studio, mode):
    studio.tickets.want("set-1", "allow", HOSTILE)
    studio.tickets.edit("set-1", studio.tickets.edits("set-1").leave_out_tag(HOSTILE))
    found = shown(wired, mode=mode, term="t1")
    assert not any("<img" in str(value) for value in found.values())


def test_a_conversation_is_left_out_and_taken_back_in(wired, studio, raised):
    answer = wired.handler("tickets.edit_handlers.drop")(*state(ticket="1002"))
    found = by_id(answer)
    assert studio.tickets.edits("set-1").dropped == {"key1002": "1002"}
    assert "#1002 is left out." in found["reader-notice"]
    assert "of 59" in found["pager"]
    assert new_look(answer)["ticket"] == ""
    wired.handler("tickets.edit_handlers.undo")(raised(what="drop", id="key1002"), *state())
    assert studio.tickets.edits("set-1").dropped == {}


def test_without_a_choice_the_first_conversation_of_the_page_is_meant(wired, studio):
    wired.handler("tickets.edit_handlers.drop")(*state(start=20))
    assert studio.tickets.edits("set-1").dropped == {"key1020": "1020"}


def test_an_answer_is_rewritten_and_restored(wired, studio, raised):
    answer = wired.handler("tickets.edit_handlers.begin_rewriting")(raised(number="3"), *state(ticket="1003"))
    found = by_id(answer)
    assert found["rewrite-text"].startswith("Postage is 4 pounds 20")
    assert found["rewriting"].visible is True
    kept = new_look(answer)
    assert (kept["ticket"], kept["rewriting"]) == ("1003", 3)
    saved = by_id(wired.handler("tickets.edit_handlers.save")("Postage is free.", "set-1", kept, page.first_draft()))
    [rewrite] = studio.tickets.edits("set-1").answers
    assert (rewrite.ticket, rewrite.words) == ("1003", "Postage is free.")
    assert "was rewritten" in saved["reader-notice"]
    assert saved["rewriting"].visible is False
    wired.handler("tickets.edit_handlers.undo")(raised(what="answer", id=rewrite.id), *state())
    assert studio.tickets.edits("set-1").answers == ()


def test_an_empty_answer_is_refused_and_the_box_stays(wired, studio):
    with pytest.raises(StudioError, match="empty"):
        wired.handler("tickets.edit_handlers.save")("  ", *state(ticket="1003", rewriting=3))
    assert not calls(studio, "edit")


def test_tags_go_at_once_and_agents_with_the_next_run(wired, studio, raised):
    wired.handler("tickets.edit_handlers.leave_out_tag")(raised(name="shipping"), *state())
    assert studio.tickets.edits("set-1").tags == ("shipping",)
    found = by_id(wired.handler("tickets.edit_handlers.leave_out_agent")(raised(name="9"), *state()))
    assert studio.tickets.origin("set-1").wanted.exclude_agents == ("9",)
    assert "from the next run on" in found["reader-notice"]
    listed = shown(wired, mode="changed")["conversations"]
    assert "‘shipping’" in listed and "agent 9" in listed and 'data-do="again"' in listed
    wired.handler("tickets.edit_handlers.undo")(raised(what="tag", id="shipping"), *state())
    wired.handler("tickets.edit_handlers.undo")(raised(what="exclude_agents", id="9", keep=""), *state())
    assert studio.tickets.edits("set-1").tags == ()
    assert not studio.tickets.origin("set-1").pending


def test_a_term_is_allowed_added_and_taken_back(wired, studio, raised):
    found = by_id(wired.handler("tickets.edit_handlers.allow")(raised(term="t1"), *state(mode="masked")))
    assert "‘Outlook’ is not personal and stays" in found["pending"]
    assert "from the next run on it stays" in found["conversations"]
    found = by_id(wired.handler("tickets.edit_handlers.add")("Kestrel", *state(mode="masked")))
    assert found["mask-also"] == ""
    assert "2 changes are not in effect yet" in found["pending"]
    wired.handler("tickets.edit_handlers.undo")(raised(what="allow", id="Outlook", keep=""), *state(mode="masked"))
    assert studio.tickets.origin("set-1").wanted.allow == ()
    with pytest.raises(StudioError, match="empty"):
        wired.handler("tickets.edit_handlers.add")("", *state(mode="masked"))


def test_what_looks_like_a_name_is_masked_everywhere_with_one_click(wired, studio, raised):
    before = by_id(wired.handler("tickets.conversation_list.change_mode")("masked", *state()))
    assert "1 term looks like a name and it is not masked" in before["caution"]
    assert "Mary Celeste" not in before["conversations"]
    found = by_id(wired.handler("tickets.conversation_list.narrow")("SUSPECT", *state(mode="masked")))
    assert "Mary Celeste" in found["conversations"] and "not masked" in found["conversations"]
    found = by_id(
        wired.handler("tickets.edit_handlers.mask")(raised(term="t3"), *state(mode="masked", filter="SUSPECT"))
    )
    assert "from the next run on it is masked" in found["conversations"]
    assert studio.tickets.origin("set-1").wanted.extra_terms == ("Mary Celeste",)


def test_a_term_of_ones_own_is_taken_off_the_list_when_it_is_not_personal(wired, studio, raised):
    studio.tickets.want("set-1", "extra_terms", "Outlook")
    wired.handler("tickets.edit_handlers.allow")(raised(term="t1"), *state(mode="masked"))
    wanted = studio.tickets.origin("set-1").wanted
    assert (wanted.allow, wanted.extra_terms) == ((), ())


def test_the_places_of_a_term_open_and_close_and_lead_to_the_conversation(wired, raised):
    answer = wired.handler("tickets.conversation_list.open_places")(raised(term="t1"), *state(mode="masked"))
    assert 'aria-expanded="true"' in by_id(answer)["conversations"]
    assert "I open" in by_id(answer)["conversations"]
    closed = wired.handler("tickets.conversation_list.open_places")(
        raised(term="t1"), "set-1", new_look(answer), page.first_draft()
    )
    assert 'aria-expanded="true"' not in by_id(closed)["conversations"]
    picked = new_look(wired.handler("tickets.conversation_list.pick")(raised(ticket="1007"), *state(mode="masked")))
    assert (picked["mode"], picked["ticket"]) == ("conversations", "1007")


def test_the_review_can_be_narrowed_to_a_kind_and_searched(wired):
    found = by_id(wired.handler("tickets.conversation_list.narrow")("EMAIL", *state(mode="masked")))
    assert "Outlook" not in found["conversations"]
    assert ("e-mail addresses (7)", "EMAIL") in [tuple(choice) for choice in found["list-filter"].choices]
    assert (
        "Outlook"
        in by_id(wired.handler("tickets.conversation_list.search")("outl", *state(mode="masked")))["conversations"]
    )


def test_run_again_takes_the_changes_and_draws_the_tab_anew(wired, studio):
    studio.tickets.want("set-1", "allow", "Outlook")
    studio.go.clear()
    begun = by_id(wired.handler("tickets.edit_handlers.run_again")("set-1"))
    assert "Cancel" in begun["again-progress"]
    studio.go.set()
    done = until(lambda: ended(wired))
    assert not studio.tickets.origin("set-1").pending
    assert "summary" in done and done["again-progress"] == ""
    assert calls(studio, "prepare_again") == [("prepare_again", "set-1", None, ())]


def test_a_run_that_ends_does_not_take_the_person_back_to_where_they_were(wired, studio):
    wired.handler("tickets.edit_handlers.run_again")("set-1")
    until(lambda: "summary" in by_id(wired.handler("tickets.reprepare_panel.watch")(*state())) or None)
    answer = wired.handler("tickets.reprepare_panel.watch")(*state(ticket="1003"))
    assert not {"data-set", "import"} & set(by_id(answer))
    assert not any(isinstance(value, dict) and "adding" in value for value in answer.values())


def ended(wired):
    found = by_id(wired.handler("tickets.reprepare_panel.watch")(*state()))
    return found if "summary" in found else None


def test_preparing_again_with_other_options_keeps_the_terms(wired, studio, tmp_path):
    studio.tickets.want("set-1", "allow", "Outlook")
    newer = str(tmp_path / "newer.ndjson")
    wired.handler("tickets.reprepare_panel.prepare_again")(
        "set-1", [newer], 20, "random", True, "gb", ["en"], True, False, "", "good", 80, False, 0
    )
    [(_, dataset, options, files)] = calls(studio, "prepare_again")
    assert (dataset, [file.name for file in files]) == ("set-1", ["newer.ndjson"])
    assert (options.allow, options.heldout, options.country) == (("Outlook",), 0.2, "GB")
    assert (options.rated, options.least_good) == ("good", 0.8)


def test_a_cancelled_run_leaves_the_data_set_and_says_so(wired, studio):
    studio.task_pause = 0.5
    wired.handler("tickets.edit_handlers.run_again")("set-1")
    wired.handler("tickets.reprepare_panel.cancel")("set-1")
    assert "as it was before" in until(lambda: ended(wired))["again-progress"]


def test_an_export_that_was_not_kept_has_to_be_dropped_again(wired, studio):
    studio.tickets.forget_sources("set-1")
    assert "not kept" in shown(wired)["again-about"]
    with pytest.raises(StudioError, match="Drop it once more"):
        wired.handler("tickets.edit_handlers.run_again")("set-1")
    assert repreparing("set-1") != repreparing("set-2")


def test_the_copy_of_the_export_is_told_with_its_size_and_can_be_deleted(wired, studio):
    assert "shop.ndjson, 12 KB" in shown(wired)["again-about"]
    assert "not kept" in by_id(wired.handler("tickets.reprepare_panel.forget")("set-1"))["again-about"]


def test_the_max_length_can_be_raised_from_the_warning(wired, raised):
    counted(wired)
    answer = wired.handler("tickets.token_panel.raise_length")(raised(length="704"), "set-1", page.first_draft())
    draft = next(value for value in answer.values() if isinstance(value, dict) and "preset" in value)
    assert page.recipe_of(draft).max_length == 704


def test_an_edit_counts_the_tokens_anew(wired, studio):
    counted(wired)
    studio.task_pause = 0.3
    found = by_id(wired.handler("tickets.edit_handlers.drop")(*state(ticket="1002")))
    assert "Counting tokens" in found["lengths-note"]
    assert "piece-learnt" in found["learn-view"]
    until(lambda: shown(wired)["lengths"] or None)
