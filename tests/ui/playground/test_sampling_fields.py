import pytest

from engine.chat.records import Sampling
from engine.errors import StudioError
from ui.playground.sampling_fields import sampling_of


def test_the_fields_say_how_an_answer_is_chosen():
    found = sampling_of(0.5, 0.9, 64, 3.0, 20, 0.05, 1.1, "Kind regards\n\n###\n###", True)
    assert found == Sampling(0.5, 0.9, 64, 3, 20, 0.05, 1.1, True, ("Kind regards", "###"))


def test_without_the_later_fields_nothing_of_them_is_chosen():
    assert sampling_of(0.0, 0.9, 64, None) == Sampling(0.0, 0.9, 64, None)


def test_an_empty_seed_draws_a_new_one_each_time():
    assert sampling_of(1.0, 0.9, 64, None).seed is None


def test_too_many_stop_words_are_told():
    with pytest.raises(StudioError, match="stop words"):
        sampling_of(0.0, 0.9, 64, 0, stop_words="\n".join(map(str, range(20))))
