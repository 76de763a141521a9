"""What this processor can do, and the products' code made for it.

The threads are those of torch's own OpenMP: a second set of threads would fight with it for the cores. Where there is
none (macOS and Windows have another one), where the processor has no AVX2 or llvmlite cannot be loaded, there is no
code, and answers are decoded by the model's own layers.
"""

import ctypes
import functools
import logging
import platform
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, get_args

import torch

from engine.chat.cpu_step.arguments import BITS, Arguments, Attention, Kind

log = logging.getLogger(__name__)

Lanes = Literal[8, 16]


@dataclass(frozen=True, slots=True)
class Products:
    """The code of the products for a number of rows."""

    lanes: Lanes
    addresses: dict[Kind, int]
    engine: Any
    """Owns the code."""

    def call(self, kind: Kind, arguments: Arguments, threads: int) -> Callable[[], None]:
        """Return what computes a product with torch's threads from what the arguments say when it is called."""
        return functools.partial(_start_threads(), self.addresses[kind], ctypes.addressof(arguments), threads, 0)


@functools.cache
def lanes_here() -> Lanes | None:
    """How many float32 numbers a vector of this processor holds; None where no code can be made for it."""
    if platform.machine().lower() not in ("x86_64", "amd64") or not has_threads():
        return None
    try:
        import llvmlite.binding  # noqa: F401
    except (ImportError, OSError) as error:
        log.warning("answers on the processor are slower than need be: %s", error)
        return None
    able = torch.backends.cpu.get_cpu_capability()
    return 16 if able == "AVX512" else 8 if able == "AVX2" else None


@functools.cache
def has_threads() -> bool:
    """Whether torch's threads can be had."""
    try:
        _start_threads()
    except (AttributeError, OSError):
        return False
    return True


@functools.cache
def products(rows: int, lanes: Lanes) -> Products:
    """Return the code for so many rows, made in about a tenth of a second."""
    from llvmlite import ir

    from engine.chat.cpu_step.product_code import emit_product

    module = ir.Module("products")
    for kind in get_args(Kind):
        emit_product(module, kind, rows, lanes)
    engine = _compiled(module, lanes)
    return Products(lanes, {kind: engine.get_function_address(kind) for kind in BITS}, engine)


@functools.cache
def attention(size: int, lanes: Lanes) -> Callable[[Attention, int], Callable[[], None]]:
    """Return what makes, of an attention's arguments and a number of threads, the call that computes it.

    Args:
        size: Of a head, a multiple of the lanes.
        lanes: Of the vectors.
    """
    from llvmlite import ir

    from engine.chat.cpu_step.attention_code import emit_attention

    module = ir.Module("attention")
    emit_attention(module, "attention", size, lanes)
    engine = _compiled(module, lanes)
    address = engine.get_function_address("attention")

    def call(arguments: Attention, threads: int) -> Callable[[], None]:
        assert engine  # which owns the code
        return functools.partial(_start_threads(), address, ctypes.addressof(arguments), threads, 0)

    return call


def _compiled(module: Any, lanes: Lanes) -> Any:
    """Make machine code of a module; the engine that is returned owns it."""
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    for ours, theirs in (
        ("ticket_tuner_thread", "omp_get_thread_num"),
        ("ticket_tuner_threads", "omp_get_num_threads"),
    ):
        llvm.add_symbol(ours, _address(theirs))
    module.triple = llvm.get_process_triple()
    code = llvm.parse_assembly(str(module))
    code.verify()
    target = llvm.Target.from_triple(module.triple)
    # of AVX2's processors the oldest: torch may have been told to use less than this one has (ATEN_CPU_CAPABILITY)
    cpu, features = ("haswell", "") if lanes == 8 else (llvm.get_host_cpu_name(), _features(llvm))
    machine = target.create_target_machine(cpu=cpu, features=features, opt=3)
    passes = llvm.create_pass_builder(machine, llvm.create_pipeline_tuning_options(speed_level=2))
    passes.getModulePassManager().run(code, passes)
    engine = llvm.create_mcjit_compiler(code, machine)
    engine.finalize_object()
    return engine


def _features(llvm: Any) -> str:
    features: str = llvm.get_host_cpu_features().flatten()
    return features


@functools.cache
def _start_threads() -> Any:
    """OpenMP's entry: ``GOMP_parallel(function, data, threads, flags)``; other Python threads go on meanwhile."""
    kind = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_uint, ctypes.c_uint)
    return kind(_address("GOMP_parallel"))


def _address(name: str) -> int:
    """Where a function of the OpenMP that torch uses lies."""
    library = ctypes.CDLL(torch._C.__file__)
    address = ctypes.cast(getattr(library, name), ctypes.c_void_p).value
    assert address is not None
    return address
