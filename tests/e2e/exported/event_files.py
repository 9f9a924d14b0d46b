"""Event files of TensorBoard, read without it: frames, CRC-32C and protocol buffers by their definitions."""
import math
import struct
from datetime import datetime


def table():
    """Of CRC-32C (Castagnoli), reflected."""
    entries = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
        entries.append(value)
    return entries


TABLE = table()


def masked_crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = TABLE[(crc ^ byte) & 0xFF] ^ crc >> 8
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


assert masked_crc32c(b"123456789") == ((0xE3069283 >> 15 | 0xE3069283 << 17) + 0xA282EAD8) & 0xFFFFFFFF


def records(data):
    at = 0
    while at < len(data):
        (length, length_crc), body = struct.unpack_from("<QI", data, at), data[at + 12:]
        assert masked_crc32c(data[at:at + 8]) == length_crc
        body = body[:length]
        assert len(body) == length
        assert masked_crc32c(body) == struct.unpack_from("<I", data, at + 12 + length)[0]
        yield body
        at += 16 + length


def fields(data):
    """(number, value) of a protocol buffer, values by their wire type."""
    at = 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(data):
        key = varint()
        if key & 7 == 0:
            value = varint()
        else:
            size = {1: 8, 5: 4}.get(key & 7) or varint()
            value, at = data[at:at + size], at + size
        yield key >> 3, value


def scalars(file):
    """(tag, step, value, wall_time) of every event but the first."""
    head, *events = records(file.read_bytes())
    assert (3, b"brain.Event:2") in list(fields(head))
    for event in events:
        event = dict(fields(event))
        value = dict(fields(dict(fields(event[5]))[1]))
        yield value[1].decode(), event.get(2, 0), struct.unpack("<f", value[2])[0], struct.unpack("<d", event[1])[0]


def float32(value):
    return struct.unpack("<f", struct.pack("<f", math.nan if value is None else value))[0]


def same(a, b):
    return a == b or (math.isnan(a) and math.isnan(b))


def seconds(rfc3339):
    return datetime.fromisoformat(rfc3339.replace("Z", "+00:00")).timestamp()


def check_tensorboard(study, out):
    variants = {row["label"]: row for row in study.rows("SELECT * FROM v_stages WHERE result_id IS NOT NULL")}
    seen = set()
    for file in out.rglob("events.out.tfevents.*"):
        run = file.parent.relative_to(out).parts
        label = run[0] + (f"[{run[1]}]" if len(run) > 1 else "")
        seen.add(label)
        row = variants[label]
        points = [(r["name"], r["step"], float32(r["value"])) for r in study.rows(
            "SELECT * FROM curves WHERE result_id = ? ORDER BY name, step", row["result_id"])]
        last = max((step for _, step, _ in points), default=0)
        points += [("final/" + r["name"], last, float32(r["value"])) for r in study.rows(
            "SELECT * FROM metrics WHERE result_id = ? ORDER BY name", row["result_id"])]
        found = list(scalars(file))
        assert len(found) == len(points), (label, found, points)
        for (tag, step, value, time), wanted in zip(found, points):
            assert (tag, step) == wanted[:2] and same(value, wanted[2]), (label, tag, step, value, wanted)
            assert seconds(row["started_at"]) - 1e-3 <= time <= seconds(row["ended_at"]) + 1e-3
        assert file.name == f"events.out.tfevents.{int(seconds(row['started_at']))}.lowbit"
    with_values = {row["label"] for row in study.rows(
        "SELECT label FROM v_stages WHERE result_id IN (SELECT result_id FROM metrics UNION SELECT result_id FROM curves)")}
    assert seen == with_values, seen ^ with_values
    assert any("train" in label for label in seen)
