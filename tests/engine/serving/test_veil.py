"""Personal data out of what a model reads and back into its answer, also while that is being written."""

import pytest

from engine.serving.veil import Veil
from engine.tickets.privacy.masking import PrivacyOptions

TICKET = "Hello, my mail is ada@shop.example and ada.old@shop.example. \n\nKind regards,\nAda Byron"


@pytest.fixture
def veil() -> Veil:
    made = Veil(PrivacyOptions())
    made.over([{"role": "system", "content": "write to help@us.example"}, {"role": "user", "content": TICKET}])
    return made


def test_the_model_reads_placeholders_and_the_instruction_as_it_is():
    veil = Veil(PrivacyOptions())
    told = veil.over([{"role": "system", "content": "write to help@us.example"}, {"role": "user", "content": TICKET}])
    assert told[0]["content"] == "write to help@us.example"
    assert "ada" not in told[1]["content"].lower()
    assert veil.hidden["[EMAIL_1]"] == "ada@shop.example"
    assert veil.hidden["[EMAIL_2]"] == "ada.old@shop.example"
    assert "Ada Byron" in veil.hidden.values()


def test_what_was_taken_out_is_put_back(veil):
    assert veil.lifted("We write to [EMAIL_2], [EMAIL_1].", done=True) == (
        "We write to ada.old@shop.example, ada@shop.example."
    )


def test_a_placeholder_that_stands_for_nothing_stays(veil):
    assert veil.lifted("Call [PHONE_1] or [see here]", done=True) == "Call [PHONE_1] or [see here]"


def test_the_beginning_of_a_placeholder_is_held_back_until_it_is_whole(veil):
    answer, shown = "Dear [EMAIL_1], [1] is not one.", ""
    for length in range(len(answer) + 1):
        grown = veil.lifted(answer[:length], done=False)
        assert grown.startswith(shown), "nothing that was shown is taken back"
        assert "[EMAIL" not in grown
        shown = grown
    assert veil.lifted(answer, done=True) == "Dear ada@shop.example, [1] is not one."


def test_an_answer_that_ends_within_a_placeholder_is_shown_as_it_is(veil):
    assert veil.lifted("Dear [EMAIL_", done=True) == "Dear [EMAIL_"


def test_where_nothing_was_masked_nothing_is_changed():
    veil = Veil(PrivacyOptions(enabled=False))
    turns = [{"role": "user", "content": TICKET}]
    assert veil.over(turns) == turns
    assert veil.lifted("[EMAIL_1] [", done=False) == "[EMAIL_1] ["
