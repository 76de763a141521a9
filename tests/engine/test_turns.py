"""The standing instruction in front of a conversation."""

import pytest

from engine.turns import instruction_for, with_instruction

ASKED = [{"role": "user", "content": "where is my parcel"}]
OWN = [{"role": "system", "content": "Be brief."}, *ASKED]


def test_it_stands_in_front_without_white_space_around_it():
    assert with_instruction(ASKED, " Be kind.\n") == [{"role": "system", "content": "Be kind."}, *ASKED]


@pytest.mark.parametrize("instruction", ["", " \n"])
def test_where_there_is_none_nothing_is_put_in_front(instruction):
    assert with_instruction(ASKED, instruction) == ASKED


def test_a_conversation_with_one_of_its_own_keeps_that():
    assert with_instruction(OWN, "Be kind.") == OWN
    assert instruction_for(OWN, "Be kind.") == ""


def test_before_the_first_turn_there_is_room_for_one():
    assert instruction_for([], "Be kind.") == "Be kind."
