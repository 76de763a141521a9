"""What is offered: chosen by a person, under names that stay."""

from pathlib import Path

import pytest

from engine.chat.records import Voice
from engine.errors import StudioError
from engine.serving.offers import FILE, Offers, OffersFile, can_be_offered, everything

BASE = Voice("base", "Base model", "", None)
SHOP = Voice("run:1", "Our shop, März", "starter", Path("x"))
NOW = Voice("run:2@now", "Run 2, as it trains", "starter", Path("x"))


def test_a_name_is_plain_its_own_and_stays_when_the_run_is_renamed():
    offers = everything([BASE, SHOP, Voice("run:3", "our shop - marz", "starter", Path("x")), NOW])
    assert offers.offered == {"base": "base", "run:1": "our-shop-marz", "run:3": "our-shop-marz-2"}
    assert offers.with_offer(Voice("run:1", "Another name", "starter", Path("x"))) is offers
    assert offers.without("run:1").offered == {"base": "base", "run:3": "our-shop-marz-2"}


def test_an_adapter_that_is_called_base_does_not_stand_for_the_base():
    offers = everything([BASE, Voice("adapter:1", "Base", "starter", Path("x"))])
    assert offers.offered == {"base": "base", "adapter:1": "base-2"}


def test_what_still_changes_cannot_be_offered(studio):
    assert not can_be_offered(NOW)
    assert not can_be_offered(Voice("run:1@30", "Run 1, step 30", "starter", Path("x")))
    with pytest.raises(StudioError):
        studio.endpoint.offer("run:2@now", True)


def test_the_choice_is_kept_and_another_program_sees_it_at_once(tmp_path):
    one, other = OffersFile(tmp_path), OffersFile(tmp_path)
    assert one.get() == other.get() == Offers()
    one.keep(everything([BASE, SHOP], dataset="set-1"))
    assert other.get() == one.get() == Offers(True, {"base": "base", "run:1": "our-shop-marz"}, "set-1")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"on": "yes", "offered": [1]}'])
def test_what_is_damaged_offers_nothing(tmp_path, text):
    (tmp_path / FILE).write_text(text)
    assert OffersFile(tmp_path).get() == Offers()
