import asyncio
from concurrent.futures import ThreadPoolExecutor

from gradio.route_utils import API_PREFIX

from ui.server.arrival import PATH, InOrder

DEADLINE = 60.0


class Slow:
    """An app whose first click is looked at for as long as the test likes."""

    def __init__(self):
        self.taken: list[str] = []
        self.go_on = asyncio.Event()

    async def __call__(self, scope, receive, send):
        if not self.taken and scope["query_string"] == b"first":
            await self.go_on.wait()
        self.taken.append(scope["query_string"].decode())


def asked(app, name, *, browser="anna", path=PATH):
    scope = {"type": "http", "path": path, "query_string": name.encode(), "headers": [(b"cookie", browser.encode())]}
    return asyncio.ensure_future(app(scope, None, None))


def run(test):
    """Run it in a thread: Playwright leaves an event loop running in the one of the tests."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(lambda: asyncio.run(asyncio.wait_for(test(), DEADLINE))).result(2 * DEADLINE)


def test_a_click_does_not_overtake_the_one_before():
    async def test():
        inner = Slow()
        app = InOrder(inner)
        both = [asked(app, "first"), asked(app, "second")]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        inner.go_on.set()
        await asyncio.gather(*both)
        assert inner.taken == ["first", "second"]

    run(test)


def test_another_browser_and_what_is_no_click_do_not_wait():
    async def test():
        inner = Slow()
        app = InOrder(inner)
        first = asked(app, "first")
        await asyncio.sleep(0)
        await asked(app, "of bo", browser="bo")
        await asked(app, "a picture", path="/gradio_api/file")
        inner.go_on.set()
        await first
        assert inner.taken == ["of bo", "a picture", "first"]

    run(test)


def test_clicks_still_come_by_the_way_that_is_watched():
    assert f"{API_PREFIX}/queue/join" == PATH
