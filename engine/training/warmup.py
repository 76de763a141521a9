"""The gentle start of the learning rate: from the first step on something is learnt.

transformers' schedules multiply the rate by ``step / warm-up`` with steps counted from 0, so that the first step of a
run learns nothing.
"""

from collections.abc import Callable
from typing import Any


def start_above_zero(scheduler: Any, warmup: int) -> None:
    """Let the factor of a scheduler rise as 1/warm-up, 2/warm-up ... 1; what comes after is left as it is.

    Args:
        scheduler: A torch LambdaLR that has not been stepped yet; changed in place.
        warmup: Steps of the gentle start; with 0 nothing is changed.
    """
    if not warmup:
        return
    scheduler.lr_lambdas = [_risen(factor, warmup) for factor in scheduler.lr_lambdas]
    groups = scheduler.optimizer.param_groups
    for group, base, factor in zip(groups, scheduler.base_lrs, scheduler.lr_lambdas, strict=True):
        group["lr"] = base * factor(0)
    scheduler._last_lr = [group["lr"] for group in groups]


def _risen(factor: Callable[[int], float], warmup: int) -> Callable[[int], float]:
    def risen(step: int) -> float:
        return (step + 1) / warmup if step < warmup else factor(step)

    return risen
