"""Every hyperparameter of a run, with its unit, its range and one plain sentence; and the presets.

A :class:`Recipe` is checked once, where it is built. The window, the command line and the documentation read the same
:data:`FIELDS`, so that a setting is described in one place. The recipe knows no model and no tickets.
"""

import dataclasses
import itertools
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args, get_origin

from engine.errors import RecipeError
from engine.typed_numbers import AmbiguousNumberError, plain, read_float, read_whole

STARTER = "starter"
"""The model reference that means the embedded starter model."""

PRESETS_FILE = Path(__file__).parents[1] / "assets" / "presets.toml"

WORD_TABLES = frozenset(
    (
        *(
            "embed_tokens",
            "embed_in",
            "wte",
            "wpe",
            "word_embeddings",
            "tok_embeddings",
            "embed_positions",
            "embedding",
        ),
        *("lm_head", "embed_out", "output_layer", "embeddings"),
    )
)
"""What models call their tables of words, at the beginning (embeddings) and at the end (the head)."""

Group = Literal["Model", "Adapter", "Learning", "Batches", "Memory", "Evaluation"]


class BaseOptions(NamedTuple):
    """The part of a recipe that decides which base model is loaded, and how."""

    model: str
    quant_type: str
    double_quant: bool
    compute_type: str


def setting(
    default: Any, group: Group, label: str, *, low: float | None = None, high: float | None = None, unit: str = ""
) -> Any:
    """Describe one field: its default, where it is shown, its plain label, its range (inclusive) and its unit."""
    return field(default=default, metadata={"group": group, "label": label, "low": low, "high": high, "unit": unit})


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """The settings of one QLoRA run.

    Defaults are the well-known QLoRA tutorial's (Dettmers et al., 2023, https://arxiv.org/abs/2305.14314) where it has
    one.

    Raises:
        RecipeError: A value is of the wrong type or out of its range; names the field.
    """

    model: str = setting(STARTER, "Model", "Base model")
    """'starter', a model hub id such as Qwen/Qwen3-4B, or a local folder."""
    system_prompt: str = setting("", "Model", "Standing instruction (system prompt)")
    """Put before every conversation that has none of its own; empty keeps the model's default."""
    quant_type: Literal["nf4", "fp4"] = setting("nf4", "Model", "4-bit number format (quant type)")
    """How the frozen weights are stored; nf4 keeps more of the model's quality."""
    double_quant: bool = setting(True, "Model", "Compress the scales too (double quantisation)")
    """Saves about 0.4 bits a weight at no visible loss."""
    compute_type: Literal["auto", "bfloat16", "float16", "float32"] = setting("auto", "Model", "Compute type")
    """The number format of the arithmetic; auto takes bfloat16 on a recent GPU and float32 on the processor."""

    rank: int = setting(16, "Adapter", "How much it can learn (rank)", low=1, high=512)
    """Size of the adapter; more holds more detail, needs more memory and overfits sooner."""
    alpha: int = setting(32, "Adapter", "How strongly it speaks (alpha)", low=1, high=1024)
    """The adapter's output is multiplied by alpha / rank; twice the rank is a good start."""
    dropout: float = setting(0.05, "Adapter", "Random forgetting (dropout)", low=0.0, high=0.9)
    """Share of the adapter's inputs left out at random in each step; guards against learning by heart."""
    target_modules: str = setting("all-linear", "Adapter", "Where it sits (target modules)")
    """'all-linear', or names of layers with commas, such as q_proj,v_proj."""
    bias: Literal["none", "all", "lora_only"] = setting("none", "Adapter", "Train biases too (bias)")
    """Leave at none unless a paper tells you otherwise."""

    epochs: float = setting(3.0, "Learning", "Passes through the tickets (epochs)", low=0.01, high=100.0, unit="times")
    """How often each conversation is seen."""
    max_steps: int = setting(0, "Learning", "Stop after this many steps", low=0, high=1_000_000, unit="steps")
    """0 means that the epochs decide; otherwise whichever comes first."""
    learning_rate: float = setting(2e-4, "Learning", "Size of each step (learning rate)", low=1e-7, high=0.1)
    """Too low learns nothing, too high breaks the model; the fewer the steps, the larger it may be."""
    schedule: Literal["cosine", "linear", "constant", "constant_with_warmup"] = setting(
        "cosine", "Learning", "How the step size falls (schedule)"
    )
    """cosine starts strong and settles gently."""
    warmup: float = setting(0.03, "Learning", "Gentle start (warm-up)", low=0.0, high=0.5, unit="share of all steps")
    """Share of the steps over which the learning rate rises to its full size."""
    optimizer: Literal["paged_adamw_8bit", "paged_adamw_32bit", "adamw_8bit", "adamw_torch"] = setting(
        "paged_adamw_8bit", "Learning", "Optimizer"
    )
    """paged_adamw_8bit needs the least memory."""
    weight_decay: float = setting(0.0, "Learning", "Pull towards zero (weight decay)", low=0.0, high=1.0)
    """A mild brake on large weights; adapters rarely need it."""
    max_grad_norm: float = setting(0.3, "Learning", "Largest correction (max grad norm)", low=0.0, high=100.0)
    """Corrections larger than this are scaled down; 0 switches it off."""
    seed: int = setting(42, "Learning", "Seed", low=0, high=2**31 - 1)
    """The same seed, tickets and recipe give the same run."""

    batch_size: int = setting(4, "Batches", "At a time (batch size)", low=1, high=1024, unit="conversations")
    """More is faster and needs more memory."""
    accumulation: int = setting(2, "Batches", "In a step (gradient accumulation)", low=1, high=1024, unit="batches")
    """Batches collected before one update; the effective batch is the product of the two."""
    max_length: int = setting(1024, "Batches", "Longest conversation (max length)", low=32, high=131_072, unit="tokens")
    """Longer conversations lose some of their turns."""
    keeps: Literal["newest", "oldest"] = setting("newest", "Batches", "What long conversations keep (keeps)")
    """newest: the customer's first message and the last turns, whole; oldest: what comes first, cut at the end."""
    packing: Literal["auto", "on", "off"] = setting("auto", "Batches", "Fill up batches (packing)")
    """Puts short conversations end to end, kept apart; auto does so on a GPU where enough steps are left to learn."""
    group_by_length: bool = setting(True, "Batches", "Similar lengths together (group by length)")
    """Wastes less on padding."""

    memory: Literal["auto", "saving", "balanced", "spacious"] = setting("auto", "Memory", "Memory against speed")
    """saving fits small GPUs, spacious is about twice as fast; auto takes the fastest that fits. All learn the same."""

    gpus: int = setting(1, "Memory", "GPUs that share the run", low=0, high=1024)
    """How many GPUs of this computer work on it; 0 takes all. A step holds the same conversations on any number."""
    spread: Literal["copies", "shards"] = setting("copies", "Memory", "What each GPU holds (data parallel or FSDP)")
    """copies: each GPU holds the whole base, the fastest; shards: each holds a part, for a base too large for one."""

    logging_steps: int = setting(1, "Evaluation", "Show the loss every", low=1, high=10_000, unit="steps")
    """How often a point is added to the curve."""
    eval_steps: int = setting(0, "Evaluation", "Check held-out tickets every", low=0, high=1_000_000, unit="steps")
    """0 checks about eight times in a run, and always before the first and after the last step."""
    save_steps: int = setting(0, "Evaluation", "Save a checkpoint every", low=0, high=1_000_000, unit="steps")
    """0 saves whenever the held-out tickets are checked."""
    keep_checkpoints: int = setting(
        3, "Evaluation", "How many to keep (keep checkpoints)", low=1, high=1000, unit="checkpoints"
    )
    """Older ones are deleted, the best never."""
    patience: int = setting(3, "Evaluation", "Stop when it no longer helps (patience)", low=0, high=1000, unit="checks")
    """Ends the run when the held-out loss has not fallen for this many checks in a row; 0 never."""
    keep_best: bool = setting(True, "Evaluation", "Take the best checkpoint, not the last")
    """The adapter with the lowest held-out loss is the one you get."""

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
        self._check_target_modules()

    def _check_target_modules(self) -> None:
        """What no model can do; which layers a model has, is looked at when it is loaded."""
        if not self.targets:
            raise RecipeError("target_modules", "No target modules are named.", "Write all-linear, or names of layers.")
        if table := next((name for name in self.targets if name.rpartition(".")[2] in WORD_TABLES), None):
            raise RecipeError(
                "target_modules",
                f"{table} is a table of the model's words, which an adapter here cannot change: it answers beside the "
                "base, and both share that table.",
                "Write all-linear, or names of layers inside the model, such as q_proj,v_proj.",
            )

    @property
    def targets(self) -> tuple[str, ...]:
        """The names in ``target_modules``."""
        return tuple(name.strip() for name in self.target_modules.split(",") if name.strip())

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


_KINDS: dict[type, str] = {bool: "yes or no", int: "a whole number", float: "a number", str: "text"}
_YES_OR_NO = {**dict.fromkeys(("true", "yes", "1", "on"), True), **dict.fromkeys(("false", "no", "0", "off"), False)}


@dataclass(frozen=True, slots=True)
class Setting:
    """A field of the recipe as the window and the command line see it."""

    name: str
    kind: type
    """str, int, float or bool."""
    choices: tuple[str, ...]
    """The closed set, or empty."""
    default: Any
    group: Group
    label: str
    help: str
    """One plain sentence."""
    low: float | None
    high: float | None
    unit: str

    @property
    def range_text(self) -> str:
        """The allowed range in words, such as '1 to 512 steps'."""
        if self.choices:
            return " or ".join(self.choices)
        if self.low is None:
            return ""
        return f"{plain(self.low)} to {plain(self.high or 0)} {self.unit}".strip()

    def parse(self, text: str) -> Any:
        """Read a value from text.

        Raises:
            RecipeError: It is not of the field's type.
        """
        text = text.strip() if self.kind is not str else text
        if not text and self.kind is not str:
            raise RecipeError(self.name, f"{self.label}: there is no value.", f"Write {self._wanted}.")
        try:
            return self._read(text)
        except AmbiguousNumberError as error:
            remedy = "Write it without the mark, or with more or fewer decimals."
            raise RecipeError(self.name, f"{self.label}: '{text}' {error}.", remedy) from error
        except (ValueError, KeyError) as error:
            raise RecipeError(
                self.name, f"{self.label}: '{text}' is not {_KINDS[self.kind]}.", f"Write {self._wanted}."
            ) from error

    def _read(self, text: str) -> Any:
        if self.kind is bool:
            return _YES_OR_NO[text.lower()]
        if self.kind is str:
            return text
        number = text.removesuffix(self.unit) if self.unit else text
        return read_whole(number) if self.kind is int else read_float(number)

    @property
    def _wanted(self) -> str:
        """What to write, in words."""
        return f"{_KINDS[self.kind]} from {self.range_text}" if self.low is not None else _KINDS[self.kind]

    def check(self, value: Any) -> None:
        """Raise a RecipeError unless ``value`` is of the field's type and in its range."""
        right_type = isinstance(value, self.kind) or (self.kind is float and isinstance(value, int))
        if not right_type or (isinstance(value, bool) and self.kind is not bool):
            if self.kind in (int, float) and (value is None or isinstance(value, str)):
                self.parse(value or "")  # what is wrong with the text; where nothing is, it is still no number
            raise RecipeError(
                self.name, f"{self.label}: {value!r} is not {_KINDS[self.kind]}.", f"Write {self._wanted}."
            )
        if self.choices and value not in self.choices:
            raise RecipeError(self.name, f"{self.label}: '{value}' is not one of {', '.join(self.choices)}.")
        if self.low is not None and self.high is not None and not self.low <= value <= self.high:
            raise RecipeError(self.name, f"{self.label}: {plain(value)} is outside {self.range_text}.")


def _describe_fields() -> dict[str, Setting]:
    """Read the fields of Recipe with the sentence that stands under each in the source."""
    sentences = _sentences()
    found: dict[str, Setting] = {}
    for item in dataclasses.fields(Recipe):
        choices = get_args(item.type) if get_origin(item.type) is Literal else ()
        kind = str if choices else item.type
        assert isinstance(kind, type)
        found[item.name] = Setting(item.name, kind, choices, item.default, help=sentences[item.name], **item.metadata)
    return found


def _sentences() -> dict[str, str]:
    """Map each field to the string that follows it in the class body."""
    import ast

    tree = ast.parse(Path(__file__).read_text(encoding="utf-8"))
    body = next(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "Recipe").body
    found: dict[str, str] = {}
    for item, following in itertools.pairwise(body):
        is_text = isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant)
        if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name) and is_text:
            assert isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant)
            found[item.target.id] = str(following.value.value)
    return found


FIELDS: dict[str, Setting] = _describe_fields()
"""Every field of :class:`Recipe`, in order."""


@dataclass(frozen=True, slots=True)
class Preset:
    """A named starting point."""

    name: str
    """What the command line takes: quick, balanced or thorough."""
    title: str
    sentence: str
    recipe: Recipe


def presets() -> dict[str, Preset]:
    """Read the presets from ``assets/presets.toml``, in their order there."""
    table = tomllib.loads(PRESETS_FILE.read_text(encoding="utf-8"))
    return {
        name: Preset(name, entry["title"], entry["sentence"], Recipe.from_dict(entry.get("recipe", {})))
        for name, entry in table.items()
    }
