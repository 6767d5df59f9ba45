#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""train_bpe.py - trains the tokenizer scenario's vocabulary from its text.

    cd scenarios/data && python3 train_bpe.py bpe-text.txt 4096 > bpe-merges.txt

Byte-pair encoding (Sennrich, Haddow, Birch 2016) on bytes, written as GPT-2 wrote its merges.txt:
one line of header, then a merge a line, the most frequent first, bytes as printable characters.
Always the same for the same text: ties go to the pair that comes last in order of its bytes. Stops
before the number asked for where no pair occurs twice. Words are cut as bpe_encode.h cuts them.
"""
import collections
import re
import sys
from pathlib import Path

# GPT-2's expression, with every byte above ASCII for a letter.
WORD = re.compile(rb"'(?:[stmd]|re|ve|ll)| ?[A-Za-z\x80-\xff]+| ?[0-9]+"
                  rb"| ?[^\sA-Za-z0-9\x80-\xff]+|\s+(?!\S)|\s+")
HEADER = ("#version: 0.2 SPDX-License-Identifier: MIT; by scenarios/data/train_bpe.py"
          " from bpe-text.txt")


def printable():
    """GPT-2's character for each byte: itself where it is visible, else one from U+0100 on."""
    seen = [*range(33, 127), *range(161, 173), *range(174, 256)]
    rest = [byte for byte in range(256) if byte not in seen]
    names = {byte: chr(byte) for byte in seen}
    return {**names, **{byte: chr(256 + n) for n, byte in enumerate(rest)}}


def body(path):
    """The text behind its head: what follows the first line of dashes."""
    return path.read_bytes().split(b"\n" + 72 * b"-" + b"\n", 1)[1]


def merge(symbols, pair):
    """The symbols with each occurrence of the pair, from the left, made one."""
    out, at = [], 0
    while at < len(symbols):
        joined = tuple(symbols[at:at + 2]) == pair
        out.append(pair[0] + pair[1] if joined else symbols[at])
        at += 2 if joined else 1
    return out


def train(text, merge_count):
    """Yields pairs of byte strings."""
    frequency = collections.Counter(WORD.findall(text))
    words = [[bytes([byte]) for byte in word] for word in frequency]
    times = list(frequency.values())
    counts, holders = collections.Counter(), collections.defaultdict(set)
    for number, symbols in enumerate(words):
        for pair in zip(symbols, symbols[1:]):
            counts[pair] += times[number]
            holders[pair].add(number)
    for _ in range(merge_count):
        best = max(counts, key=lambda pair: (counts[pair], pair))
        if counts[best] < 2:
            return
        yield best
        for number in holders.pop(best):
            for pair in zip(words[number], words[number][1:]):
                counts[pair] -= times[number]
            words[number] = merge(words[number], best)
            for pair in zip(words[number], words[number][1:]):
                counts[pair] += times[number]
                holders[pair].add(number)
        del counts[best]


def main():
    text, merge_count = body(Path(sys.argv[1])), int(sys.argv[2])
    names = printable()
    print(HEADER)
    for pair in train(text, merge_count):
        print(" ".join("".join(names[byte] for byte in half) for half in pair))


if __name__ == "__main__":
    sys.stdout.reconfigure(encoding="utf-8")
    main()
