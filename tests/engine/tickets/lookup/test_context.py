"""Looked-up tickets as turns: what is told of one, and what gives way where there is little room."""

from engine.tickets.lookup.context import SHORT_CHARS, fitting, shortened, told


def turns(*said):
    return [{"role": role, "content": words} for role, words in said]


def ticket(name, words=3):
    asked, told_ = ("user", f"{name} asks " + "please " * words), ("assistant", f"{name} gets " + "help " * words)
    return told(turns(asked, told_, ("user", f"{name} asks more"), ("assistant", f"{name} is told more")))


def test_a_ticket_is_told_from_the_first_question_to_the_last_answer():
    said = turns(
        ("system", "Be kind."), ("assistant", "Hi"), ("user", "Why?"), ("assistant", "So."), ("user", "Thanks")
    )
    assert told(said) == tuple(turns(("user", "Why?"), ("assistant", "So.")))
    assert told(turns(("user", "Nobody answers"))) == ()


def test_reasoning_is_not_told():
    said = told(turns(("user", "Why?"), ("assistant", "<think>They must not read this.</think>So.")))
    assert said[1]["content"].strip() == "So."


def test_the_nearest_stands_last():
    made, count = fitting([ticket("near"), ticket("far")], lambda _: True)
    assert count == 2
    assert made == [*ticket("far"), *ticket("near")]


def test_the_furthest_are_shortened_first_and_then_left_off():
    near, middle, far = tickets = [ticket(name, 2) for name in ("near", "middle", "far")]

    def kept(room):
        return fitting(tickets, lambda said: sum(len(turn["content"]) for turn in said) <= room)

    def size(*parts):
        return sum(len(turn["content"]) for part in parts for turn in part)

    assert kept(size(*tickets)) == ([*far, *middle, *near], 3)
    assert kept(size(*tickets) - 1) == ([*shortened(far), *middle, *near], 3)
    assert kept(size(shortened(far), shortened(middle), shortened(near)))[1] == 3
    assert kept(size(shortened(middle), shortened(near))) == ([*shortened(middle), *shortened(near)], 2)
    assert kept(size(shortened(near))) == (list(shortened(near)), 1)
    assert kept(0) == ([], 0)


def test_a_shortened_turn_says_that_it_is():
    long = shortened(ticket("long", 400))
    assert all(len(turn["content"]) <= SHORT_CHARS + 2 and turn["content"].endswith(" …") for turn in long)
