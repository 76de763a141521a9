"""What the endpoint costs: tokens a second of 1, 8 and 32 clients that ask at the same time, beside the engine's own.

    python tests/benchmarks/bench_endpoint.py --model starter --cache FOLDER

Wanted: the share of the engine's own speed that a client sees is at least 0.9. The engine's own is the same questions
through ``ask_many``, in one thread and without a web. Both take turns in every round, after a warm-up; medians. The
clients (openai's, streaming) run in a process of their own, as they would elsewhere. On a GPU leave --threads out.
The last line is one JSON object.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

WORDS = ("my parcel", "a refund", "the lamp that I ordered", "an invoice", "my address", "the blue chair", "a discount")


def question(batch: int, number: int) -> str:
    """A question that begins like no other, so that nothing of it has been read before."""
    return f"Order {1000 * batch + number}. Hello, what about {WORDS[number % len(WORDS)]}? It was promised for today."


def ask_as_clients(address: str, key: str, model: str, clients: int, tokens: int, batch: int) -> dict[str, float]:
    """Let so many clients ask once at the same time; runs in the clients' process."""
    import openai

    made = [openai.OpenAI(base_url=address, api_key=key, max_retries=0, timeout=3600) for _ in range(clients)]
    for client in made:
        client.models.list()  # connected
    start, written, first = threading.Barrier(clients + 1), [0] * clients, [0.0] * clients

    def ask(place: int) -> None:
        start.wait()
        began = time.perf_counter()
        pieces = made[place].chat.completions.create(
            model=model,
            messages=[{"role": "user", "content": question(batch, place)}],
            max_tokens=tokens,
            stream=True,
            stream_options={"include_usage": True},
        )
        for piece in pieces:
            first[place] = first[place] or time.perf_counter() - began
            written[place] = piece.usage.completion_tokens if piece.usage else written[place]

    threads = [threading.Thread(target=ask, args=(place,)) for place in range(clients)]
    for thread in threads:
        thread.start()
    start.wait()
    began = time.perf_counter()
    for thread in threads:
        thread.join()
    return {"tokens": sum(written), "seconds": time.perf_counter() - began, "first": statistics.median(first)}


def through_the_endpoint(address: str, key: str, clients: int, tokens: int, batch: int) -> dict[str, float]:
    """The same, in a process of its own."""
    words = [sys.executable, __file__, "--ask", address, key, "tuned", *map(str, (clients, tokens, batch))]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def by_the_engine(studio: Any, voice: str, clients: int, tokens: int, batch: int) -> dict[str, float]:
    """The same questions in one thread, without a web."""
    from engine.chat.records import Sampling

    asked = [([{"role": "user", "content": question(batch, place)}], "") for place in range(clients)]
    began = time.perf_counter()
    answers = [answer for [answer] in studio.playground.ask_many([voice], asked, Sampling(max_new_tokens=tokens))]
    return {"tokens": sum(answer.tokens for answer in answers), "seconds": time.perf_counter() - began}


def serve(endpoint: Any) -> tuple[Any, str]:
    """Put the endpoint up in a thread; returns the server and its address."""
    import uvicorn

    from engine.serving.http.routes import routes
    from tests.program import free_port

    port = free_port()
    server = uvicorn.Server(uvicorn.Config(routes(endpoint), port=port, log_level="warning"))
    threading.Thread(target=server.run, daemon=True).start()
    while not server.started:
        time.sleep(0.05)
    return server, f"http://127.0.0.1:{port}/v1"


def main() -> None:
    """Measure and print."""
    if sys.argv[1:2] == ["--ask"]:
        address, key, model, *numbers = sys.argv[2:]
        print(json.dumps(ask_as_clients(address, key, model, *map(int, numbers))))
        return
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--model", default="starter", help="a checkpoint folder, a hub id, or 'starter'")
    options.add_argument("--cache", type=Path, help="where the starter model is kept; fetched anew when not given")
    options.add_argument("--threads", type=int, help="of the processor")
    options.add_argument("--clients", type=int, nargs="+", default=[1, 8, 32])
    options.add_argument("--tokens", type=int, default=48)
    options.add_argument("--rounds", type=int, default=3)
    chosen = options.parse_args()

    import torch

    from engine.model.base import load_base
    from engine.recipe import Recipe
    from engine.studio import Studio
    from engine.workspace import Workspace
    from tests.benchmarks.bench_playground import make_adapter

    if chosen.threads:
        torch.set_num_threads(chosen.threads)
    with tempfile.TemporaryDirectory() as folder:
        home = Workspace(Path(folder) / "workspace", chosen.cache)
        base = load_base(Recipe(model=chosen.model), home.cache, lambda *_: None)
        adapter = make_adapter(base, Path(folder) / "adapter", seed=1)
        base.release()
        studio = Studio(home)
        voice = studio.adapters.bring_in(adapter, "tuned", chosen.model)
        studio.endpoint.switch(True)
        _, key = studio.endpoint.keys.make("benchmark")
        server, address = serve(studio.endpoint.endpoint)
        found: dict[int, dict[str, float]] = {}
        for clients in chosen.clients:
            rounds: list[tuple[float, float, float]] = []
            for number in range(chosen.rounds + 1):
                own = by_the_engine(studio, voice, clients, chosen.tokens, number)
                served = through_the_endpoint(address, key, clients, chosen.tokens, 500 + number)
                if number:
                    rates = own["tokens"] / own["seconds"], served["tokens"] / served["seconds"]
                    rounds.append((*rates, served["first"]))
            own_rate, rate, first = (statistics.median(column) for column in zip(*rounds, strict=True))
            ratio = statistics.median(after / before for before, after, _ in rounds)
            found[clients] = {"own": own_rate, "endpoint": rate, "ratio": ratio, "first_token_s": first}
            print(
                f"{clients:3d} clients: {rate:7.1f} tokens/s, the engine's own {own_rate:7.1f}, ratio {ratio:.2f}, "
                f"first word after {first:.2f} s",
                flush=True,
            )
        server.should_exit = True
        studio.close()
    print(json.dumps({"model": chosen.model, "threads": torch.get_num_threads(), "clients": found}))


if __name__ == "__main__":
    main()
