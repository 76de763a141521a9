"""Reading what a handler answers, and waiting for what it began."""

import time


def calls(studio, name):
    return [call for call in studio.calls if call[0] == name]


def by_id(result):
    """A handler's answer by elem_id."""
    return {component.elem_id: value for component, value in result.items() if getattr(component, "elem_id", None)}


def last(results):
    """A generator's last answer by elem_id."""
    *_, result = results
    return by_id(result)


def until(look, deadline=10):
    end = time.monotonic() + deadline
    while time.monotonic() < end:
        if (found := look()) is not None:
            return found
    raise AssertionError("it did not happen in time")
