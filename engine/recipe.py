"""Every hyperparameter of a run, with its unit, its range and one plain sentence.

A :class:`Recipe` is checked once, where it is built. The window, the command line and the documentation read the same
:data:`FIELDS`, so that a setting is described in one place. The recipe knows no model and no tickets.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from engine.errors import RecipeError
from engine.layer_names import check_layer_names, layer_names
from engine.setting import Setting, setting, settings_of

STARTER = "starter"
"""The model reference that means the embedded starter model."""


class BaseOptions(NamedTuple):
    """The part of a recipe that decides which base model is loaded, and how."""

    model: str
    quant_type: str
    double_quant: bool
    compute_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """The settings of one QLoRA run.

    Defaults are the well-known QLoRA tutorial's (Dettmers et al., 2023, https://arxiv.org/abs/2305.14314) where it has
    one.

    Raises:
        RecipeError: A value is of the wrong type or out of its range; names the field.
    """

    model: str = setting(
        STARTER, "Model", "Base model", "'starter', a model hub id such as Qwen/Qwen3-4B, or a local folder."
    )
    system_prompt: str = setting(
        "",
        "Model",
        "Standing instruction (system prompt)",
        "Put before every conversation that has none of its own; empty keeps the model's default.",
    )
    quant_type: Literal["nf4", "fp4"] = setting(
        "nf4",
        "Model",
        "4-bit number format (quant type)",
        "How the frozen weights are stored; nf4 keeps more of the model's quality.",
    )
    double_quant: bool = setting(
        True,
        "Model",
        "Compress the scales too (double quantisation)",
        "Saves about 0.4 bits a weight at no visible loss.",
    )
    compute_type: Literal["auto", "bfloat16", "float16", "float32"] = setting(
        "auto",
        "Model",
        "Compute type",
        "The number format of the arithmetic; auto takes bfloat16 on a recent GPU and float32 on the processor.",
    )

    rank: int = setting(
        16,
        "Adapter",
        "How much it can learn (rank)",
        "Size of the adapter; more holds more detail, needs more memory and overfits sooner.",
        low=1,
        high=512,
    )
    alpha: int = setting(
        32,
        "Adapter",
        "How strongly it speaks (alpha)",
        "The adapter's output is multiplied by alpha / rank; twice the rank is a good start.",
        low=1,
        high=1024,
    )
    dropout: float = setting(
        0.05,
        "Adapter",
        "Random forgetting (dropout)",
        "Share of the adapter's inputs left out at random in each step; guards against learning by heart.",
        low=0.0,
        high=0.9,
    )
    target_modules: str = setting(
        "all-linear",
        "Adapter",
        "Where it sits (target modules)",
        "'all-linear', or names of layers with commas, such as q_proj,v_proj.",
    )
    bias: Literal["none", "all", "lora_only"] = setting(
        "none", "Adapter", "Train biases too (bias)", "Leave at none unless a paper tells you otherwise."
    )

    epochs: float = setting(
        3.0,
        "Learning",
        "Passes through the tickets (epochs)",
        "How often each conversation is seen.",
        low=0.01,
        high=100.0,
        unit="times",
    )
    max_steps: int = setting(
        0,
        "Learning",
        "Stop after this many steps",
        "0 means that the epochs decide; otherwise whichever comes first.",
        low=0,
        high=1_000_000,
        unit="steps",
    )
    learning_rate: float = setting(
        2e-4,
        "Learning",
        "Size of each step (learning rate)",
        "Too low learns nothing, too high breaks the model; the fewer the steps, the larger it may be.",
        low=1e-7,
        high=0.1,
    )
    schedule: Literal["cosine", "linear", "constant", "constant_with_warmup"] = setting(
        "cosine", "Learning", "How the step size falls (schedule)", "cosine starts strong and settles gently."
    )
    warmup: float = setting(
        0.03,
        "Learning",
        "Gentle start (warm-up)",
        "Share of the steps over which the learning rate rises to its full size.",
        low=0.0,
        high=0.5,
        unit="share of all steps",
    )
    optimizer: Literal["paged_adamw_8bit", "paged_adamw_32bit", "adamw_8bit", "adamw_torch"] = setting(
        "paged_adamw_8bit", "Learning", "Optimizer", "paged_adamw_8bit needs the least memory."
    )
    weight_decay: float = setting(
        0.0,
        "Learning",
        "Pull towards zero (weight decay)",
        "A mild brake on large weights; adapters rarely need it.",
        low=0.0,
        high=1.0,
    )
    max_grad_norm: float = setting(
        0.3,
        "Learning",
        "Largest correction (max grad norm)",
        "Corrections larger than this are scaled down; 0 switches it off.",
        low=0.0,
        high=100.0,
    )
    seed: int = setting(
        42, "Learning", "Seed", "The same seed, tickets and recipe give the same run.", low=0, high=2**31 - 1
    )

    lookup: bool = setting(
        False,
        "Learning",
        "Learn to answer from earlier tickets (look-up)",
        "Puts similar tickets before most conversations, to be read and not learnt; then always asked so.",
    )

    general: float = setting(
        0.0,
        "Learning",
        "Mix general examples in (general share)",
        "Plain questions and answers that come with the program, learnt beside the tickets: against forgetting.",
        low=0.0,
        high=0.5,
        unit="share of all conversations",
    )

    batch_size: int = setting(
        4,
        "Batches",
        "At a time (batch size)",
        "More is faster and needs more memory.",
        low=1,
        high=1024,
        unit="conversations",
    )
    accumulation: int = setting(
        2,
        "Batches",
        "In a step (gradient accumulation)",
        "Batches collected before one update; the effective batch is the product of the two.",
        low=1,
        high=1024,
        unit="batches",
    )
    max_length: int = setting(
        1024,
        "Batches",
        "Longest conversation (max length)",
        "Longer conversations lose some of their turns.",
        low=32,
        high=131_072,
        unit="tokens",
    )
    keeps: Literal["newest", "oldest"] = setting(
        "newest",
        "Batches",
        "What long conversations keep (keeps)",
        "newest: the customer's first message and the last turns, whole; oldest: what comes first, cut at the end.",
    )
    packing: Literal["auto", "on", "off"] = setting(
        "auto",
        "Batches",
        "Fill up batches (packing)",
        "Puts short conversations end to end, kept apart; auto does so on a GPU where enough steps are left to learn.",
    )
    group_by_length: bool = setting(
        True, "Batches", "Similar lengths together (group by length)", "Wastes less on padding."
    )

    memory: Literal["auto", "streamed", "saving", "balanced", "spacious"] = setting(
        "auto",
        "Memory",
        "Memory against speed",
        "saving fits small GPUs, spacious is about twice as fast; streamed fits a model that is larger than the GPU, "
        "by bringing in its layers one by one. auto takes the fastest that fits. All learn the same.",
    )

    gpus: int = setting(
        1,
        "Memory",
        "GPUs that share the run",
        "How many GPUs of this computer work on it; 0 takes all. A step holds the same conversations on any number.",
        low=0,
        high=1024,
    )
    spread: Literal["copies", "shards"] = setting(
        "copies",
        "Memory",
        "What each GPU holds (data parallel or FSDP)",
        "copies: each GPU holds the whole base, the fastest; shards: each holds a part, for a base too large for one.",
    )

    logging_steps: int = setting(
        1,
        "Evaluation",
        "Show the loss every",
        "How often a point is added to the curve.",
        low=1,
        high=10_000,
        unit="steps",
    )
    eval_steps: int = setting(
        0,
        "Evaluation",
        "Check held-out tickets every",
        "0 checks about eight times in a run, and always before the first and after the last step.",
        low=0,
        high=1_000_000,
        unit="steps",
    )
    save_steps: int = setting(
        0,
        "Evaluation",
        "Save a checkpoint every",
        "0 saves whenever the held-out tickets are checked.",
        low=0,
        high=1_000_000,
        unit="steps",
    )
    keep_checkpoints: int = setting(
        3,
        "Evaluation",
        "How many to keep (keep checkpoints)",
        "Older ones are deleted, the best never.",
        low=1,
        high=1000,
        unit="checkpoints",
    )
    patience: int = setting(
        3,
        "Evaluation",
        "Stop when it no longer helps (patience)",
        "Ends the run when the held-out loss has not fallen for this many checks in a row; 0 never.",
        low=0,
        high=1000,
        unit="checks",
    )
    keep_best: bool = setting(
        True,
        "Evaluation",
        "Take the best checkpoint, not the last",
        "The adapter that is best by the next setting is the one you get.",
    )
    best_by: Literal["loss", "inventions", "both"] = setting(
        "loss",
        "Evaluation",
        "What makes a checkpoint the best (best by)",
        "loss: lowest on the held-out tickets; inventions: fewest facts from nowhere in replies to them; both: fewest, "
        "of those with nearly the lowest loss.",
    )
    replies: Literal["auto", "on", "off"] = setting(
        "auto",
        "Evaluation",
        "Answer held-out tickets on the way (replies)",
        "on: three at every check, so that you see the manner arrive; auto: at the first and the last, and between "
        "them as often as costs the run at most 5 %.",
    )

    def __post_init__(self) -> None:
        for name, described in FIELDS.items():
            described.check(getattr(self, name))
            if described.kind is float:
                object.__setattr__(self, name, float(getattr(self, name)))
        if not self.model.strip():
            raise RecipeError("model", "No base model is chosen.", "Pick one from the list, or 'starter'.")
        if self.spread == "shards" and self.bias != "none":
            raise RecipeError(
                "spread", "A base that is split among GPUs keeps its biases.", "Set bias to none, or copies."
            )
        if self.replies == "off" and self.best_by != "loss":
            raise RecipeError(
                "best_by", "Inventions are counted in replies, which are off.", "Set replies to on, or best by to loss."
            )
        if self.spread == "shards" and self.memory == "streamed":
            raise RecipeError(
                "memory",
                "A base that is split among GPUs is on them; its layers are not brought in from the computer's memory.",
                "Set memory against speed to auto, or copies.",
            )
        check_layer_names(self.targets)

    @property
    def targets(self) -> tuple[str, ...]:
        """The names in ``target_modules``."""
        return layer_names(self.target_modules)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, in the order of the fields."""
        return {name: getattr(self, name) for name in FIELDS}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Recipe":
        """Build a recipe from plain values; missing ones take their default, and those of older files their new name.

        Raises:
            RecipeError: A name is unknown or a value is out of its range.
        """
        values = _as_named_today(values)
        for name in values:
            if name not in FIELDS:
                raise RecipeError(name, f"There is no setting called '{name}'.", f"Known are: {', '.join(FIELDS)}.")
        return cls(**values)

    @property
    def base_options(self) -> BaseOptions:
        """Which base model it trains on, and how that is loaded."""
        return BaseOptions(self.model, self.quant_type, self.double_quant, self.compute_type)

    def with_text(self, assignments: Mapping[str, str]) -> "Recipe":
        """Return a copy with values given as text, as the command line's ``--set name=value`` does.

        Raises:
            RecipeError: A name is unknown, or a value cannot be read or is out of its range.
        """
        parsed: dict[str, Any] = {}
        for name, text in assignments.items():
            if name not in FIELDS:
                raise RecipeError(name, f"There is no setting called '{name}'.", f"Known are: {', '.join(FIELDS)}.")
            parsed[name] = FIELDS[name].parse(text)
        return dataclasses.replace(self, **parsed)

    def changed_from(self, other: "Recipe") -> dict[str, Any]:
        """Return the fields whose value differs from ``other``'s."""
        return {name: value for name, value in self.to_dict().items() if value != getattr(other, name)}


def _as_named_today(values: Mapping[str, Any]) -> dict[str, Any]:
    """Read recipe.json files from before there were memory modes: 'checkpointing', and packing as yes or no."""
    today = dict(values)
    if "checkpointing" in today:
        mode = {"on": "balanced", "off": "spacious"}.get(today.pop("checkpointing"), "auto")
        today.setdefault("memory", mode)
    if isinstance(today.get("packing"), bool):
        today["packing"] = "on" if today["packing"] else "off"
    return today


FIELDS: dict[str, Setting] = settings_of(Recipe)
"""Every field of :class:`Recipe`, in order."""
