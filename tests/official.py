"""A writer of official records that fits on a screen, and small files of them."""

import base64
import json
import struct
from pathlib import Path

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
