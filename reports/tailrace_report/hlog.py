# SPDX-License-Identifier: MIT
"""Reads HdrHistogram logs (format 1.2 and 1.3, V2 payload): ours and those of other programs.

What Java's HistogramLogReader reads of them, and the comments `#[Run: …]` that result sets have.
Values stay in the unit they were recorded in, which the format does not tell (ours: ns).
"""

import base64
import math
import re
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

from .resultset import ReportError

COOKIE, COMPRESSED_COOKIE = 0x1c849303, 0x1c849304  # of V2; bits 4 to 7 do not matter
COOKIE_MASK = ~0xf0
HEADER = struct.Struct(">iiiiqqd")
PAYLOAD_BYTES_MAX = 64 << 20  # what 5 significant digits of 63 bits can take, and no bomb
VALUE_BITS = 63
YEAR_S = 365 * 24 * 3600
QUANTILES = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "p99_9": 0.999, "p99_99": 0.9999}
RUN = re.compile(r"#\[Run: block (\d+), status (\w+)")
TIME = re.compile(r"#\[(Start|Base)Time: *([-+.\deE]+)")


@dataclass(frozen=True)
class Interval:
    """One line of a log: `counts` {highest value of a bucket: count}, ascending.

    `start_s` on the log's clock (of ours and most: since 1970), `length_s`; `tag`, `block` and
    `status` of the run that it belongs to are None where the log does not tell. `maximum` and
    `payload`, the encoded histogram, as they stand there.
    """

    tag: str
    block: int
    status: str
    start_s: float
    length_s: float
    maximum: str
    payload: str
    counts: dict


@dataclass(frozen=True)
class Log:
    """`start_s`: StartTime, None if not told; `runs`: [(block, status)] that the log announces.

    `torn`: the last line was cut off and ignored.
    """

    start_s: float
    runs: list
    intervals: list
    torn: bool


def read_log(path):
    """The Log of the file `path`, or ReportError."""
    try:
        text = Path(path).read_bytes().decode("utf-8", "replace")
    except OSError as error:
        raise ReportError(f"{path} cannot be read: {error.strerror}") from None
    times, runs, intervals, lines = {}, [], [], text.split("\n")
    for number, line in enumerate(lines, 1):
        line = line.rstrip("\r")
        if found := TIME.match(line):
            times[found[1]] = number_of(found[2], path, number)
        elif found := RUN.match(line):
            runs.append((int(found[1]), found[2]))
        if not line or line.startswith(("#", '"StartTimestamp"')):
            continue
        try:
            intervals.append(interval(line, times, runs[-1] if runs else (None, None)))
        except ValueError as error:
            if number == len(lines):  # and it has no end
                return Log(times.get("Start"), runs, intervals, True)
            raise ReportError(f"{path} line {number} is no line of a histogram log: "
                              f"{error}") from None
    return Log(times.get("Start"), runs, intervals, False)


def number_of(text, path, number):
    """The time in a comment."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ReportError(f"{path} line {number} tells no time: {text}")
    return value


def interval(line, times, run):
    """The Interval of one line; ValueError says what is wrong with it."""
    tag, fields = None, line.split(",")
    if fields[0].startswith("Tag="):
        tag = fields.pop(0)[len("Tag="):]
    if len(fields) != 4:
        raise ValueError(f"it has {len(fields)} fields besides the tag, not 4")
    start_s, length_s = map(float, fields[:2])
    if not (math.isfinite(start_s) and math.isfinite(length_s)):
        raise ValueError("its times are not finite")
    return Interval(tag, *run, base_s(start_s, times) + start_s, length_s, fields[2], fields[3],
                    decode(fields[3]))


def base_s(start_s, times):
    """What start times are relative to, told or guessed as Java's reader does."""
    if "Base" in times:
        return times["Base"]
    return times["Start"] if start_s < times.get("Start", 0) - YEAR_S else 0.0


def decode(payload):
    """{highest value of a bucket: count} of an encoded histogram; ValueError if it is none."""
    packed = base64.b64decode(payload, validate=True)  # its error is a ValueError
    if len(packed) < 8:
        raise ValueError("its histogram is too short")
    cookie, length = struct.unpack_from(">ii", packed)
    if cookie & COOKIE_MASK != COMPRESSED_COOKIE:
        raise ValueError("its histogram is not one of whole numbers in the compressed V2 encoding")
    if length != len(packed) - 8:
        raise ValueError("its histogram is not as long as it says")
    try:
        plain = zlib.decompressobj().decompress(packed[8:], PAYLOAD_BYTES_MAX)
    except zlib.error:
        raise ValueError("its histogram cannot be decompressed") from None
    if len(plain) < HEADER.size:
        raise ValueError("its histogram has no header")
    cookie, length, _, digits, lowest, _, _ = HEADER.unpack_from(plain)
    if cookie & COOKIE_MASK != COOKIE or not 0 <= digits <= 5 or lowest < 1:
        raise ValueError("its histogram has no header of the V2 encoding")
    counts = plain[HEADER.size:]
    if length != len(counts):
        raise ValueError("its histogram has not as many counts as it says")
    return dict(buckets(counts, digits, lowest))


def buckets(encoded, digits, lowest):
    """Yield (highest value, count) of the buckets that are not empty."""
    half = 2 ** math.ceil(math.log2(2 * 10**digits)) // 2
    unit = lowest.bit_length() - 1
    index = 0
    for number in zigzag_numbers(encoded):
        shift = max(index // half - 1, 0)
        if shift + unit > VALUE_BITS:
            raise ValueError("its histogram has counts of values beyond 63 bits")
        if number > 0:
            yield ((index - shift * half + 1) << shift + unit) - 1, number
        index += 1 if number >= 0 else -number


def zigzag_numbers(encoded):
    """Yield the numbers of ZigZag LEB128-64b9B: 7 bits a byte, a ninth byte has 8."""
    value = shift = 0
    for byte in encoded:
        if byte < 0x80 or shift == 56:
            value |= byte << shift
            yield value >> 1 ^ -(value & 1)
            value = shift = 0
        else:
            value |= (byte & 0x7f) << shift
            shift += 7
    if shift:
        raise ValueError("its last count is cut off")


def add_up(intervals):
    """{value: count} of several intervals together, ascending."""
    total = {}
    for one in intervals:
        for value, count in one.counts.items():
            total[value] = total.get(value, 0) + count
    return dict(sorted(total.items()))


def quantile(counts, p):
    """The value at or below which a fraction `p` of {value: count} (ascending) lies, or None."""
    rank, seen, value = p * sum(counts.values()) * (1 - 1e-12), 0, None  # as histogram.c has it
    for value, count in counts.items():
        seen += count
        if seen >= rank:
            break
    return value


def summary(counts):
    """What a run has as `response_ns`, of {value: count}: quantiles, max, mean, low_samples.

    Quantiles with fewer than 10 samples beyond are None. Max and mean are of the buckets' highest
    values: logs do not tell the exact ones.
    """
    count = sum(counts.values())
    beyond = {key: count * (1 - p) * (1 + 1e-9) for key, p in QUANTILES.items()}
    return {**{key: quantile(counts, p) if beyond[key] >= 10 else None
               for key, p in QUANTILES.items()},
            "max": max(counts, default=None), "count": count,
            "mean": sum(v * n for v, n in counts.items()) / count if count else None,
            "low_samples": [key for key, more in beyond.items() if 10 <= more < 100]}
