"""The tab 'Help desk' over the engine in memory: drafts, what is offered, keys that are shown once."""

import pytest

from engine.errors import StudioError
from engine.serving.keys import FILE
from tests.ui.fake_tickets import HOSTILE
from tests.ui.handlers import by_id, calls, last

pytestmark = pytest.mark.ui


@pytest.fixture
def draft(wired):
    return wired.handler("desk.tab.draft")


def test_strange_tickets_are_left_to_a_person_where_that_is_wanted(draft, studio):
    list(draft("Where is it?", "base", False, "page", "set-1", True))
    assert calls(studio, "draft")[0][-1] == 0.05


def test_a_draft_is_streamed_and_the_buttons_are_right_in_the_end(draft, studio):
    looks = [by_id(look) for look in draft("Where is it?", "base", True, "page", "set-1")]
    assert looks[0]["desk-stop"].visible is True
    assert looks[0]["desk-draft"].visible is False
    assert "Reading the ticket" in looks[0]["desk-result"]
    assert looks[-1]["desk-stop"].visible is False
    assert looks[-1]["desk-draft"].visible is True
    assert "comes on Friday" in looks[-1]["desk-result"]
    assert "data-copy-answer" in looks[-1]["desk-result"]
    assert not any("data-copy-answer" in look.get("desk-result", "") for look in looks[:-1])
    assert calls(studio, "draft") == [("draft", "Where is it?", "base", True, "set-1", "page drafts", 0.0)]


def test_nothing_that_a_ticket_or_a_model_says_becomes_part_of_the_page(draft):
    shown = last(draft("Where is it?", "base", False, "page", ""))["desk-result"]
    assert HOSTILE not in shown
    assert "ada@shop.example" in shown


def test_a_draft_that_fails_says_why_and_gives_the_button_back(draft):
    shown = last(draft(" ", "base", False, "page", ""))
    assert "There is no ticket yet." in shown["desk-result"]
    assert shown["desk-draft"].visible is True


def test_a_failure_that_nobody_foresaw_is_told_in_words(draft, studio):
    def fails(*_):
        raise KeyError("x")

    studio.endpoint.draft = fails
    assert "Something unexpected happened" in last(draft("Where?", "base", False, "page", ""))["desk-result"]


def test_stop_ends_the_draft_and_not_an_answer_of_the_playground(wired, studio):
    wired.handler("desk.tab.stop")("page")
    assert calls(studio, "stop_answer") == [("stop_answer", "page drafts")]


def test_the_newest_adapter_drafts_until_another_one_is_chosen(wired, studio):
    studio.add_run("Run 1")
    shown = by_id(wired.handler("desk.tab.show")(None))["desk-voice"]
    assert shown.value == "run:run-1"
    assert ("Base model", "base") in shown.choices
    assert by_id(wired.handler("desk.tab.show")("base"))["desk-voice"].value == "base"
    assert by_id(wired.handler("desk.tab.show")("run:gone"))["desk-voice"].value == "run:run-1"


def test_a_run_that_is_selected_drafts_until_another_voice_is_chosen_here(wired, studio):
    studio.add_run("Run 1")
    studio.add_run("Run 2")
    show = wired.handler("desk.tab.show")

    def drafts(*looked_at):
        return by_id(show(*looked_at))["desk-voice"].value

    newest, older = by_id(show(None))["desk-voice"].choices[0][1], by_id(show(None))["desk-voice"].choices[1][1]
    selected = older.removeprefix("run:")
    assert drafts(None, selected, None) == older, "the page has just been opened"
    assert drafts("base", selected, selected) == "base", "the base was chosen here since"
    assert drafts("base", newest.removeprefix("run:"), selected) == newest, "another run was selected since"
    assert drafts(older, "a-run-without-adapter", selected) == older


def test_it_is_off_until_it_is_switched_on_and_offers_all_then(wired, studio):
    studio.add_run("Our shop")
    shown = by_id(wired.handler("desk.tab.show")(None))
    assert shown["api-switch"] is False
    assert "nobody is answered" in shown["api-state"]
    shown = by_id(wired.handler("desk.connecting.switch")(True))
    assert studio.endpoint.offers().offered == {"base": "base", "run:run-1": "our-shop"}
    assert shown["api-offered"].value == ["base", "run:run-1"]
    assert "ADDRESS/v1" in shown["api-state"]
    assert "&#34;model&#34;: &#34;our-shop&#34;" in shown["api-snippets"]


def test_what_is_offered_is_chosen(wired, studio):
    studio.add_run("Our shop")
    wired.handler("desk.connecting.switch")(True)
    shown = by_id(wired.handler("desk.connecting.offer")(["base"]))
    assert studio.endpoint.offers().offered == {"base": "base"}
    assert "&#34;model&#34;: &#34;base&#34;" in shown["api-snippets"]
    wired.handler("desk.connecting.offer")(["base", "run:run-1"])
    assert list(studio.endpoint.offers().offered.values()) == ["base", "our-shop"]


def test_a_key_is_shown_once_and_revoked_after_a_question(wired, studio, raised):
    made = by_id(wired.handler("desk.connecting.make_key")("Zendesk"))
    [key] = studio.endpoint.keys.all()
    assert key.ends in made["api-made"]
    assert made["api-key-name"] == ""
    secret = made["api-made"].partition("tt-")[2].partition("<")[0]
    assert studio.endpoint.keys.check(f"tt-{secret}").name == "Zendesk"
    shown = by_id(wired.handler("desk.tab.show")(None))
    assert "Zendesk" in shown["api-keys"]
    assert secret not in str(shown)
    assert secret not in (studio.root / FILE).read_text()
    asked = by_id(wired.handler("desk.connecting.doubt")(raised(id=key.id)))["api-keys"]
    assert "refused at once" in asked
    assert "refused at once" not in by_id(wired.handler("desk.connecting.keep")())["api-keys"]
    ended = by_id(wired.handler("desk.connecting.revoke")(raised(id=key.id)))
    assert ended["api-made"] == ""
    assert studio.endpoint.keys.all() == []


def test_damaged_keys_are_told_where_they_would_stand(wired, studio):
    (studio.root / FILE).write_text("{")
    assert "damaged" in by_id(wired.handler("desk.tab.show")(None))["api-keys"]


def test_where_models_look_up_is_chosen(wired, studio):
    shown = by_id(wired.handler("desk.connecting.look_up_in")("set-1"))
    assert studio.endpoint.offers().dataset == "set-1"
    assert "lookup&#34;: true" in shown["api-snippets"]
    wired.handler("desk.connecting.look_up_in")(None)
    assert studio.endpoint.offers().dataset == ""


def test_the_fake_refuses_as_the_engine_does(studio):
    with pytest.raises(StudioError):
        list(studio.endpoint.draft("", "base", False))
