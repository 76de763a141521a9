from dataclasses import replace
from pathlib import Path

import pytest

from engine.export.records import Command, Made, Offer, PackingOffer, Proof
from tests.ui.fake_tickets import HOSTILE
from ui.export import cards

pytestmark = pytest.mark.ui

MERGED = Offer(
    "merged", "Whole model", "One model.", "transformers", 271_000_000, 300_000_000, 40 * 10**9, "", (), None
)
MADE = Made(Path("/runs/a/exports/shop-merged"), 271_000_000, 0.0, "", "", (Command("vLLM", "vllm serve x"),), False)


def test_a_card_says_what_it_is_for_how_large_it_is_and_what_room_it_needs():
    shown = cards.cards([MERGED])
    for told in ("Whole model", "One model.", "271 MB", "needs 300 MB of 40.0 GB free"):
        assert told in shown
    assert shown.count('data-do="make"') == 1


def test_the_adapter_has_its_own_button_at_the_top():
    assert 'data-do="make"' not in cards.cards([replace(MERGED, key="adapter")])


def test_what_cannot_be_had_says_why_and_has_no_button():
    for offer in (replace(MERGED, refusal="Gemma 9 is not known."), replace(MERGED, free=1000)):
        shown = cards.cards([offer])
        assert offer.refusal in shown
        assert 'data-do="make"' not in shown
    assert "not enough room" in cards.cards([replace(MERGED, free=1000)])


def test_how_a_gguf_is_packed_is_chosen_beside_its_button():
    shown = cards.cards(
        [replace(MERGED, key="gguf", packings=(PackingOffer("q8_0", 145_000_000), PackingOffer("f16", None)))]
    )
    assert '<option value="q8_0">q8_0 · 8 bit, nearly as tested · 145 MB</option>' in shown
    assert '<option value="f16">f16 · 16 bit, as tested</option>' in shown
    assert shown.index("<select") < shown.index('data-do="make"')


def test_what_was_made_says_where_it_lies_and_how_it_is_used():
    shown = cards.cards([replace(MERGED, made=MADE)])
    for told in ("/runs/a/exports/shop-merged", "vllm serve x", "Use it with vLLM", "Make it again", "Open folder"):
        assert told in shown
    assert "Download (.zip)" in shown
    assert "Download (.zip)" not in cards.cards([replace(MERGED, made=replace(MADE, size=3 * 10**9))])
    assert "an earlier step" in cards.cards([replace(MERGED, made=replace(MADE, is_older=True))])


def test_what_failed_its_trial_says_so_beside_its_button():
    failed = replace(MADE, proof=Proof("failed", "It does NOT answer as the playground does."))
    shown = cards.cards([replace(MERGED, made=failed)])
    assert "does NOT answer" in shown
    assert "Download it all the same" in shown
    passed = replace(MADE, proof=Proof("passed", "It answers as the playground does."))
    assert "Download (.zip)" in cards.cards([replace(MERGED, made=passed)])


def test_nothing_that_is_shown_is_taken_for_html():
    command = Command(HOSTILE, HOSTILE, HOSTILE)
    hostile = replace(MADE, folder=Path(f"/{HOSTILE}"), commands=(command,), quantisation=HOSTILE)
    shown = cards.cards([replace(MERGED, title=HOSTILE, purpose=HOSTILE, made=hostile)])
    assert "<img" not in shown
