"""Pickles of image batches, read as data: nothing in them is run, and none can be a bomb.

CIFAR-10 and CIFAR-100 come as pickles of protocol 2, written by Python 2: a dict of texts, lists of
numbers and of texts, and one array of pixels. What is needed for those, and for the same data
written again by a newer Python, is interpreted here; any other opcode ends the reading.

A `pickle.Unpickler` whose ``find_class`` refuses all would not do. It keeps imports out, but a dict
whose key is a million tuples in each other ends the process, for lack of stack, and five bytes that
name a high place of the memo take 16 GB.

What a batch needs is little, and so are the bounds: some containers, an operation for each label
and two for each file name. A container is in one place only, so that no value refers to itself, and
none is deeper than there may be containers.
"""

from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np

from nb101.errors import DatasetError

MOST_CONTAINERS = 64
"""Lists, dicts and tuples; a batch has ten."""
MOST_NAME = 100
"""Bytes of the name of a module or what is in it."""


def read_pickle(data: bytes, where: str = "the pickle") -> Any:
    """Read a pickle of dicts, lists, numbers, texts and uint8 arrays; nothing in it is run.

    What would import or call anything but the making of a NumPy array is refused.

    Parameters
    ----------
    data
        The pickle.
    where
        What to call it in an error.

    Returns
    -------
    What it holds; byte strings, as Python 2 wrote them, as texts where they are ASCII.

    Raises
    ------
    DatasetError
        If it is damaged, or holds anything else.
    """
    try:
        return _Reader(data).read()
    except _UnwantedError as error:
        raise DatasetError(f"{where} {error}") from None
    except (_DamagedError, UnicodeError):
        raise DatasetError(f"{where} is damaged, or no pickle of images") from None


class _DamagedError(Exception):
    """Bytes that are no pickle."""


class _UnwantedError(Exception):
    """A pickle of something else."""


class _Global(str):
    """The name of something that a pickle would have imported."""

    __slots__ = ()


class _Array:
    """An array to be, before its state has come."""


class _Dtype:
    """The type uint8."""


_DTYPE = _Dtype()
_NO_VALUE = object()
"""What the memo has of a container: it cannot be had a second time."""


class _Reader:
    """One pickle being read, by a stack as the format has it."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0
        self.stack: list[Any] = []
        self.outer: list[list[Any]] = []
        """The stacks that MARK has put aside."""
        self.memo: dict[int, Any] = {}
        self.containers = 0

    def read(self) -> Any:
        # Each image has 3,072 bytes of pixels, and takes four operations or fewer.
        for _ in range(10_000 + len(self.data) // 512):
            code = self.number(1)
            if code == _STOP:
                value = self.pop()
                if self.stack or self.outer or isinstance(value, (_Array, _Dtype)):
                    raise _DamagedError
                return value
            act = _ACTS.get(code)
            if act is None:
                raise _UnwantedError(
                    f"holds what images do not need: the opcode 0x{code:02x} at byte {self.at - 1}"
                )
            act(self)
        raise _UnwantedError("has more operations than images of its size need")

    def take(self, size: int) -> bytes:
        if size > len(self.data) - self.at:
            raise _DamagedError
        self.at += size
        return self.data[self.at - size : self.at]

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "little")

    def line(self) -> str:
        end = self.data.find(b"\n", self.at, self.at + MOST_NAME + 1)
        if end < 0:
            raise _DamagedError
        text = self.take(end - self.at).decode("ascii")
        self.at += 1
        return text

    def pop(self) -> Any:
        if not self.stack:
            raise _DamagedError
        return self.stack.pop()

    def top(self, kind: type) -> Any:
        if not self.stack or type(self.stack[-1]) is not kind:
            raise _DamagedError
        return self.stack[-1]

    def since_mark(self) -> list[Any]:
        if not self.outer:
            raise _DamagedError
        items, self.stack = self.stack, self.outer.pop()
        return items

    def contain(self, container: Any) -> None:
        self.containers += 1
        if self.containers > MOST_CONTAINERS:
            raise _UnwantedError(f"holds more than {MOST_CONTAINERS} lists, dicts and tuples")
        self.stack.append(container)

    # What opcodes do.

    def mark(self) -> None:
        self.outer.append(self.stack)
        self.stack = []

    def put(self, place: int) -> None:
        value = self.pop()
        self.stack.append(value)
        self.memo[place] = _NO_VALUE if isinstance(value, (list, dict, tuple)) else value

    def get(self, place: int) -> None:
        value = self.memo.get(place, _NO_VALUE)
        if value is _NO_VALUE:
            raise _DamagedError
        self.stack.append(value)

    def text(self, width: int, encoding: str) -> None:
        # Byte strings as Latin-1, which loses nothing.
        self.stack.append(self.take(self.number(width)).decode(encoding))

    def signed(self, size: int) -> None:
        if size > 8:
            raise _DamagedError
        self.stack.append(int.from_bytes(self.take(size), "little", signed=True))

    def tuple_of(self, size: int) -> None:
        items = [self.pop() for _ in range(size)]
        self.contain(tuple(reversed(items)))

    def append(self) -> None:
        item = self.pop()
        self.top(list).append(item)

    def extend(self) -> None:
        items = self.since_mark()
        self.top(list).extend(items)

    def set_items(self, items: list[Any]) -> None:
        into = self.top(dict)
        if len(items) % 2:
            raise _DamagedError
        for key, value in zip(items[::2], items[1::2], strict=True):
            if type(key) is not str:
                raise _UnwantedError("holds a dict whose keys are no texts")
            into[key] = value

    def set_item(self) -> None:
        value = self.pop()
        self.set_items([self.pop(), value])

    def name(self, module: Any, name: Any) -> None:
        if type(module) is not str or type(name) is not str or len(module + name) > 2 * MOST_NAME:
            raise _DamagedError
        self.stack.append(_Global(f"{module} {name}"))

    def name_of_stack(self) -> None:
        name = self.pop()
        self.name(self.pop(), name)

    def call(self) -> None:
        arguments, function = self.pop(), self.pop()
        if not isinstance(arguments, tuple):
            raise _DamagedError
        self.stack.append(_make(function, arguments))

    def build(self) -> None:
        state, made = self.pop(), self.pop()
        if isinstance(made, _Dtype):
            self.stack.append(made)
            return
        if not isinstance(made, _Array):
            raise _UnwantedError("would set the state of an object, which is not allowed")
        array = _fill(state)
        self.stack.append(array)
        for place, item in self.memo.items():
            if item is made:
                self.memo[place] = array

    def frame(self) -> None:
        if self.number(8) > len(self.data) - self.at:
            raise _DamagedError


_RECONSTRUCT = ("numpy.core.multiarray _reconstruct", "numpy._core.multiarray _reconstruct")


def _make(function: Any, arguments: tuple[Any, ...]) -> Any:
    """Stand in for the calls that a pickled array makes."""
    name = str(function) if isinstance(function, _Global) else ""
    first = arguments[0] if arguments else None
    if name in _RECONSTRUCT and isinstance(first, _Global) and first == "numpy ndarray":
        return _Array()
    if name == "numpy dtype" and type(first) is str and first in ("u1", "|u1"):
        return _DTYPE
    if name == "_codecs encode" and type(first) is str and arguments[1:] == ("latin1",):
        return first
    called = repr(name[:80]) if name else "what is no name"
    raise _UnwantedError(f"would call {called}, which is not allowed")


def _fill(state: Any) -> Any:
    """Make an array of what its pickle says of it."""
    if not isinstance(state, tuple) or len(state) != 5:
        raise _DamagedError
    _, shape, kind, fortran, content = state
    if kind is not _DTYPE or type(content) is not str:
        _refuse_array()
    if not isinstance(shape, tuple) or len(shape) > 8 or type(fortran) is not bool:
        _refuse_array()
    size = 1
    for length in shape:
        if type(length) is not int or not 0 <= length < 1 << 31:
            raise _DamagedError
        size *= length
    pixels = np.frombuffer(content.encode("latin-1"), dtype=np.uint8)
    if size != pixels.size:
        raise _DamagedError
    try:
        return pixels.reshape(shape, order="F" if fortran else "C")
    except ValueError:
        # An empty one of lengths whose product is too large for an array.
        raise _DamagedError from None


def _refuse_array() -> NoReturn:
    raise _UnwantedError("holds an array of another type than uint8")


_STOP = ord(".")
_ACTS: dict[int, Callable[[_Reader], object]] = {
    0x80: lambda r: r.take(1),  # PROTO
    0x95: _Reader.frame,
    ord("("): _Reader.mark,
    ord("}"): lambda r: r.contain({}),
    ord("]"): lambda r: r.contain([]),
    ord(")"): lambda r: r.contain(()),
    ord("N"): lambda r: r.stack.append(None),
    0x88: lambda r: r.stack.append(True),
    0x89: lambda r: r.stack.append(False),
    ord("J"): lambda r: r.signed(4),  # BININT
    ord("K"): lambda r: r.stack.append(r.number(1)),
    ord("M"): lambda r: r.stack.append(r.number(2)),
    0x8A: lambda r: r.signed(r.number(1)),  # LONG1
    ord("U"): lambda r: r.text(1, "latin-1"),  # SHORT_BINSTRING
    ord("T"): lambda r: r.text(4, "latin-1"),
    ord("C"): lambda r: r.text(1, "latin-1"),  # SHORT_BINBYTES
    ord("B"): lambda r: r.text(4, "latin-1"),
    0x8E: lambda r: r.text(8, "latin-1"),
    ord("X"): lambda r: r.text(4, "utf-8"),  # BINUNICODE
    0x8C: lambda r: r.text(1, "utf-8"),
    ord("q"): lambda r: r.put(r.number(1)),  # BINPUT
    ord("r"): lambda r: r.put(r.number(4)),
    0x94: lambda r: r.put(len(r.memo)),
    ord("h"): lambda r: r.get(r.number(1)),  # BINGET
    ord("j"): lambda r: r.get(r.number(4)),
    0x85: lambda r: r.tuple_of(1),
    0x86: lambda r: r.tuple_of(2),
    0x87: lambda r: r.tuple_of(3),
    ord("t"): lambda r: r.contain(tuple(r.since_mark())),
    ord("a"): _Reader.append,
    ord("e"): _Reader.extend,
    ord("s"): _Reader.set_item,
    ord("u"): lambda r: r.set_items(r.since_mark()),
    ord("c"): lambda r: r.name(r.line(), r.line()),  # GLOBAL
    0x93: _Reader.name_of_stack,
    ord("R"): _Reader.call,
    ord("b"): _Reader.build,
}
"""By opcode. Most names are in the methods; the comments have those that are not."""
