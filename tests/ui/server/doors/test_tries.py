"""How often a password may be tried."""

from ui.server.doors.tries import ALL, FORGOTTEN, MOST, ONE, Tries, network_of


class Clock:
    """A clock that a test moves on."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


def guessed(tries, clock, who, seconds, known=False):
    """How many wrong tries somebody gets in so many seconds who tries whenever it is possible."""
    end, count = clock.now + seconds, 0
    while clock.now < end:
        wait = tries.wait(who, known=known)
        if not wait:
            tries.failed(who, known=known)
            count += 1
        clock.now += wait
    return count


def test_a_few_tries_are_free_and_then_they_are_slowed():
    clock = Clock()
    tries = Tries(clock)
    waits = []
    for _ in range(ONE.free + 4):
        waits.append(tries.wait("a", known=False))
        clock.now += waits[-1]
        tries.failed("a", known=False)
    assert waits == [0.0] * ONE.free + [1.0, 2.0, 4.0, 8.0]


def test_an_address_gets_about_a_hundred_tries_a_day():
    clock = Clock()
    assert 90 < guessed(Tries(clock), clock, "a", 86_400) < 120


def test_many_addresses_get_as_many_as_one_every_half_minute():
    clock = Clock()
    tries = Tries(clock)
    count, end = 0, clock.now + 3600
    while clock.now < end:
        who = f"address {count}"
        clock.now += tries.wait(who, known=False)
        tries.failed(who, known=False)
        count += 1
    assert count < ALL.free + 3600 / ALL.longest + 10


def test_nobody_is_shut_out_for_ever():
    clock = Clock()
    tries = Tries(clock)
    guessed(tries, clock, "a", 86_400)
    assert tries.wait("a", known=False) <= ONE.longest
    clock.now += FORGOTTEN
    assert tries.wait("a", known=False) == 0
    assert tries.wait("somebody else", known=False) == 0


def test_a_known_browser_does_not_wait_for_the_wrong_tries_of_others():
    clock = Clock()
    tries = Tries(clock)
    for number in range(1000):
        tries.failed(f"address {number}", known=False)
    assert tries.wait("another", known=False) > 0
    assert tries.wait("browser", known=True) == 0
    for _ in range(ONE.free + 1):
        tries.failed("browser", known=True)
    assert tries.wait("browser", known=True) > 0


def test_getting_in_clears_the_count():
    tries = Tries(Clock())
    for _ in range(ONE.free):
        tries.failed("a", known=False)
    assert tries.wait("a", known=False) > 0
    tries.succeeded("a")
    assert tries.wait("a", known=False) == 0


def test_the_memory_is_bounded():
    tries = Tries(Clock())
    for number in range(2 * MOST):
        tries.failed(f"address {number}", known=False)
    assert len(tries._wrong) == MOST


def test_addresses_that_one_person_can_choose_count_as_one():
    assert network_of("2001:db8::1") == network_of("2001:db8::ffff:2") != network_of("2001:db8:0:1::1")
    assert network_of("::ffff:192.0.2.1") == network_of("192.0.2.1") != network_of("192.0.2.2")
    assert network_of("fe80::1%eth0") == network_of("fe80::2%eth1")
    assert network_of("") == ""
