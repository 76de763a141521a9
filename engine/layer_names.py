"""Names of layers as a person writes them, and which of them no adapter can sit on, whatever the model.

Which layers a model has is looked at when it is loaded (engine/training/target_modules.py).
"""

from collections.abc import Sequence

from engine.errors import RecipeError

WORD_TABLES = frozenset(
    """
    embed_tokens embed_in wte wpe word_embeddings tok_embeddings embed_positions embedding
    lm_head embed_out output_layer embeddings
    """.split()  # noqa: SIM905 - as a literal it fills the screen
)
"""What models call their tables of words, at the beginning (embeddings) and at the end (the head)."""


def layer_names(text: str) -> tuple[str, ...]:
    """Return the names in a text that has them with commas between."""
    return tuple(name.strip() for name in text.split(",") if name.strip())


def check_layer_names(names: Sequence[str]) -> None:
    """Refuse what no model can do.

    Raises:
        RecipeError: There is no name, or one is that of a table of words.
    """
    if not names:
        raise RecipeError("target_modules", "No target modules are named.", "Write all-linear, or names of layers.")
    if table := next((name for name in names if name.rpartition(".")[2] in WORD_TABLES), None):
        raise RecipeError(
            "target_modules",
            f"{table} is a table of the model's words, which an adapter here cannot change: it answers beside the "
            "base, and both share that table.",
            "Write all-linear, or names of layers inside the model, such as q_proj,v_proj.",
        )
