#!/usr/bin/env python3
"""Draws of Python's random module, and the places of the windows that quantization papers draw with it.

    python3 tests/numerics/reference_random.py            write tests/numerics/data/python-random/draws.json
    python3 tests/numerics/reference_random.py --check    compare it with what this Python draws

The file was written by Python 3.11; the rules behind it (seeding, randint) are the same from Python 3.2 to 3.13.
"""

import argparse
import json
import pathlib
import random
import sys

FILE = pathlib.Path(__file__).resolve().parent / "data" / "python-random" / "draws.json"

SEEDS = [0, 1, 2, 3, 42, 2**31, 2**32 - 1, 2**32, 2**32 + 1, 2**63 - 1]
RANGES = [(0, 0), (0, 1), (0, 2), (0, 1023), (0, 1024), (-5, 5), (0, 338535), (0, 2822442), (0, 2**32 - 2), (0, 2**32 - 1),
          (0, 2**32), (0, 2**53), (-(2**62), 2**62 - 1)]


def draws(seed, low, high):
    random.seed(seed)
    return [random.randint(low, high) for _ in range(8)]


def window_starts(seed, n_tokens, length, n):
    random.seed(seed)
    return [random.randint(0, n_tokens - length - 1) for _ in range(n)]


def document_draws(seed, lengths, length, n):
    """[document, first token] of each window. A document of exactly `length` tokens is drawn again: randint(0, -1) fails."""
    random.seed(seed)
    found = []
    while len(found) < n:
        document = random.randint(0, len(lengths) - 1)
        if lengths[document] > length:
            found.append([document, random.randint(0, lengths[document] - length - 1)])
    return found


def content():
    lengths = [(7 * i * i + 3 * i) % 61 + 4 for i in range(40)]
    short = [5, 12, 13, 30, 12, 12, 4, 25]
    cases = {
        "ranges": [{"seed": s, "low": a, "high": b, "drawn": draws(s, a, b)} for s in SEEDS for a, b in RANGES],
        "windows": [{"seed": s, "n_tokens": t, "length": l, "starts": window_starts(s, t, l, n)}
                    for s, t, l, n in [(0, 1000, 16, 128), (2, 1000, 16, 5), (0, 17, 16, 3)]],
        "documents": [{"seed": s, "lengths": d, "length": l, "drawn": document_draws(s, d, l, n)}
                      for s, d, l, n in [(0, lengths, 48, 32), (3, lengths, 48, 7), (0, short, 12, 16)]],
    }
    rows = ",\n".join(f' "{key}": [\n' + ",\n".join("  " + json.dumps(case) for case in value) + "\n ]"
                      for key, value in cases.items())
    return "{\n" + rows + "\n}\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    if not parser.parse_args().check:
        FILE.parent.mkdir(parents=True, exist_ok=True)
        FILE.write_text(content(), encoding="utf-8")
        return 0
    same = FILE.exists() and FILE.read_text(encoding="utf-8") == content()
    print(("same     " if same else "DIFFERS  ") + FILE.name)
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
