"""The real llama.cpp, from the wheel of xllamacpp: what it makes of a GGUF, in this process."""

import json
import urllib.request
from pathlib import Path
from typing import Any

import pytest

xllamacpp = pytest.importorskip("xllamacpp", reason="needs llama.cpp: pip install xllamacpp")


class LlamaCpp:
    """A model file, and adapters over it, loaded by llama.cpp.

    Its cache of keys and values holds float32 here, not float16 as by default, so that what differs is the file.
    """

    def __init__(self, model: Path, *adapters: Path) -> None:
        params = xllamacpp.CommonParams()
        params.model.path = str(model)
        params.n_ctx = 512
        params.n_parallel = 1
        params.warmup = False
        params.verbosity = 4
        params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
        params.cache_type_k = params.cache_type_v = xllamacpp.ggml_type.GGML_TYPE_F32
        params.lora_adapters = [xllamacpp.CommonAdapterLoraInfo(str(adapter), 1.0) for adapter in adapters]
        params.flash_attn_type = xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED
        self._adapters = len(adapters)
        self._server = xllamacpp.Server(params)

    def scores(self, prompt: list[int], *, adapted: bool = True) -> list[float]:
        """The log-probability of each token to come next, by its id; with its adapters or without."""
        # It tells no probabilities of a token that is half a character, so one that is whole is made to come.
        asked = {
            "prompt": prompt,
            "n_predict": 1,
            "temperature": 0,
            "n_probs": 1000,
            "cache_prompt": False,
            "logit_bias": [["a", 1000]],
        }
        asked["lora"] = [{"id": number, "scale": float(adapted)} for number in range(self._adapters)]
        told = self._ask("/completion", asked)["completion_probabilities"][0]["top_logprobs"]
        return [token["logprob"] for token in sorted(told, key=lambda token: token["id"])]

    def chat(self, messages: list[dict[str, str]], length: int) -> str:
        """An answer, asked through the chat template in the file."""
        answer = self._server.handle_chat_completions({"messages": messages, "max_tokens": length, "temperature": 0})
        return answer["choices"][0]["message"]["content"]

    def tokenize(self, text: str, *, begin: bool = False) -> list[int]:
        """Token ids of rendered text, special tokens in it included; with what the file says begins every text."""
        return self._ask("/tokenize", {"content": text, "parse_special": True, "add_special": begin})["tokens"]

    def render(self, messages: list[dict[str, str]]) -> str:
        """What its own Jinja makes of the template in the file; without the token that begins every text."""
        return self._ask("/apply-template", {"messages": messages})["prompt"]

    def _ask(self, path: str, body: dict[str, Any]) -> Any:
        request = urllib.request.Request(
            self._server.listening_address + path, json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=120) as answer:
            return json.loads(answer.read())
