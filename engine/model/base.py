"""BaseModel: the one frozen 4-bit model that is loaded, and the copies that training and chat make of it."""

import logging
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.model.device import release_unused
from engine.model.loading import compute_dtype, load_quantised, pick_device
from engine.model.sharing import weight_sharing_copy
from engine.model.sources import title
from engine.model.starter import Report
from engine.model.tokenizing import ChatFormat, load_chat_format
from engine.model.weights_mark import weights_mark
from engine.training.recipe import BaseOptions, Recipe

if TYPE_CHECKING:
    import torch

    from engine.chat.adapters import AdapterBank

log = logging.getLogger(__name__)


class BaseModel:
    """A base in 4 bit with its chat format. The model itself stays pristine: use :meth:`copy`.

    Args:
        model: The quantised model, in eval mode, without gradients.
        chat: Its tokenizer and template.
        ref: As in the recipe.
        loaded_as: To tell whether it fits another recipe.
    """

    def __init__(self, model: Any, chat: ChatFormat, ref: str, loaded_as: BaseOptions) -> None:
        self.model = model
        self.chat = chat
        self.ref = ref
        self.title = f"{title(ref)}, 4 bit"
        self.loaded_as = loaded_as

    @property
    def device(self) -> "torch.device":
        """Where the weights are."""
        device: torch.device = next(self.model.parameters()).device
        return device

    @cached_property
    def mark(self) -> str:
        """What tells its weights from those of another model of the same shape; empty where that is not known."""
        config = self.model.config
        return weights_mark(str(config._name_or_path), getattr(config, "_commit_hash", None))

    def copy(self) -> Any:
        """Return a weight-sharing copy to do as one likes with."""
        return weight_sharing_copy(self.model)

    @cached_property
    def bank(self) -> "AdapterBank":
        """The playground's adapters over a copy of this base."""
        from engine.chat.adapters import AdapterBank

        return AdapterBank(self.copy())

    def make_room(self) -> None:
        """Give the memory back that answers keep for the next one, before a run looks at how much is free."""
        if "bank" in self.__dict__:
            self.bank.recordings.give_back()
            release_unused()

    def release(self) -> None:
        """Give the memory back; the object must not be used afterwards."""
        self.__dict__.pop("bank", None)
        self.model = None
        try:
            release_unused()
        except RuntimeError as error:  # a GPU that stopped answering: nothing can be given back any more
            log.warning("the GPU's memory could not be given back: %s", error)


def load_base(recipe: Recipe, cache: Path, report: Report) -> BaseModel:
    """Load the recipe's base model in 4 bit onto the GPU, or into memory without one.

    Raises:
        ModelError: It is not to be had or not loadable.
        ResourceError: Memory or disk ran out.
    """
    chat = load_chat_format(recipe.model, cache, report)
    report(f"Loading {title(recipe.model)} in 4 bit", None)
    device = pick_device()
    model = load_quantised(recipe, cache, device, compute_dtype(recipe.compute_type, device), report)
    return BaseModel(model, chat, recipe.model, recipe.base_options)
