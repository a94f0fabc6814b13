"""Files of official records in plain Python: the oracle of reading and writing."""

import base64
import json
import struct
from pathlib import Path
from typing import Any

import numpy as np

import nb101


def write(path: Path, cell_ids: list[int], epochs: tuple[int, ...] = (108,)) -> bytes:
    """Write a file with three runs of each cell and budget, their numbers drawn by the ids."""
    space, rng = nb101.SearchSpace(), np.random.default_rng(cell_ids)
    data = b"".join(
        frame(record(space[i], budget, [float(np.float32(x)) for x in rng.random(15)], 1.0))
        for budget in epochs
        for i in cell_ids
        for _ in range(3)
    )
    path.write_bytes(data)
    return data


def varint(number: int) -> bytes:
    low, high = number & 127, number >> 7
    return bytes([low | 128]) + varint(high) if high else bytes([low])


def crc32c(data: bytes) -> int:
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def frame(data: bytes) -> bytes:
    length = struct.pack("<Q", len(data))
    checks = (struct.pack("<I", crc32c(part)) for part in (length, data))
    return length + next(checks) + data + next(checks)


def record(cell: nb101.Cell, epochs: int, metrics: list[float], total_time: float) -> bytes:
    message = b""
    for i in range(0, 15, 5):
        numbers = b"".join(
            bytes([8 * tag + 1]) + struct.pack("<d", number)
            for tag, number in enumerate(metrics[i : i + 5], 1)
        )
        message += b"\n" + varint(len(numbers)) + numbers
    message += b"\x10" + varint(cell.parameters) + b"\x19" + struct.pack("<d", total_time)
    matrix = "".join(str(int(entry)) for row in cell.matrix for entry in row)
    text = [cell.hash, epochs, matrix, ",".join(cell.ops), base64.encodebytes(message).decode()]
    return json.dumps(text).encode()


def split(data: bytes) -> list[bytes]:
    """Cut a file into frames."""
    frames, at = [], 0
    while at < len(data):
        (length,) = struct.unpack_from("<Q", data, at)
        frames.append(data[at : at + length + 16])
        at += length + 16
    return frames


def payload(frame: bytes) -> bytes:
    """Data of a frame."""
    return frame[12:-4]


def read(data: bytes) -> list[tuple[str, int, str, str, list[float], int, float]]:
    """Read a file of records as the original reader does.

    Hash, epochs, adjacency, operations, numbers of the evaluations, parameters, total time.
    """
    records = []
    for part in split(data):
        key, epochs, adjacency, operations, metrics = json.loads(payload(part))
        evaluations, rest = [], {}
        for tag, value in fields(base64.b64decode(metrics)):
            if tag == 1:
                numbers = dict(fields(value))
                evaluations += [numbers[i] for i in range(1, 6)]
            else:
                rest[tag] = value
        records.append((key, epochs, adjacency, operations, evaluations, rest[2], rest[3]))
    return records


def fields(message: bytes) -> list[tuple[int, Any]]:
    """Cut a protobuf message into fields: numbers of varints and doubles, bytes of the rest."""
    found: list[tuple[int, Any]] = []
    at = 0

    def number() -> int:
        nonlocal at
        value = shift = 0
        while True:
            byte = message[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while at < len(message):
        key = number()
        if key & 7 == 0:
            found.append((key >> 3, number()))
        elif key & 7 == 1:
            found.append((key >> 3, struct.unpack_from("<d", message, at)[0]))
            at += 8
        else:
            length = number()
            found.append((key >> 3, message[at : at + length]))
            at += length
    return found
