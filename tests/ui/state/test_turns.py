"""Turns by themselves: who waits for whom, in which order. No thread, no clock."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest

from ui.state.turns import PAGE, PREFIX, Turns

pytestmark = [pytest.mark.ui, pytest.mark.timeout(60)]


def finished(scenario):
    """Run a coroutine in a thread of its own: this one may have a loop already, where a browser was driven before."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, scenario).result()


async def settle():
    """Let everything run that does not wait for somebody."""
    for _ in range(20):
        await asyncio.sleep(0)


def run(scenario):
    turns, told, go = Turns(), [], asyncio.Event()

    async def take(person, slot, name, hold=False):
        async with turns.of(person, slot):
            told.append(name)
            if hold:
                await go.wait()

    async def whole():
        tasks = [asyncio.create_task(take(*what)) for what in scenario]
        await settle()
        before = list(told)
        go.set()
        await asyncio.gather(*tasks)
        return before

    before = finished(whole())
    return before, told[len(before) :], turns


def test_one_persons_turns_come_in_the_order_of_arrival():
    clicks = [("anna", PREFIX + PAGE, number) for number in range(50)]
    before, after, _ = run([("anna", PREFIX + PAGE, "first", True), *clicks])
    assert before == ["first"]
    assert after == list(range(50))


def test_two_people_do_not_wait_for_each_other():
    before, after, _ = run([("anna", PREFIX + PAGE, "anna", True), ("bert", PREFIX + PAGE, "bert")])
    assert (before, after) == (["anna", "bert"], [])


def test_reading_files_holds_up_nothing_else_of_the_same_person():
    slow = [("anna", PREFIX + "files", "large file", True), ("anna", PREFIX + "files", "next file")]
    before, after, _ = run([*slow, ("anna", PREFIX + PAGE, "click"), ("anna", "some slot", "look")])
    assert (before, after) == (["large file", "click", "look"], ["next file"])


def test_a_page_without_a_name_and_a_handler_that_fails_hold_up_nobody():
    async def scenario():
        turns = Turns()
        with pytest.raises(ValueError):
            async with turns.of("anna", PREFIX + PAGE):
                raise ValueError
        async with turns.of("anna", PREFIX + PAGE), turns.of(None, PREFIX + PAGE):
            return turns

    finished(scenario())


def test_whoever_gives_up_waiting_lets_the_next_one_in():
    async def scenario():
        turns, go, told = Turns(), asyncio.Event(), []

        async def take(name):
            async with turns.of("anna", PREFIX + PAGE):
                told.append(name)
                await go.wait()

        first, second, third = (asyncio.create_task(take(name)) for name in "123")
        await settle()
        second.cancel()
        go.set()
        await asyncio.gather(first, second, third, return_exceptions=True)
        return told

    assert finished(scenario()) == ["1", "3"]


def test_nothing_is_kept_of_a_person_who_waits_for_nothing():
    _, _, turns = run([(f"person {number}", PREFIX + PAGE, number) for number in range(20)])
    assert len(turns) == 0
