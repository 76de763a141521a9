import pytest

from engine.errors import StudioError
from engine.tickets.importing.columns import ROLES
from tests.ui.fake_tickets import HOSTILE
from tests.ui.handlers import by_id, calls, last, until
from ui.state import page
from ui.task_registry import PREPARE
from ui.tickets.source_panel import Guess

pytestmark = pytest.mark.ui
OPTIONS = (20, "random", False, "de", ["en"], True, True, " /models/names ", "not bad", 50, True, 365)
"""Held out, split, mask, country, languages, resolved, numbers, second look; ratings, agents, reopened, newest."""
PLAIN = (10, "recent", True, "", [], False, False, "", "", 0, False, None)


def test_dropping_files_shows_what_they_are(wired, studio, tmp_path):
    file = tmp_path / "fragen.csv"
    shown = last(wired.handler("tickets.import_panel.look")([str(file)], "me"))
    assert "delimiter semicolon" in shown["found"]
    assert shown["column-question"].value == "Frage"
    assert shown["country"].value == "DE"
    assert "4 numbers" in shown["country"].info
    assert shown["data-set-name"] == "fragen"
    assert len(calls(studio, "detect")) == 1


def test_what_is_unclear_is_asked_and_what_is_clear_stands_in_its_field(wired, tmp_path):
    shown = last(wired.handler("tickets.import_panel.look")([str(tmp_path / "flags.tsv")], "me"))
    for text in ("The column &#39;flag&#39; holds only yes and no.", "Choose them below.", "Bots cannot be told"):
        assert text in shown["source-notice"]
    assert shown["change"].open is True
    assert (shown["column-ticket"].value, shown["column-text"].value) == ("ticket", "text")
    assert (shown["column-incoming"].value, shown["column-outgoing"].value) == ("", "")


def test_after_a_file_that_cannot_be_read_another_one_can_be_dropped_at_once(wired, tmp_path):
    shown = last(wired.handler("tickets.import_panel.look")([str(tmp_path / "shop.bad")], "me"))
    assert "shop.bad is empty." in shown["import-notice"]
    assert shown["source"].visible is False
    assert shown["drop"] is None
    assert shown["import-start"].visible is True
    assert list(wired.handler("tickets.import_panel.look")(None, "me")) == []
    assert (
        last(wired.handler("tickets.import_panel.look")([str(tmp_path / "good.ndjson")], "me"))["import-notice"] == ""
    )


def test_looking_into_files_can_be_cancelled_and_gives_the_drop_zone_back(wired, tmp_path):
    seen = wired.handler("tickets.import_panel.look")([str(tmp_path / "huge.slow")], "me")
    assert "Cancel" in by_id(next(seen))["prepare-progress"]
    wired.handler("tickets.import_panel.cancel")("me")
    shown = last(seen)
    assert shown["prepare-progress"] == shown["import-notice"] == ""
    assert shown["drop"] is None
    assert shown["import-start"].visible is True


def test_files_dropped_while_others_are_looked_into_take_their_place(wired, tmp_path):
    look = wired.handler("tickets.import_panel.look")
    slow = look([str(tmp_path / "huge.slow")], "me")
    next(slow)
    assert last(look([str(tmp_path / "good.ndjson")], "me"))["data-set-name"] == "good"
    assert list(slow) == []


def test_too_many_files_are_told_whatever_the_browser_sends_at_once(wired, studio, tmp_path):
    shown = last(
        wired.handler("tickets.import_panel.look")([str(tmp_path / f"{number}.eml") for number in range(1001)], "me")
    )
    assert "These are 1,001 files; 1,000 are taken at once." in shown["import-notice"]
    assert ".zip" in shown["import-notice"]
    assert calls(studio, "detect") == []


def test_a_correction_keeps_the_country_that_was_chosen(wired, tmp_path):
    corrections = [Guess(), "", "cp1252", "", "", [], *[""] * len(ROLES)]
    again = wired.handler("tickets.import_panel.look_again")
    shown = last(again([str(tmp_path / "fragen.csv")], "me", *corrections))
    assert "found" in shown
    assert "country" not in shown


def test_only_a_mapping_that_was_changed_is_passed_on(wired, studio, tmp_path):
    guessed = Guess({"question": "Frage", "answer": "Antwort"})
    same = [guessed.mapping.get(role, "") for role in ROLES]
    prepare = wired.handler("tickets.import_panel.prepare")
    tasks = wired.context.tasks
    prepare([str(tmp_path / "a.csv")], "A", *OPTIONS, guessed, "", "", "", "", [], *same)
    until(lambda: tasks.seen(PREPARE) if tasks.seen(PREPARE).state == "done" else None)
    prepare(
        [str(tmp_path / "a.csv")], "", *PLAIN, guessed, "", "cp1252", "tab", "Mai", [], "Antwort", "Frage", *same[2:]
    )
    first, second = (call[3] for call in calls(studio, "prepare"))
    assert (first.heldout, first.split, first.mask, dict(first.overrides.mapping)) == (0.2, "random", False, {})
    assert (first.country, first.languages, first.resolved_only) == ("DE", ("en",), True)
    assert (first.mask_numbers, first.second_look) == (True, "/models/names")
    assert (first.rated, first.least_good, first.drop_reopened, first.newest_days) == ("not bad", 0.5, True, 365)
    assert (second.rated, second.least_good, second.drop_reopened, second.newest_days) == ("", 0.0, False, 0)
    assert (second.mask_numbers, second.second_look) == (False, "")
    assert (second.country, second.languages, second.resolved_only) == (None, (), False)
    assert (second.overrides.encoding, second.overrides.delimiter) == ("cp1252", "tab")
    assert (first.overrides.sheet, second.overrides.sheet) == ("", "Mai")
    assert second.overrides.mapping["question"] == "Antwort"
    assert calls(studio, "prepare")[1][2] == "a"


def test_who_we_are_is_asked_where_the_files_do_not_say_and_passed_on_where_it_was_changed(wired, studio, tmp_path):
    chat = str(tmp_path / "_chat.txt")
    shown = last(wired.handler("tickets.import_panel.look")([chat], "me"))
    assert shown["who-are-we"].visible is True
    assert shown["who-are-we"].choices == [("Shop Help (12)", "Shop Help"), ("Cara (9)", "Cara"), ("Ben (3)", "Ben")]
    assert shown["who-are-we"].value == ["Shop Help"]
    prepare, tasks, none = wired.handler("tickets.import_panel.prepare"), wired.context.tasks, [""] * len(ROLES)
    for chosen in (["Shop Help"], ["Shop Help", "Ben"]):
        prepare([chat], "A", *OPTIONS, Guess({}, ("Shop Help",)), "", "", "", "", chosen, *none)
        until(lambda: tasks.seen(PREPARE) if tasks.seen(PREPARE).state == "done" else None)
    assert [call[3].overrides.agents for call in calls(studio, "prepare")] == [(), ("Shop Help", "Ben")]
    studio.tickets.remembered = ("Ben",)
    assert last(wired.handler("tickets.import_panel.look")([chat], "me"))["who-are-we"].value == ["Ben"]
    told = last(wired.handler("tickets.import_panel.look")([str(tmp_path / "good.ndjson")], "me"))
    assert (told["who-are-we"].visible, told["who-are-we"].value) == (False, [])


def test_a_country_that_is_none_is_told(wired, tmp_path):
    wrong = (*PLAIN[:3], "Narnia", *PLAIN[4:], Guess(), "", "", "", "", [], *[""] * len(ROLES))
    with pytest.raises(StudioError, match="NARNIA"):
        wired.handler("tickets.import_panel.prepare")([str(tmp_path / "a.csv")], "A", *wrong)


def test_the_sentence_under_the_drop_zone_names_what_goes_in(wired):
    from ui.tickets.import_components import FORMATS

    for name in ("Zendesk", "Freshdesk", "Jira Service Management", "mbox", "XLSX", "ShareGPT", ".zip"):
        assert name in FORMATS


def test_a_finished_import_selects_the_new_data_set(wired, studio):
    wired.handler("tickets.import_panel.prepare_sample")()
    tasks = wired.context.tasks
    until(lambda: tasks.seen(PREPARE) if tasks.seen(PREPARE).state == "done" else None)
    shown = wired.handler("tickets.import_panel.watch")(["shop.ndjson"], Guess())
    assert "set-2" in [value for value in shown.values() if isinstance(value, str)]
    assert by_id(shown)["drop"] is None
    assert by_id(shown)["import-start"].visible is True
    assert by_id(shown)["source"].visible is False
    assert len(calls(studio, "prepare")) == 1


def test_a_cancelled_import_says_that_nothing_was_kept(wired, studio):
    studio.task_pause = 5
    wired.handler("tickets.import_panel.prepare_sample")()
    tasks = wired.context.tasks
    tasks.cancel(PREPARE)
    until(lambda: tasks.seen(PREPARE) if tasks.seen(PREPARE).state != "running" else None)
    shown = by_id(wired.handler("tickets.import_panel.watch")(None, Guess()))
    assert "cancelled" in shown["import-notice"]


def test_a_second_export_is_not_asked_for_as_if_it_were_the_first(wired, studio):
    show = wired.handler("tickets.tab.show")
    second = by_id(show("set-1", {**page.first_look(), "adding": True}, page.first_draft()))
    assert "Add another data set" in second["import-heading"]
    studio.tickets.delete("set-1")
    assert "Start with your tickets" in by_id(show("", page.first_look(), page.first_draft()))["import-heading"]


def test_a_data_set_of_the_hub_is_looked_up_fetched_and_prepared(wired, studio):
    told = last(wired.handler("tickets.hub_data_panel.look_up")("shop/talks", " hf_hush ", "me"))
    assert "cc-by-4.0" in told["hub-data-told"] and HOSTILE not in told["hub-data-told"]
    assert told["hub-data-part"].choices == [("train: 1 file, 3.0 MB", "train"), ("test: 2 files, 2.0 KB", "test")]
    assert calls(studio, "look up") == [("look up", "shop/talks", "hf_hush")]
    found = studio.hub_data.look_up("shop/talks").wait(10)[0]
    shown = last(wired.handler("tickets.hub_data_panel.fetch")(found, "test", "hf_hush", "me"))
    assert (shown["data-set-name"], shown["hub-data-token"], shown["source"].visible) == ("talks", "", True)
    guessed = Guess(fetched=studio.hub_data.fetch(found, "test").wait(10))
    tasks = wired.context.tasks
    wired.handler("tickets.import_panel.prepare")(None, "A", *PLAIN, guessed, *["", "", "", ""], [], *[""] * len(ROLES))
    until(lambda: tasks.seen(PREPARE) if tasks.seen(PREPARE).state == "done" else None)
    files, options = calls(studio, "prepare")[0][1], calls(studio, "prepare")[0][3]
    assert [str(file) for file in files] == ["/hub/b.csv", "/hub/c.csv"]
    assert options.hub["id"] == "shop/talks" and options.hub["part"] == "test"


def test_what_the_hub_does_not_have_is_told_and_a_fetch_can_be_cancelled(wired, studio):
    told = last(wired.handler("tickets.hub_data_panel.look_up")("shop/none", "", "me"))
    assert "The hub has no data set &#39;shop/none&#39;" in told["hub-data-told"]
    found = studio.hub_data.look_up("shop/talks").wait(10)[0]
    studio.go.clear()
    try:
        seen = wired.handler("tickets.hub_data_panel.fetch")(found, "train", "", "me")
        assert "1.0 of 3.0 MB" in by_id(next(seen))["prepare-progress"]
        wired.handler("tickets.import_panel.cancel")("me")
        assert last(seen)["prepare-progress"] == ""
    finally:
        studio.go.set()
    assert calls(studio, "detect") == []
