#!/usr/bin/env python3
"""Whether experiments/**/published.csv, the figures that papers print, is what tables can stand on.

    scripts/check_published.py [ROOT] [--text TEXT FILE]...

A row is a printed number: the table it stands in, its row and column there, the value as printed (`1.9E3`, `NaN`), the unit,
whether the column and row are certain (yes or no), and a note, which a row that is not certain must have. No cell is named
twice. With --text, the numbers of the published.csv at FILE are also looked for in TEXT, the paper as text, as often as they
stand in the file. Prints one line for each fault, exits 1 when there is one.
"""

import argparse
import csv
import math
import re
import sys
from collections import Counter
from pathlib import Path

COLUMNS = ["table", "row", "column", "value", "unit", "certain", "note"]
UNITS = {"perplexity", "percent", "fraction", "points", "GiB"}
NUMBER = re.compile(r"NaN|[0-9]+(?:\.[0-9]+)?(?:[eE]\+?[0-9]+)?")


def read(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def faults(path, name):
    lines = read(path)
    if not lines or lines[0] != COLUMNS:
        yield f"{name}:1: the columns are not {','.join(COLUMNS)}"
        return
    seen = {}
    for number, line in enumerate(lines[1:], 2):
        if len(line) != len(COLUMNS):
            yield f"{name}:{number}: {len(line)} fields, not {len(COLUMNS)}"
            continue
        row = dict(zip(COLUMNS, line))
        cell = (row["table"], row["row"], row["column"])
        if not all(cell):
            yield f"{name}:{number}: table, row or column is empty"
        if cell in seen:
            yield f"{name}:{number}: the cell of line {seen[cell]} again"
        seen.setdefault(cell, number)
        if not NUMBER.fullmatch(row["value"]):
            yield f"{name}:{number}: `{row['value']}` is no printed number"
        elif row["unit"] == "percent" and not math.isnan(float(row["value"])) and float(row["value"]) > 100:
            yield f"{name}:{number}: {row['value']} percent"
        if row["unit"] not in UNITS:
            yield f"{name}:{number}: the unit `{row['unit']}` is none of {', '.join(sorted(UNITS))}"
        if row["certain"] not in ("yes", "no"):
            yield f"{name}:{number}: `certain` is yes or no, not `{row['certain']}`"
        if row["certain"] == "no" and not row["note"]:
            yield f"{name}:{number}: not certain, and no note says why"


def not_in_text(text, path, name):
    """Numbers that run into each other where a table was read (51.2441.42) count as each number that begins or ends there."""
    printed = Counter()
    for token in re.findall(r"NaN|[0-9][0-9.]*(?:[eE]\+?[0-9]+)?", text):
        parts = re.findall(r"[0-9]+\.[0-9]{2}", token) if token.count(".") > 1 else [token.rstrip(".")]
        printed.update(parts)
    for value, times in sorted(Counter(line[3] for line in read(path)[1:]).items()):
        if printed[value] < times:
            yield f"{name}: {value} stands {times} times here, {printed[value]} times in the text"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("root", nargs="?", default=Path(__file__).resolve().parents[1], type=Path)
    parser.add_argument("--text", nargs=2, action="append", default=[], metavar=("TEXT", "FILE"))
    asked = parser.parse_args()

    files = sorted((asked.root / "experiments").rglob("published.csv"))
    found = [fault for file in files for fault in faults(file, file.relative_to(asked.root))]
    for text, file in asked.text if not found else []:
        found += not_in_text(Path(text).read_text(encoding="utf-8"), Path(file), file)
    for fault in found:
        print(fault)
    count = sum(len(read(file)) - 1 for file in files)
    print(f"error: {len(found)} faults" if found else f"{count} printed figures in {len(files)} files")
    sys.exit(1 if found else 0)


main()
