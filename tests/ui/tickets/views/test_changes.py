from engine.tickets.dataset.edits import Edits, Rewrite
from engine.tickets.dataset.provenance import Origin
from engine.tickets.dataset.stored import StoredConversation
from engine.tickets.options import PrepareOptions
from engine.tickets.privacy.review import MaskedPlace, MaskedTerm
from tests.ui.fake_tickets import HOSTILE
from ui.tickets.views import changes, review

ORIGIN = Origin(
    used=PrepareOptions(allow=("Outlook",), extra_terms=("Kestrel",)),
    wanted=PrepareOptions(allow=("Outlook", HOSTILE), exclude_agents=("9",)),
)


def test_what_waits_for_the_next_run_is_told_apart_from_what_is_in_effect():
    shown = changes.pending(ORIGIN)
    assert shown.count("from the next run on") == 2
    assert shown.count("until the next run") == 1
    assert "3 changes are not in effect yet" in shown
    assert "<img" not in shown
    settled = Origin(used=ORIGIN.wanted, wanted=ORIGIN.wanted)
    assert 'data-do="again"' not in changes.pending(settled)
    assert changes.pending(Origin()) == ""


def test_every_change_can_be_undone():
    edits = Edits({"k1": "7"}, (Rewrite("8", "k2", "Old words.", HOSTILE),), ("billing",))
    row = StoredConversation("7", (), subject=HOSTILE, key="k1")
    shown = changes.everything(edits, ORIGIN, [row], {("8", "Old words.")})
    assert shown.count('data-do="undo"') == 3 + 4
    for what in ("drop", "answer", "tag", "allow", "extra_terms", "exclude_agents"):
        assert f'data-what="{what}"' in shown
    assert "<del>Old words.</del>" in shown
    assert "not in what is learnt" not in shown
    assert "not in what is learnt" in changes.everything(edits, ORIGIN, [row], set())
    assert "<img" not in shown


def test_without_changes_it_says_how_to_make_one():
    assert "Nothing yet" in changes.everything(Edits(), Origin(), [], set())


def test_a_term_that_leaves_says_so_instead_of_offering_it_again():
    terms = [MaskedTerm("a", "NAME", "Kestrel", ("[NAME_1]",), 5, 3), MaskedTerm("b", "NAME", "Anna", (), 1, 1)]
    shown = review.term_table(terms, "", [], ORIGIN.choices())
    assert shown.count('data-do="allow"') == 1
    assert "5× in 3 tickets" in shown
    assert "1×" in shown
    assert "Nothing of this kind" in review.term_table([], "", [], ())


def test_the_places_of_a_term_show_what_stood_there_and_how_many_more_there_are():
    place = MaskedPlace("7", "NAME", "[NAME_1]", "Kestrel", "I open ", " daily")
    shown = review.term_table([MaskedTerm("a", "NAME", "Kestrel", ("[NAME_1]",), 5, 3)], "a", [place], ())
    assert "I open <del>Kestrel</del> <ins>[NAME_1]</ins> daily" in shown
    assert "and 4 places more" in shown
