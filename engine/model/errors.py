"""What the failures of transformers and of the model hub mean, in words."""

from pathlib import Path

from engine.errors import ModelError, ResourceError, StudioError
from engine.model.catalogue import title
from engine.model.device_errors import is_out_of_memory


def cannot_be_streamed(model: str) -> ModelError:
    """Say that a model's layers are of a kind that cannot be brought in one by one."""
    return ModelError(
        f"{model} is too large for the GPU, and its layers cannot be brought in from the computer's memory one by one: "
        "they hand on more than one result.",
        "Pick a smaller model, or one of another family such as Llama, Qwen or Mistral.",
    )


def explain(error: BaseException, model: str) -> StudioError:
    """Translate what from_pretrained raised into a sentence and a remedy."""
    if isinstance(error, StudioError):
        return error
    from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, LocalEntryNotFoundError, RepositoryNotFoundError

    chain = _chain(error)
    text = " ".join(str(link) for link in chain)
    if any(map(is_out_of_memory, chain)):
        return ResourceError(
            f"There is not enough memory to load {title(model)}.", "Close other programs, or pick a smaller model."
        )
    gated = any(isinstance(link, GatedRepoError) for link in chain)  # itself a kind of RepositoryNotFoundError
    missing = any(isinstance(link, RepositoryNotFoundError) for link in chain) or "not a valid model identifier" in text
    if missing and not gated:
        return ModelError(
            f"The model hub has no '{model}'.", "Check the spelling; private models need 'hf auth login'."
        )
    if gated or "access a gated repo" in text:
        return ModelError(
            f"{model} is gated: its owner asks you to accept a licence first.",
            "Accept it on the model's page, then type 'hf auth login' once in a terminal.",
        )
    if any(isinstance(link, LocalEntryNotFoundError | HfHubHTTPError) for link in chain) or "connect" in text.lower():
        return unreachable(model)
    if "trust_remote_code" in text:
        return ModelError(
            f"{model} wants to run its own code, which this program never does.", "Pick a model without custom code."
        )
    if isinstance(error, OSError) and error.errno:
        from engine.workspace import explain_disk_error

        return explain_disk_error(error, Path(model))
    what = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
    return ModelError(f"{title(model)} could not be loaded: {what}.", "Pick another model, or fetch it again.")


def unreachable(model: str) -> ModelError:
    """Say that a model would have to be fetched and cannot be."""
    return ModelError(
        f"{model} is not on this computer, and the model hub cannot be reached.",
        "Check the connection, or pick the starter model or a local folder.",
    )


def _chain(error: BaseException | None) -> list[BaseException]:
    found: list[BaseException] = []
    while error is not None and error not in found:
        found.append(error)
        error = error.__cause__ or error.__context__
    return found
