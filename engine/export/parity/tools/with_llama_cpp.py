"""Replay a GGUF with llama.cpp, through its own server: its template engine, its tokenizer, its arithmetic.

    python -I with_llama_cpp.py JOB.json RESULT.json

Says on stdout, a line each, how many conversations are done. Ends when its stdin is closed. The cache of keys and
values holds float32, not float16 as by default, so that what differs is the file.
"""

import json
import os
import sys
import threading
import urllib.request
from importlib.metadata import version
from pathlib import Path
from typing import Any

import xllamacpp

LONGER = 8
"""Tokens that an answer is left to itself beyond the playground's."""
TOLD = 200
"""Likeliest tokens of which the server tells; some of the playground's may not be among them."""
CORES = max(1, (os.cpu_count() or 2) // 2)
"""Threads of its arithmetic: they wait for one another without sleeping, so that more than there are cores crawl."""
FORCED = 1000.0
"""Added to a token's score, so that it comes; what the server tells of the others is from before."""


def main(job_file: str, result_file: str) -> None:
    """Do one job."""
    job = json.loads(Path(job_file).read_text(encoding="utf-8"))
    server = Server(job)
    told = []
    for number, asked in enumerate(job["asked"], 1):
        told.append(replayed(server, asked))
        print(number, flush=True)
    stops = [stop for stop in job["stop_ids"] if server.ends_at(told[0]["prompt"], stop)]
    result = {"stop_ids": stops, "versions": {"xllamacpp": version("xllamacpp")}, "replayed": told, "rounded": []}
    Path(result_file).write_text(json.dumps(result), encoding="utf-8")


class Server:
    """llama.cpp's server in this process, asked over its own port of this computer."""

    def __init__(self, job: dict[str, Any]) -> None:
        params = xllamacpp.CommonParams()
        params.model.path = job["model"]
        longest = max(len(asked["prompt"]) + len(asked["tokens"]) for asked in job["asked"])
        params.n_ctx = max(512, 2 * longest + LONGER)
        params.n_parallel = 1
        params.warmup = False
        params.cpuparams.n_threads = params.cpuparams_batch.n_threads = int(os.environ.get("OMP_NUM_THREADS") or CORES)
        params.cache_type_k = params.cache_type_v = xllamacpp.ggml_type.GGML_TYPE_F32
        params.flash_attn_type = xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED
        params.lora_adapters = [xllamacpp.CommonAdapterLoraInfo(adapter, 1.0) for adapter in job["adapters"]]
        self._server = xllamacpp.Server(params)

    def ask(self, path: str, body: dict[str, Any]) -> Any:
        """Post JSON to an endpoint and return what it answers."""
        request = urllib.request.Request(
            self._server.listening_address + path, json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=600) as answer:
            return json.loads(answer.read())

    def write_down(self, turns: list[dict[str, str]], opening: str) -> list[int]:
        """Return the tokens of a conversation by the template and the tokenizer in the file."""
        asked = {"messages": turns, "chat_template_kwargs": {"enable_thinking": False}}
        text = self.ask("/apply-template", asked)["prompt"] + opening
        tokens: list[int] = self.ask("/tokenize", {"content": text, "add_special": True, "parse_special": True})[
            "tokens"
        ]
        return tokens

    def scores(self, prompt: list[int]) -> dict[int, float]:
        """Return the log-probabilities of the likeliest next tokens, by their ids."""
        # It tells no probabilities of a token that is half a character, so one that is whole is made to come.
        asked = {"prompt": prompt, "n_predict": 1, "temperature": 0, "n_probs": TOLD, "logit_bias": [["a", FORCED]]}
        told = self.ask("/completion", {**asked, "cache_prompt": True})["completion_probabilities"][0]["top_logprobs"]
        return {token["id"]: token["logprob"] for token in told}

    def answer(self, prompt: list[int], longest: int) -> list[int]:
        """Return its own greedy answer, without the token that ended it."""
        asked = {"prompt": prompt, "n_predict": longest, "temperature": 0, "return_tokens": True, "cache_prompt": True}
        told = self.ask("/completion", asked)
        tokens: list[int] = told["tokens"]
        return tokens[: told["tokens_predicted"] - 1] if told["stop_type"] == "eos" else tokens

    def ends_at(self, prompt: list[int], token: int) -> bool:
        """Whether a token ends an answer: it is made to come."""
        asked = {"prompt": prompt, "n_predict": 2, "temperature": 0, "logit_bias": [[token, FORCED]]}
        return bool(self.ask("/completion", {**asked, "cache_prompt": True})["stop_type"] == "eos")


def replayed(server: Server, asked: dict[str, Any]) -> dict[str, Any]:
    """What the export makes of one conversation."""
    prompt = server.write_down(asked["turns"], asked["opening"])
    choices, told = [], []
    for place, likely in enumerate(asked["likely"]):
        scores = server.scores(prompt + asked["tokens"][:place])
        choices.append(max(scores, key=lambda token: scores[token]))
        told.append([scores.get(token) for token in likely])
    free = server.answer(prompt, len(asked["tokens"]) + LONGER) if asked["free"] else None
    return {"prompt": prompt, "choices": choices, "logprobs": told, "free": free}


def end_with_the_program() -> None:
    """End at once when whoever has started this ends, however that comes: its end of stdin is closed then."""
    while os.read(0, 1):  # not sys.stdin, whose lock the interpreter would miss at its end
        pass
    os._exit(1)


if __name__ == "__main__":
    threading.Thread(target=end_with_the_program, daemon=True).start()
    main(*sys.argv[1:])
