"""The body of a request, checked: what a program asks for, in the form of OpenAI's chat and text completions.

What would change the answer and cannot be done is refused by its name; what changes nothing (a name for the user, say)
is passed over. https://platform.openai.com/docs/api-reference/chat
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from engine.chat.records import MOST_LIKELIEST, Sampling
from engine.errors import StudioError
from engine.serving.refusals import ApiError
from engine.turns import Turn

Form = Literal["chat", "text"]


@dataclass(frozen=True, slots=True)
class Limits:
    """What is taken."""

    body: int = 2_000_000
    """Bytes of a request."""
    longest_answer: int = 4096
    """Tokens of an answer."""
    usual_answer: int = 512
    """Tokens of the longest answer where a request does not say."""
    under_way: int = 64
    """Requests that are answered or wait, all together; a batch has at most 32 rows."""


@dataclass(frozen=True, slots=True)
class AnswerRequest:
    """What a program asks for."""

    form: Form
    model: str
    """A name that is offered."""
    asked: tuple[Turn, ...] | str
    """A conversation that ends with the customer's message, or a text that is to be continued."""
    sampling: Sampling
    stream: bool = False
    usage: bool = False
    """Whether a stream ends with how many tokens were read and written."""
    lookup: bool = False
    """Whether the nearest earlier tickets are read first."""
    mask: bool = False
    """Whether personal data is taken out of what the model reads, and put back into its answer."""
    least_coverage: float = 0.0
    """Below this coverage, 0 to 1, a question is passed to a person; 0 answers all."""


_PASSED_OVER = frozenset(
    ("user", "metadata", "store", "service_tier", "parallel_tool_calls", "safety_identifier", "prompt_cache_key")
)
"""What changes nothing here."""
_ONLY: dict[str, tuple[Any, ...]] = {
    "n": (1,),
    "best_of": (1,),
    "frequency_penalty": (0,),
    "presence_penalty": (0,),
    "logit_bias": ({},),
    "tools": ([],),
    "tool_choice": ("none", "auto"),
    "functions": ([],),
    "function_call": ("none", "auto"),
    "response_format": ({"type": "text"},),
    "modalities": (["text"],),
    "echo": (False,),
    "suffix": ("",),
}
"""What OpenAI takes, and here has to stay as it is."""
_DRAW = frozenset(("temperature", "top_p", "top_k", "min_p", "repetition_penalty", "seed", "stop", "max_tokens"))
_BOTH = _DRAW | {"model", "stream", "stream_options", "logprobs"}
_OF_CHAT = _BOTH | {"messages", "max_completion_tokens", "top_logprobs", "lookup", "mask", "least_coverage"}
_OF_TEXT = _BOTH | {"prompt"}
_ROLES = {"system": "system", "developer": "system", "user": "user", "assistant": "assistant"}


def chat_request(body: object, limits: Limits) -> AnswerRequest:
    """Read a request for a chat completion.

    Raises:
        ApiError: It cannot be answered; names the field at fault.
    """
    fields = _Fields(body, _OF_CHAT)
    top = fields.whole("top_logprobs", None)
    logprobs = (top or 0) if fields.switch("logprobs") else None
    if top is not None and logprobs is None:
        raise fields.fault("top_logprobs", "needs 'logprobs' to be true")
    stream, usage = _stream(fields)
    mask = fields.switch("mask")
    if mask and logprobs is not None:
        raise fields.fault("mask", "does not go together with 'logprobs', which tell the tokens of the masked answer")
    longest = "max_completion_tokens" if fields.given("max_completion_tokens") else "max_tokens"
    sampling = _sampling(fields, limits, longest, logprobs)
    messages = _messages(fields)
    least = fields.number("least_coverage", 0.0)
    if not 0 <= least <= 1:
        raise fields.fault("least_coverage", "must lie between 0 and 1")
    lookup = fields.switch("lookup")
    return AnswerRequest("chat", fields.model(), messages, sampling, stream, usage, lookup, mask, least)


def text_request(body: object, limits: Limits) -> AnswerRequest:
    """Read a request for the continuation of a text.

    Raises:
        ApiError: As for :func:`chat_request`.
    """
    fields = _Fields(body, _OF_TEXT)
    prompt = fields.get("prompt")
    if isinstance(prompt, list) and len(prompt) == 1:
        prompt = prompt[0]
    if not isinstance(prompt, str) or not prompt:
        raise fields.fault("prompt", "is no text; one text at a time can be continued")
    stream, usage = _stream(fields)
    sampling = _sampling(fields, limits, "max_tokens", fields.whole("logprobs", None))
    return AnswerRequest("text", fields.model(), prompt, sampling, stream, usage)


class _Fields:
    """The fields of a body by name; null counts as absent."""

    def __init__(self, body: object, known: frozenset[str]) -> None:
        if not isinstance(body, Mapping):
            raise ApiError(400, "The body is no JSON object.", "Send one, with Content-Type: application/json.")
        self._given = {str(name): value for name, value in body.items() if value is not None}
        for name, value in self._given.items():
            if name in _ONLY and value not in _ONLY[name]:
                raise self.fault(name, "asks for something that is not done here")
            if name not in known and name not in _ONLY and name not in _PASSED_OVER:
                raise self.fault(name, "is not known")

    def given(self, name: str) -> bool:
        return name in self._given

    def get(self, name: str) -> Any:
        return self._given.get(name)

    def fault(self, name: str, what: str) -> ApiError:
        return ApiError(400, f"'{name[:60]}' {what}.", param=name[:60], code="invalid_value")

    def model(self) -> str:
        model = self.get("model")
        if not isinstance(model, str) or not model:
            raise self.fault("model", "is missing: name one that /v1/models lists")
        return model

    def switch(self, name: str) -> bool:
        value = self._given.get(name, False)
        if not isinstance(value, bool):
            raise self.fault(name, "must be true or false")
        return value

    def whole(self, name: str, usual: int | None) -> int | None:
        value = self._given.get(name, usual)
        if value is None or (isinstance(value, int) and not isinstance(value, bool)):
            return value
        raise self.fault(name, "must be a whole number")

    def number(self, name: str, usual: float) -> float:
        value = self._given.get(name, usual)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return float(value)
        raise self.fault(name, "must be a number")


def _stream(fields: _Fields) -> tuple[bool, bool]:
    options = fields.get("stream_options") or {}
    if not isinstance(options, Mapping):
        raise fields.fault("stream_options", "must be an object")
    return fields.switch("stream"), options.get("include_usage") is True


def _sampling(fields: _Fields, limits: Limits, longest: str, logprobs: int | None) -> Sampling:
    most = fields.whole(longest, limits.usual_answer)
    if most is None or not 1 <= most <= limits.longest_answer:
        raise fields.fault(longest, f"must lie between 1 and {limits.longest_answer}")
    if logprobs is not None and not 0 <= logprobs <= MOST_LIKELIEST:
        raise fields.fault("logprobs", f"must name at most {MOST_LIKELIEST} tokens")
    stop = fields.get("stop") or []
    words = [stop] if isinstance(stop, str) else stop
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise fields.fault("stop", "must be a text, or a list of texts")
    drawn: dict[str, Any] = {
        "temperature": fields.number("temperature", 0.0),
        "top_p": fields.number("top_p", 1.0),
        "seed": fields.whole("seed", None),
        "top_k": fields.whole("top_k", 0),
        "min_p": fields.number("min_p", 0.0),
        "repetition_penalty": fields.number("repetition_penalty", 1.0),
    }
    try:
        return Sampling(max_new_tokens=most, stop_words=tuple(words), logprobs=logprobs, **drawn)
    except StudioError as error:
        raise ApiError(400, error.message, error.remedy, code="invalid_value") from error


def _messages(fields: _Fields) -> tuple[Turn, ...]:
    messages = fields.get("messages")
    if not isinstance(messages, list) or not messages:
        raise fields.fault("messages", "must be a list with at least one message")
    turns: list[Turn] = []
    for place, message in enumerate(messages):
        name = f"messages[{place}]"
        role = _ROLES.get(str(message.get("role"))) if isinstance(message, Mapping) else None
        if role is None:
            raise fields.fault(name, "must have a role of system, user or assistant")
        text = _text(message.get("content"))
        if text is None:
            raise fields.fault(name, "has a content that is no text; pictures and sound are not read")
        if role == "system" and any(turn["role"] != "system" for turn in turns):
            raise fields.fault(name, "is a system message that does not stand at the beginning")
        if role == "system" and turns:
            turns[0] = {"role": "system", "content": f"{turns[0]['content']}\n\n{text}"}
        else:
            turns.append({"role": role, "content": text})
    if turns[-1]["role"] != "user" or not turns[-1]["content"].strip():
        raise fields.fault("messages", "must end with a message of the user, with words in it")
    return tuple(turns)


def _text(content: object) -> str | None:
    """The text of a content, which may come in parts; None where it is something else."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return None
    parts = [part.get("text") if isinstance(part, Mapping) and part.get("type") == "text" else None for part in content]
    texts = [part for part in parts if isinstance(part, str)]
    return "".join(texts) if len(texts) == len(parts) else None
