"""Deleting a customer in the window: asked twice, told what goes and which adapters have learnt."""

from engine.tickets.dataset.erasure import Erasure
from tests.ui.fake_tickets import HOSTILE
from tests.ui.handlers import by_id, calls
from tests.ui.tickets.test_tab import state
from ui.tickets.views import erasing

PLANNED = Erasure(2, (HOSTILE,), ("Run 1",), ("Run 1",), 1)


def test_the_question_says_what_goes_and_that_it_is_for_ever():
    shown = erasing.to_confirm('7"', PLANNED)
    assert "for ever" in shown and "2 conversations" in shown and "1 copy in the trash" in shown
    assert "<img" not in shown and 'data-ticket="7&#34;"' in shown


def test_the_answer_names_the_adapters_that_have_learnt():
    assert "‘Run 1’ has learnt from it" in erasing.done(PLANNED)
    assert "No adapter has learnt" in erasing.done(Erasure(1, ("Shop",), (), (), 0))


def test_it_is_asked_first_and_done_at_the_second_press(wired, studio, raised):
    asked = by_id(wired.handler("tickets.edit_handlers.confirm")(*state(ticket="1002")))
    assert "Delete for ever" in asked["reader-notice"] and calls(studio, "erase") == []
    done = by_id(wired.handler("tickets.edit_handlers.delete")(raised(ticket="1002"), *state(ticket="1002")))
    assert calls(studio, "erase") == [("erase", "set-1", "1002")]
    assert "The customer was deleted" in done["reader-notice"]
