"""bitsandbytes' optimizers without their waits at every weight, and without what they remember of a run.

bitsandbytes 0.50 lets the processor wait for the GPU after the update of each weight, and asks the driver before it to
bring paged state to the GPU, where it is already unless memory was short. An adapter on all projections of a 7B has 448
weights, and the GPU stood still for 50 ms of a step of 470 ms (H200). Kernels of one stream run in order without that,
and what was paged out comes back when a kernel touches it. Only who reads the state on the processor has to wait.
"""

from typing import Any

import torch


def make_async(optimizer: Any) -> None:
    """Let a bitsandbytes optimizer launch all updates of a step at once; any other is left as it is.

    Args:
        optimizer: Fresh, before a scheduler has wrapped its ``step``.
    """
    from bitsandbytes.optim.optimizer import Optimizer8bit

    if isinstance(optimizer, Optimizer8bit):
        optimizer.__class__ = _async_class(type(optimizer))


def forget_overrides(model: Any) -> None:
    """Let go of the embeddings that transformers registers with bitsandbytes' global manager for every 8-bit run.

    The manager never does, so that every base that was trained on left a table of embeddings on the GPU behind.
    """
    from bitsandbytes.optim import GlobalOptimManager

    manager = GlobalOptimManager.get_instance()
    ours = {id(module) for module in model.modules()}
    manager.module_weight_config_triple = [
        entry for entry in manager.module_weight_config_triple if id(entry[0]) not in ours
    ]


def _async_class(kind: type) -> type:
    """Return a class of optimizers like ``kind`` in all but the waiting."""

    class AsyncOptimizer(kind):  # type: ignore[misc]
        """See the module."""

        @torch.no_grad()
        def step(self, closure: Any = None) -> Any:
            """Update every weight that has a gradient, in bitsandbytes' order and with its parts."""
            loss = None
            if closure is not None:
                with torch.enable_grad():
                    loss = closure()
            if not self.initialized:  # type: ignore[has-type]
                self.check_overrides()
                self.to_gpu()
                self.initialized = True
            for group_number, group in enumerate(self.param_groups):
                for number, weight in enumerate(group["params"]):
                    if weight.grad is None:
                        continue
                    if not self.state[weight]:
                        self.init_state(group, weight, group_number, number)
                    self.update_step(group, weight, group_number, number)
            return loss

        def state_dict(self) -> dict[str, Any]:
            """Return the state once every update has been made."""
            if torch.cuda.is_available():
                torch.cuda.synchronize()
            state: dict[str, Any] = super().state_dict()
            return state

    AsyncOptimizer.__name__ = AsyncOptimizer.__qualname__ = kind.__name__
    return AsyncOptimizer
