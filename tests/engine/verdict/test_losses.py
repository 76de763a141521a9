"""What voices lose on agents' answers, read one by one and together."""

import pytest

from engine.chat import prefill
from engine.chat.adapters import bank_of
from engine.verdict import losses
from engine.verdict.losses import Heard, answer_losses
from tests.engine.chat.lora import make_lora

ASKED = (
    "Where is my parcel?",
    "May I return a lamp that I bought last week, and what does the postage cost me?",
    "Hello",
    "The kettle leaks. " * 6,
)
TOLD = ("It is on its way.", "Yes, within 30 days, and free.", "Good morning! How may we help?", "Send us a picture.")


def test_answers_read_together_lose_what_they_lose_alone(tiny_base, tmp_path, monkeypatch):
    bank = bank_of(tiny_base)
    with bank.acquire([make_lora(tiny_base, tmp_path / "lora", seed=1, std=0.5)]) as (name,):
        heard = [
            Heard((None, name) if number % 2 else (None,), [{"role": "user", "content": asked}], told)
            for number, (asked, told) in enumerate(zip(ASKED, TOLD, strict=True))
        ]
        alone = [answer_losses(tiny_base, bank, [each])[0] for each in heard]
        monkeypatch.setattr(losses, "_tokens_at_once", lambda bank: prefill.PIECE)
        rows: list[int] = []
        forward = bank.forward
        monkeypatch.setattr(bank, "forward", lambda names, **told: rows.append(len(names)) or forward(names, **told))
        together = answer_losses(tiny_base, bank, heard)
    assert rows == [6]  # one pass
    for one, other in zip(alone, together, strict=True):
        assert one == pytest.approx(other, abs=2e-4)
    assert together[1][0] != pytest.approx(together[1][1], abs=1e-3)


def test_as_many_are_read_together_as_a_pass_may_hold(tiny_base, tmp_path, monkeypatch):
    bank = bank_of(tiny_base)
    heard = [
        Heard((None,), [{"role": "user", "content": asked}], told) for asked, told in zip(ASKED, TOLD, strict=True)
    ]
    alone = [answer_losses(tiny_base, bank, [each])[0] for each in heard]
    monkeypatch.setattr(losses, "_tokens_at_once", lambda bank: 1)
    assert answer_losses(tiny_base, bank, heard) == alone
