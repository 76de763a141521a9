"""How the window writes numbers, times and sizes. The one place that decides it."""

import time
from datetime import datetime

MINUTE, HOUR = 60, 3600


def count(number: int, noun: str, plural: str = "") -> str:
    """Write '1 ticket' or '1,204 tickets'."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def duration(seconds: float) -> str:
    """Write a length of time as a person says it: '35 s', '4 min', '1 h 20 min'."""
    if seconds < MINUTE:
        return f"{max(1, round(seconds))} s"
    if seconds < 10 * MINUTE and seconds % MINUTE >= 30:
        return f"{int(seconds // MINUTE)}½ min"
    if seconds < HOUR - 30:
        return f"{round(seconds / MINUTE)} min"
    hours, minutes = divmod(round(seconds / MINUTE), 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def left(seconds: float | None) -> str:
    """Write the time that is left; empty while it is not known."""
    return "" if seconds is None else f"about {duration(seconds)} left"


def when(unix: float, now: float) -> str:
    """Write a moment: 'today 14:02', 'yesterday 9:10', '12 Mar 2026'."""
    moment, today = datetime.fromtimestamp(unix), datetime.fromtimestamp(now)
    days = (today.date() - moment.date()).days
    clock = f"{moment.hour}:{moment.minute:02d}"
    if days == 0:
        return f"today {clock}"
    if days == 1:
        return f"yesterday {clock}"
    return f"{moment.day} {moment:%b}" + ("" if moment.year == today.year else f" {moment.year}")


def gigabytes(gib: float) -> str:
    """Write an amount of memory, in GiB, with the unit that is printed on the box."""
    return f"{gib:.1f} GB" if gib < 100 else f"{gib:.0f} GB"


ARROW = "\N{NO-BREAK SPACE}\N{NO-BREAK SPACE}→"
"""At the end of a button that leads on; it never stands on a line of its own."""


def file_size(size: float) -> str:
    """Write a file's size, in bytes."""
    for unit in ("bytes", "KB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "bytes" or size >= 10 else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"


def loss(value: float) -> str:
    """Write a loss, in nats a token."""
    return f"{value:.2f}" if value >= 0.1 else f"{value:.3f}"


def parameters(number: int) -> str:
    """Write a number of parameters: '4.9 million'."""
    if number >= 1_000_000_000:
        return f"{number / 1e9:.1f} billion"
    if number >= 1_000_000:
        return f"{number / 1e6:.1f} million"
    return f"{number:,}"


def percent(share: float) -> str:
    """Write a share of 0 to 1 as a percentage that is never rounded to nothing."""
    value = share * 100
    if 0 < value < 0.1:
        return f"{value:.2f} %"
    return f"{value:.1f} %" if value < 10 and round(value, 1) != round(value) else f"{value:.0f} %"


def listed(parts: list[str]) -> str:
    """Join with commas and 'and'."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}" if parts else ""


def when_prepared(unix: float) -> str:
    """Write when a data set was made."""
    return f"prepared {when(unix, time.time())}"
