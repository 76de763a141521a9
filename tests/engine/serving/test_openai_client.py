"""The endpoint as OpenAI's own client sees it: models, answers whole and in pieces, what is refused and how."""

import math
import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

import openai
import pytest

from engine.chat.decoding import batch_of
from engine.chat.records import Sampling
from engine.serving.requests import Limits
from tests.engine.serving.conftest import DEADLINE, until

ASK = [{"role": "user", "content": "how long is the return window for a lamp"}]
WILD = {"temperature": 5.0, "top_p": 1.0}
"""Draws from nearly all tokens alike, so that the one that ends an answer is seldom among the first."""


def chat(client, model="friendly", messages=ASK, **options):
    return client.chat.completions.create(model=model, messages=messages, **{"max_tokens": 12, **options})


def long_answer(client, length=40, **options):
    """Settings of an answer that does not end by itself within so many tokens."""
    for seed in range(100):
        settings = {**WILD, "max_tokens": length, "seed": seed, **options}
        if chat(client, **settings).choices[0].finish_reason == "length":
            return settings
    raise AssertionError("every answer ends by itself")


def test_what_is_offered_is_listed(client, studio, tiny_model):
    listed = {model.id: model.metadata for model in client.models.list()}
    assert sorted(listed) == ["base", "formal", "friendly"]
    assert listed["friendly"] == {"label": "Friendly", "base": str(tiny_model)}
    assert client.models.retrieve("formal").id == "formal"


def test_an_answer_is_the_playgrounds(client, studio):
    for model in client.models.list():
        said = chat(client, model.id)
        voice = studio.endpoint.endpoint.model(model.id).voice
        over = next(voice.id for voice in studio.playground.voices() if voice.path)
        *_, frame = studio.playground.ask([voice.id], [ASK], Sampling(max_new_tokens=12), over=over)
        [answer] = frame.answers
        assert said.choices[0].message.content == answer.text
        assert said.usage.prompt_tokens == answer.prompt_tokens > 0
        assert said.usage.completion_tokens == answer.tokens
        assert said.usage.total_tokens == answer.prompt_tokens + answer.tokens
        assert said.system_fingerprint == answer.weights
        assert said.object == "chat.completion"


def test_a_stream_in_pieces_is_the_whole_answer(client):
    settings = long_answer(client, 20)
    whole = chat(client, **settings)
    pieces = list(chat(client, **settings, stream=True, stream_options={"include_usage": True}))
    assert pieces[0].choices[0].delta.role == "assistant"
    text = "".join(piece.choices[0].delta.content or "" for piece in pieces[:-1])
    assert text == whole.choices[0].message.content
    assert pieces[-2].choices[0].finish_reason == "length"
    assert [piece.choices[0].finish_reason for piece in pieces[:-2]] == [None] * (len(pieces) - 2)
    assert pieces[-1].choices == []
    assert pieces[-1].usage == whole.usage
    assert {piece.id for piece in pieces} == {pieces[0].id}
    assert {piece.object for piece in pieces} == {"chat.completion.chunk"}


def test_the_same_seed_says_the_same_and_another_one_something_else(client):
    def said(seed):
        return chat(client, **WILD, seed=seed, max_tokens=20).choices[0].message.content

    assert said(3) == said(3)
    assert len({said(seed) for seed in range(4)}) == 4


def test_a_stop_ends_an_answer_before_it(client):
    settings = long_answer(client, 30)
    whole = chat(client, **settings).choices[0].message.content
    word = whole[6:8]
    cut = chat(client, **settings, stop=[word, "never said"])
    assert cut.choices[0].message.content == whole.partition(word)[0]
    assert cut.choices[0].finish_reason == "stop"
    pieces = chat(client, **settings, stop=word, stream=True)
    assert "".join(piece.choices[0].delta.content or "" for piece in pieces) == whole.partition(word)[0]


def test_logprobs_are_told_for_each_token_whole_and_in_pieces(client):
    settings = {**long_answer(client, 15), "logprobs": True, "top_logprobs": 2}
    whole = chat(client, **settings)
    told = whole.choices[0].logprobs.content
    assert len(told) == 15
    assert all(one.logprob <= 0 and len(one.top_logprobs) == 2 for one in told)
    assert all(one.top_logprobs[0].logprob >= one.logprob for one in told)
    assert bytes(byte for one in told for byte in one.bytes or ()).decode("utf-8", "replace") == (
        whole.choices[0].message.content
    )
    pieces = list(chat(client, **settings, stream=True))
    streamed = [one for piece in pieces if piece.choices[0].logprobs for one in piece.choices[0].logprobs.content]
    assert streamed == told


def test_the_likeliest_token_is_the_one_that_is_said(client):
    told = chat(client, logprobs=True, top_logprobs=1).choices[0].logprobs.content
    assert [one.token for one in told] == [one.top_logprobs[0].token for one in told]
    assert all(math.isclose(one.logprob, one.top_logprobs[0].logprob) for one in told)


def test_a_text_is_continued(client):
    said = client.completions.create(
        model="base", prompt="the return window is", max_tokens=8, logprobs=2, **WILD, seed=1
    )
    [choice] = said.choices
    assert said.object == "text_completion"
    assert choice.finish_reason in {"length", "stop"}
    assert len(choice.logprobs.tokens) == len(choice.logprobs.token_logprobs) == said.usage.completion_tokens
    assert choice.logprobs.text_offset[0] == 0
    pieces = client.completions.create(
        model="base", prompt=["the return window is"], max_tokens=8, stream=True, **WILD, seed=1
    )
    assert "".join(piece.choices[0].text for piece in pieces) == choice.text


def test_a_standing_instruction_of_the_request_is_heard(client):
    plain, told = chat(client), chat(client, messages=[{"role": "developer", "content": "be brief"}, *ASK])
    assert told.usage.prompt_tokens > plain.usage.prompt_tokens


def test_content_in_parts_is_one_text(client):
    parts = [{"type": "text", "text": "how long is the return window"}, {"type": "text", "text": " for a lamp"}]
    assert chat(client, messages=[{"role": "user", "content": parts}]).choices == chat(client).choices


@pytest.mark.parametrize(
    ("options", "param"),
    [
        ({"n": 2}, "n"),
        ({"tools": [{"type": "function", "function": {"name": "x"}}]}, "tools"),
        ({"response_format": {"type": "json_object"}}, "response_format"),
        ({"presence_penalty": 0.5}, "presence_penalty"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": 100_000}, "max_tokens"),
        ({"top_logprobs": 3}, "top_logprobs"),
        ({"logprobs": True, "top_logprobs": 21}, "logprobs"),
        ({"temperature": "hot"}, "temperature"),
        ({"temperature": -1.0}, None),
        ({"stop": [""]}, None),
        ({"extra_body": {"colour": "red"}}, "colour"),
        ({"extra_body": {"lookup": "yes"}}, "lookup"),
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "assistant", "content": "hello"}]}, "messages"),
        ({"messages": [{"role": "tool", "content": "x", "tool_call_id": "1"}]}, "messages[0]"),
        (
            {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}]},
            "messages[0]",
        ),
        ({"messages": [*ASK, {"role": "system", "content": "be brief"}]}, "messages[1]"),
    ],
)
def test_what_cannot_be_done_is_refused_by_its_name(client, options, param):
    with pytest.raises(openai.BadRequestError) as refused:
        chat(client, **options)
    assert refused.value.param == param
    assert refused.value.type == "invalid_request_error"
    assert len(refused.value.body["message"]) > 10


@pytest.mark.parametrize("stream", [False, True])
def test_a_conversation_that_is_too_long_for_the_model_is_refused_before_a_stream_begins(client, stream):
    with pytest.raises(openai.BadRequestError) as refused:
        chat(client, messages=[{"role": "user", "content": "lamp please " * 600}], stream=stream)
    assert refused.value.code == "context_length_exceeded"
    assert "reads at most 512" in refused.value.body["message"]


def test_a_model_that_is_not_offered_is_not_there(client, studio):
    with pytest.raises(openai.NotFoundError) as refused:
        chat(client, "nobody")
    assert refused.value.code == "model_not_found"
    formal = studio.endpoint.endpoint.model("formal").voice.id
    studio.endpoint.offer(formal, False)
    try:
        with pytest.raises(openai.NotFoundError):
            chat(client, "formal")
        assert "formal" not in [model.id for model in client.models.list()]
    finally:
        studio.endpoint.offer(formal, True)


@pytest.mark.parametrize("shown", ["wrong", "tt-" + "x" * 43, "tt-\u00e9"])
def test_a_key_that_is_none_of_ours_is_refused(served, shown):
    import httpx

    answer = httpx.get(f"{served.address}/models", headers={"Authorization": f"Bearer {shown}".encode()})
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "invalid_api_key"


def test_without_a_key_nothing_is_told(served):
    import httpx

    for path in ("models", "models/base"):
        assert httpx.get(f"{served.address}/{path}").status_code == 401
    for path in ("chat/completions", "completions"):
        assert httpx.post(f"{served.address}/{path}", json={}).status_code == 401


def test_what_is_no_json_and_what_is_nowhere_is_told_in_the_same_form(served, secret):
    import httpx

    headers = {"Authorization": f"Bearer {secret}"}
    for answer, status in (
        (httpx.post(f"{served.address}/chat/completions", content=b"{", headers=headers), 400),
        (httpx.post(f"{served.address}/chat/completions", content=b"[]", headers=headers), 400),
        (httpx.post(f"{served.address}/embeddings", json={}, headers=headers), 404),
        (httpx.get(f"{served.address}/chat/completions", headers=headers), 405),
    ):
        assert answer.status_code == status
        assert set(answer.json()["error"]) == {"message", "type", "param", "code"}


def test_a_request_that_is_too_large_is_refused(put_up, secret):
    served, _ = put_up(lambda: None, Limits(body=2000))
    with pytest.raises(openai.APIStatusError) as refused:
        chat(served.client(secret), messages=[{"role": "user", "content": "x" * 400_000}])
    assert refused.value.status_code == 413
    assert refused.value.code == "request_too_large"


def test_switched_off_it_answers_nobody(client, studio):
    studio.endpoint.switch(False)
    try:
        with pytest.raises(openai.PermissionDeniedError) as refused:
            chat(client)
        assert refused.value.code == "endpoint_off"
    finally:
        studio.endpoint.switch(True)


# ---- several at the same time


def test_eight_clients_are_answered_in_one_batch_each_as_if_alone(client, put_up, secret):
    settings = [{**WILD, "max_tokens": 10, "seed": seed, "model": ("base", "friendly")[seed % 2]} for seed in range(40)]
    long_ones = list(islice((one for one in settings if chat(client, **one).usage.completion_tokens >= 3), 8))
    alone = [chat(client, **one).choices[0].message.content for one in long_ones]
    meeting = threading.Barrier(8)
    served, _ = put_up(lambda: meeting.wait(DEADLINE))  # passes only while all eight are being answered
    together = served.client(secret)
    with ThreadPoolExecutor(8) as threads:
        said = threads.map(lambda one: chat(together, **one).choices[0].message.content, long_ones)
        assert list(said) == alone
    until(lambda: served.endpoint.under_way == 0)


def test_more_than_may_wait_are_told_to_come_back(client, put_up, secret):
    settings, go, reached = long_answer(client), threading.Event(), threading.Event()

    def pause():
        reached.set()
        assert go.wait(DEADLINE)

    served, _ = put_up(pause, Limits(under_way=1))
    asks = served.client(secret)
    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(chat, asks, **settings)
        assert reached.wait(DEADLINE)
        with pytest.raises(openai.RateLimitError) as refused:
            chat(asks)
        assert refused.value.code == "rate_limit_exceeded"
        assert refused.value.response.headers["retry-after"] == "1"
        go.set()
        assert first.result(DEADLINE).choices[0].finish_reason == "length"
    until(lambda: served.endpoint.under_way == 0)
    assert chat(asks).choices


@pytest.mark.parametrize("stream", [True, False])
def test_a_connection_that_is_closed_frees_its_row(client, studio, put_up, secret, stream):
    settings, go, reached = long_answer(client), threading.Event(), threading.Event()

    def pause():
        reached.set()
        assert go.wait(DEADLINE)

    served, watched = put_up(pause)
    asks = served.client(secret)
    if stream:
        pieces = chat(asks, **settings, stream=True)
        next(iter(pieces))
        assert reached.wait(DEADLINE)
        pieces.close()
    else:
        impatient = threading.Thread(target=_leaves, args=(asks, reached, settings))
        impatient.start()
        assert reached.wait(DEADLINE)
        impatient.join(DEADLINE)
    until(lambda: watched.should_stop())
    go.set()
    assert watched.over.wait(DEADLINE)
    assert watched.last.stopped_by == "cancelled"
    assert watched.last.tokens < settings["max_tokens"]
    until(lambda: served.endpoint.under_way == 0)
    with studio.bases.use(None) as base:
        assert batch_of(base)._batch.is_idle


def _leaves(client, reached, settings):
    """Ask, and hang up as soon as the answer is being written."""
    import http.client
    import json
    from urllib.parse import urlsplit

    place = urlsplit(str(client.base_url))
    connection = http.client.HTTPConnection(place.hostname, place.port, timeout=DEADLINE)
    body = json.dumps({"model": "friendly", "messages": ASK, **settings})
    connection.request("POST", "/v1/chat/completions", body, {"Authorization": f"Bearer {client.api_key}"})
    reached.wait(DEADLINE)
    connection.close()


@pytest.mark.parametrize("stream", [True, False])
def test_a_key_that_is_revoked_ends_what_it_waits_for_and_is_refused_at_once(client, studio, put_up, stream):
    key, secret = studio.endpoint.keys.make(f"short-lived {stream}")
    settings, go, reached = long_answer(client), threading.Event(), threading.Event()

    def pause():
        reached.set()
        assert go.wait(DEADLINE)

    served, watched = put_up(pause)
    asks = served.client(secret)

    def ask():
        answer = chat(asks, **settings, stream=stream)
        return list(answer) if stream else answer

    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(ask)
        assert reached.wait(DEADLINE)
        studio.endpoint.keys.revoke(key.id)
        with pytest.raises(openai.AuthenticationError):
            chat(asks)
        go.set()
        with pytest.raises(openai.APIError, match="revoked"):
            waiting.result(DEADLINE)
    assert watched.over.wait(DEADLINE)
    assert watched.last.tokens < settings["max_tokens"]
