# SPDX-License-Identifier: MIT
"""The tokenizer scenario computes what byte-pair encoding is, as its own words tell it."""
import math
import sys

import pytest

M64 = 2**64 - 1


def hash_u64(x):
    x = ((x ^ (x >> 30)) * 0xbf58476d1ce4e5b9) & M64
    x = ((x ^ (x >> 27)) * 0x94d049bb133111eb) & M64
    return x ^ (x >> 31)


def hash_pair(a, b):
    return hash_u64(hash_u64((a + 0x9e3779b97f4a7c15) & M64) ^ b)


def hash_bytes(h, data):
    whole = len(data) // 8 * 8
    for at in range(0, whole, 8):
        h = ((h ^ int.from_bytes(data[at:at + 8], "little")) * 0xff51afd7ed558ccd) & M64
        h ^= h >> 32
    rest = len(data) - whole
    for byte in data[whole:]:
        rest = (rest << 8 | byte) & M64
    return hash_pair(h, rest)


class Random:
    """rng.h's generator of item i of a stream."""

    def __init__(self, seed, i):
        self.state = hash_pair(seed, i)

    def u64(self):
        self.state = (self.state + 0x9e3779b97f4a7c15) & M64
        return hash_u64(self.state)

    def below(self, n):
        return (self.u64() * n) >> 64

    def unit(self):
        return ((self.u64() >> 11) + 1) * 2.0**-53


class Encoder:
    """Byte-pair encoding as told in words: while some neighbours have a rank, merge the first."""

    def __init__(self, bpe, folder):
        self.bpe, self.text = bpe, bpe.body(folder / "bpe-text.txt")
        byte_of = {name: byte for byte, name in bpe.printable().items()}
        lines = (folder / "bpe-merges.txt").read_text("utf-8").split("\n")[1:-1]
        self.merges = [tuple(bytes(byte_of[c] for c in half) for half in line.split(" "))
                       for line in lines]
        self.ranks = {pair: rank for rank, pair in enumerate(self.merges)}
        self.tokens = [bytes([b]) for b in range(256)] + [a + b for a, b in self.merges]
        self.ids = {token: number for number, token in enumerate(self.tokens)}

    def encode(self, text):
        for word in self.bpe.WORD.findall(text):
            symbols = [bytes([byte]) for byte in word]
            while ranked := [pair for pair in zip(symbols, symbols[1:]) if pair in self.ranks]:
                symbols = self.bpe.merge(symbols, min(ranked, key=self.ranks.get))
            yield from (self.ids[symbol] for symbol in symbols)

    def checksum(self, seed, requests):
        total = sum(hash_pair(number, hash_bytes(0, token))
                    for number, token in enumerate(self.tokens))
        for i in range(requests):
            total += hash_pair(i, self.request(Random(seed, i)))
        return total & M64

    def request(self, random):
        normal = math.sqrt(-2 * math.log(random.unit())) * math.cos(2 * math.pi * random.unit())
        length = int(min(max(1024 * math.exp(0.9 * normal), 100), 4096))
        at = random.below(len(self.text) - length + 1)
        passage = self.text[at:at + length]
        ids = list(self.encode(passage))
        h = hash_bytes(len(ids), b"".join(one.to_bytes(4, "little") for one in ids))
        h = hash_bytes(h, passage)
        return h + cache(random) & M64 if random.below(20) == 0 else h


def cache(random):
    pages = 256 + random.below(256 + 1)
    seed = random.u64()
    return seed + sum(hash_pair(seed, page) for page in range(pages))


@pytest.mark.parametrize("seed", [1, 7])
def test_ids_are_those_of_byte_pair_encoding(tailrace, seed, monkeypatch):
    folder = tailrace.repository / "scenarios" / "data"
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    import train_bpe  # pylint: disable=import-outside-toplevel,import-error
    expected = Encoder(train_bpe, folder).checksum(seed, 100)
    result = tailrace.result("tokenizer", "--closed", "--requests", 100, "--warmup", 0, "--live", 2,
                             "--seed", seed, "--param", "cache_every=20", "--param", "kv_low=1",
                             "--param", "kv_high=2", "--param", "passage_bytes=1024")
    assert result["status"] == "ok", result["reason"]
    assert result["checksum"] == f"{expected:016x}"


def test_sizes_that_contradict_each_other_are_told(tailrace):
    done = tailrace("run", "tokenizer", "--closed", "--requests", 1, "--param", "kv_low=30")
    assert done.status != 0 and "kv_low" in done.stderr, done
