"""Bytes -> one JSON value: strictly and fast, then as leniently as exports need."""

from __future__ import annotations

import json
from typing import Any

import orjson


def parsed(text: bytes) -> Any:
    """Parse one JSON value; None where it cannot be parsed."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return _leniently(text)


def _leniently(text: bytes) -> Any:
    """Parse what orjson refuses and exports still contain: NaN, lone surrogates, control characters, a stray byte."""
    if text[:1] not in (b"{", b"["):
        return None
    try:
        value = json.loads(_decoded(text), strict=False)
        return _without_surrogates(value)
    except (ValueError, RecursionError):
        return None


def _decoded(text: bytes) -> str:
    try:
        return text.decode("utf-8")
    except UnicodeDecodeError:
        return text.decode("utf-8", "replace") if _mostly_utf8(text) else text.decode("cp1252", "replace")


def _mostly_utf8(text: bytes) -> bool:
    """Tell UTF-8 with a broken character from a line in another code page."""
    kept = len(text.decode("utf-8", "ignore").encode())
    high = sum(byte > 127 for byte in text[:100_000])
    return len(text) - kept < high / 2


def _without_surrogates(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_without_surrogates(item) for item in value]
    if isinstance(value, dict):
        return {_without_surrogates(key): _without_surrogates(item) for key, item in value.items()}
    return value


def why(text: bytes) -> str:
    """Say why a text cannot be parsed."""
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError as error:
        if "ecursion" in error.msg or "depth" in error.msg:
            return "nested too deep"
        return error.msg
    return "not an object"


def shown(text: bytes) -> str:
    """Return the beginning of a text for people."""
    return text[:1000].decode("utf-8", "replace")
