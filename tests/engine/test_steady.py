from engine.steady import Steady


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def test_a_swing_of_a_moment_is_not_seen_and_a_change_that_lasts_is():
    clock = Clock()
    memory = Steady(30.0, 0.5, clock)
    assert memory.of(18.2) == 18.2
    for swing in (16.6, 19.0, 17.1, 18.9):
        clock.now += 1
        assert memory.of(swing) == 18.2
    clock.now += 300
    assert abs(memory.of(10.0) - 10.0) < 0.01


def test_what_changes_less_than_a_grain_keeps_its_figure():
    clock = Clock()
    memory = Steady(1.0, 0.5, clock)
    memory.of(18.0)
    clock.now = 100
    assert memory.of(18.3) == 18.0
