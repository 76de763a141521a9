"""The part of Go's text/template that Modelfiles here are written in, after pkg.go.dev/text/template.

Actions in double braces, whose '-' trims the white space of the text before; strings, fields, variables, if, else,
range, and the functions eq, len and slice. As Ollama gives them: .System, and .Messages with .Role and .Content.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

_ACTION = re.compile(r'\{\{(-?)((?:"(?:\\.|[^"\\])*"|[^"])*?)\}\}')


def render(template: str, system: str, messages: list[dict[str, str]]) -> str:
    """What Ollama makes of a template: instructions are joined, and stand among the messages too."""
    everything = [{"Role": "system", "Content": system}] if system else []
    everything += [{"Role": message["role"], "Content": message["content"]} for message in messages]
    data = {"System": system, "Messages": everything}
    return "".join(_run(_parse(_tokens(template)), data, {"$": data}))


def _tokens(template: str) -> Iterator[tuple[str, str]]:
    place = 0
    for action in _ACTION.finditer(template):
        text = template[place : action.start()]
        yield "text", text.rstrip() if action[1] else text
        yield "action", action[2].strip()
        place = action.end()
    yield "text", template[place:]


def _parse(tokens: Iterator[tuple[str, str]]) -> list[Any]:
    """Text and actions, with blocks as (head, body, the rest of the chain)."""
    nodes, _ = _block(tokens)
    return nodes


def _block(tokens: Iterator[tuple[str, str]]) -> tuple[list[Any], str]:
    nodes: list[Any] = []
    for kind, word in tokens:
        if kind == "action" and (word == "end" or word.startswith("else")):
            return nodes, word
        if kind == "action" and word.split()[0] in ("if", "range"):
            nodes.append(_chain(word, tokens))
        else:
            nodes.append((kind, word))
    return nodes, ""


def _chain(head: str, tokens: Iterator[tuple[str, str]]) -> tuple[str, str, list[Any], list[Any]]:
    body, end = _block(tokens)
    rest: list[Any] = []
    if end == "else":
        rest, end = _block(tokens)
    elif end.startswith("else "):
        return "block", head, body, [_chain(end.removeprefix("else "), tokens)]
    assert end == "end", end
    return "block", head, body, rest


def _run(nodes: list[Any], dot: Any, variables: dict[str, Any]) -> Iterator[str]:
    for node in nodes:
        if node[0] == "text":
            yield node[1]
        elif node[0] == "action":
            yield from _act(node[1], dot, variables)
        elif node[1].startswith("if "):
            yield from _run(node[2] if _value(node[1][3:], dot, variables) else node[3], dot, variables)
        else:
            head = re.fullmatch(r"range (\$\w+), \$_ := (.+)", node[1])
            assert head, node[1]
            for place, entry in enumerate(_value(head[2], dot, variables)):
                variables[head[1]] = place
                yield from _run(node[2], entry, variables)


def _act(action: str, dot: Any, variables: dict[str, Any]) -> Iterator[str]:
    if assigned := re.fullmatch(r"(\$\w+) :?= (.+)", action):
        variables[assigned[1]] = _value(assigned[2], dot, variables)
    else:
        yield str(_value(action, dot, variables))


def _value(text: str, dot: Any, variables: dict[str, Any]) -> Any:
    words = re.findall(r'"(?:\\.|[^"\\])*"|[()]|[^\s()]+', text)
    value = _expression(words, dot, variables)
    assert not words, words
    return value


def _expression(words: list[str], dot: Any, variables: dict[str, Any]) -> Any:
    word = words.pop(0)
    if word not in ("eq", "len", "slice"):
        return _operand(word, words, dot, variables)
    operands = []
    while words and words[0] != ")":
        operands.append(_operand(words.pop(0), words, dot, variables))
    if word == "eq":
        return operands[0] == operands[1]
    return len(operands[0]) if word == "len" else operands[0][operands[1] :]


def _operand(word: str, words: list[str], dot: Any, variables: dict[str, Any]) -> Any:
    if word == "(":
        value = _expression(words, dot, variables)
        assert words.pop(0) == ")"
        return value
    if word.startswith('"'):
        return json.loads(word)
    if word in ("true", "false"):
        return word == "true"
    if word.isdigit():
        return int(word)
    if word.startswith("$."):
        return variables["$"][word[2:]]
    return variables[word] if word.startswith("$") else dot[word.removeprefix(".")]
