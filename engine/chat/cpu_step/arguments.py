"""What a product is given: the structures that its code reads, as C has them."""

import ctypes
from typing import Literal

Kind = Literal["packed", "bfloat16", "float32"]
"""How a matrix is kept: 4-bit values with a scale a block, or numbers."""
BITS: dict[Kind, int] = {"packed": 4, "bfloat16": 16, "float32": 32}
BLOCK = 64
"""Values of a packed matrix that share a scale."""


class Matrix(ctypes.Structure):
    """One matrix of a product."""

    _fields_ = (
        ("weight", ctypes.c_void_p),
        ("scales", ctypes.c_void_p),
        ("bias", ctypes.c_void_p),
        ("out", ctypes.c_void_p),
        ("out_stride", ctypes.c_int64),
        ("out_features", ctypes.c_int64),
        ("adds", ctypes.c_int64),
        ("up", ctypes.c_void_p),
        ("inner", ctypes.c_void_p),
        ("inner_stride", ctypes.c_int64),
        ("ranks", ctypes.c_int64),
    )


class Attention(ctypes.Structure):
    """What an attention is given."""

    _fields_ = (
        ("qkv", ctypes.c_void_p),
        ("qkv_stride", ctypes.c_int64),
        ("rows", ctypes.c_int64),
        ("heads", ctypes.c_int64),
        ("key_heads", ctypes.c_int64),
        ("query_norm", ctypes.c_void_p),
        ("key_norm", ctypes.c_void_p),
        ("eps", ctypes.c_float),
        ("scale", ctypes.c_float),
        ("cap", ctypes.c_float),
        ("cosines", ctypes.c_void_p),
        ("sines", ctypes.c_void_p),
        ("turned", ctypes.c_int64),
        ("keys", ctypes.c_void_p),
        ("values", ctypes.c_void_p),
        ("capacity", ctypes.c_int64),
        ("end", ctypes.c_int64),
        ("first", ctypes.c_void_p),
        ("scratch", ctypes.c_void_p),
        ("scratch_stride", ctypes.c_int64),
        ("out", ctypes.c_void_p),
    )


class Arguments(ctypes.Structure):
    """What a product is given."""

    _fields_ = (
        ("input", ctypes.c_void_p),
        ("in_features", ctypes.c_int64),
        ("norm", ctypes.c_void_p),
        ("eps", ctypes.c_float),
        ("scratch", ctypes.c_void_p),
        ("table", ctypes.c_void_p),
        ("matrices", ctypes.c_void_p),
        ("count", ctypes.c_int64),
    )
