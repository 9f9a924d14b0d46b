#!/usr/bin/env python3
"""How long lowbit table, compare, samples and query take on a large results.db, which is made here: by the clock, best of several.

    tests/bench/results_questions.py LOWBIT DIRECTORY [--results 500] [--items 10000] [--metrics 100] [--rounds N]

Each result answers ITEMS items and reports METRICS metrics; rows are as a run leaves them. A database of this size that
lies in DIRECTORY already is taken as it is. 500 results of 10 000 items are 5 million rows and 2.6 GB.
"""

import argparse
import hashlib
import json
import os
import random
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

SCHEMA = Path(__file__).resolve().parents[2] / "schemas" / "migrations"
APPLICATION_ID = 1819244386  # "lowb"
WHEN = "2026-01-01T12:00:00.000Z"


def sha(text):
    return hashlib.sha256(text.encode()).hexdigest()


def canonical(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def add_result(db, number, n_items, n_metrics):
    label, at = f"solve[k={number}]", canonical({"k": number})
    record = canonical({"format": 1, "inputs": {"task": {"digest": sha("task"), "type": "task/1"}},
                        "params": {f"p{i}": i for i in range(40)} | {"k": number},
                        "plugin": {"id": "lowbit.generate", "version": "5"}})
    content, provenance = sha(f"content {number}"), sha(f"provenance {number}")
    db.execute("INSERT INTO expansions VALUES (?, 'big', ?, 'solve', ?, ?, 'lowbit.generate', ?, ?)",
               (number, number, label, at, provenance, record))
    db.execute("INSERT INTO expansion_axes VALUES (?, 'k', 0, ?)", (number, number))
    db.execute("INSERT INTO attempts VALUES (?, 1, ?, ?, 1, ?, ?, ?, 2, ?, ?, 1.0, '{}', NULL)",
               (number, content, provenance, f"n{number}", f"results/{number}", label, WHEN, WHEN))
    db.execute("INSERT INTO results VALUES (?, ?, 1, ?, 'lowbit.generate', 'evaluator', ?, ?, ?, ?, ?, ?, 1.0)",
               (number, content, number, sha("plugin"), sha(record), record, record, f"results/{number}", WHEN))
    db.execute("INSERT INTO provenance VALUES (?, ?)", (provenance, content))
    db.execute("INSERT INTO artifacts VALUES (?, 'predictions', 'predictions/1', ?, ?, 1, NULL)",
               (number, sha(f"artifact {number}"), f"results/{number}/out/predictions"))
    rows = [(f"x/metric_{m:03}", random.random()) for m in range(n_metrics)]
    db.executemany("INSERT INTO metrics VALUES (?, ?, 'ratio', ?, NULL, 0)", [(number, *row) for row in rows])
    db.execute("INSERT INTO metrics VALUES (?, 'big/accuracy', 'fraction', 0.5, NULL, ?)", (number, n_items))
    items = []
    for i in range(n_items):
        right = (i * 37 + number * (i % 7)) % 100 < 60
        line = {"correct": right, "extracted": "84", "n_tokens": 41, "problem_id": f"problem-{i}",
                "prompt_sha": sha(f"prompt {i}"), "steps": ["911 - 157 = 754"] * 3, "text": "x" * 150, "truncated": False}
        items.append((number, f"item-{i}", f"problem-{i}", right, canonical(line)))
    db.executemany("INSERT INTO predictions (result_id, port, item_id, problem_id, correct, extracted, n_tokens, truncated, "
                   "fields) VALUES (?, 'predictions', ?, ?, ?, '84', 41, 0, ?)", items)


def make(file, arguments):
    file.parent.mkdir(parents=True, exist_ok=True)
    db = sqlite3.connect(file)
    migrations = sorted(SCHEMA.glob("*.sql"))
    for migration in migrations:
        db.executescript(migration.read_text(encoding="utf-8"))
    db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    db.execute(f"PRAGMA user_version = {len(migrations)}")
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = OFF")
    db.execute("INSERT INTO runs VALUES (1, 'big', 'big.yaml', 'lowbit run big.yaml', '{}', 1, ?, ?, 'done', NULL, '{}')", (WHEN, WHEN))
    db.execute("INSERT INTO experiments (experiment, file, expanded_at) VALUES ('big', 'big.yaml', ?)", (WHEN,))
    random.seed(1)
    for number in range(1, arguments.results + 1):
        add_result(db, number, arguments.items, arguments.metrics)
        db.commit()
    db.close()


def write_tables(root, arguments):
    """One table of all results: the columns name metrics whole, or by their ends."""
    last = arguments.metrics - 1
    for name, prefix in (("named", "x/"), ("open", "*/")):
        rows = "\n".join(f"      - {{id: r{k}, stages: {{s: solve}}, at: {{k: {k}}}}}" for k in range(1, arguments.results + 1))
        columns = ", ".join(f'{{label: c{m}, value: {{of: s, metric: "{prefix}metric_{m:03}"}}}}' for m in sorted({0, last // 2, last}))
        (root / f"{name}.yaml").write_text(f"experiment: big\ntables:\n  all:\n    columns: [{columns}]\n    rows:\n{rows}\n")


def seconds(words, rounds):
    best = None
    for _ in range(rounds):
        began = time.perf_counter()
        ended = subprocess.run(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
        took = time.perf_counter() - began
        if ended.returncode != 0:
            sys.exit(f"error: {' '.join(words)} ended with {ended.returncode}\n{ended.stderr}")
        best = took if best is None else min(best, took)
    return best


def queries(last):
    """Those of docs/, about results of this database."""
    one, other = "solve[k=1]", last
    return {
        "accuracy again": f"SELECT r.label, r.value, avg(p.correct), sum(p.correct), count(p.correct) FROM v_results r JOIN predictions "
                          f"p USING (result_id) WHERE r.label = '{one}' AND r.metric LIKE '%/accuracy' GROUP BY r.metric",
        "flips of a pair": f"SELECT item_id FROM v_flips WHERE label_a = '{one}' AND label_b = '{other}' AND correct_a",
        "first wrong item": f"SELECT min(item_id) FROM v_stages JOIN predictions USING (result_id) WHERE label = '{one}' AND NOT correct",
        "an item's answer": f"SELECT extracted, fields ->> '$.text' AS text FROM v_stages JOIN predictions USING (result_id) "
                            f"WHERE label = '{other}' AND item_id = 'item-77'",
        "an item everywhere": "SELECT label, extracted FROM v_stages JOIN predictions USING (result_id) WHERE item_id = 'item-77'",
        "v_agg": "SELECT axes ->> '$.k' AS k, metric, mean, std, n FROM v_agg WHERE stage = 'solve' ORDER BY 1",
        "v_stages": "SELECT label, failure FROM v_stages WHERE state = 'failed'",
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lowbit")
    parser.add_argument("directory")
    parser.add_argument("--results", type=int, default=500)
    parser.add_argument("--items", type=int, default=10000)
    parser.add_argument("--metrics", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    program = os.path.abspath(arguments.lowbit)
    root = Path(arguments.directory)
    file = root / ".lowbit" / "results.db"
    if not file.exists():
        make(file, arguments)
    last = f"solve[k={arguments.results}]"
    write_tables(root, arguments)
    commands = {"table": ["table", str(root / "named.yaml")], "table, names with *": ["table", str(root / "open.yaml")],
                "compare": ["compare"], "compare --csv, metrics": ["compare", "--csv", "--metric", "x/*"]}
    if arguments.items > 0:
        commands |= {"samples --flips": ["samples", "solve[k=1]", last, "--flips"],
                     "samples --wrong": ["samples", last, "--wrong"]}
        commands |= {f"query: {name}": ["query", sql] for name, sql in queries(last).items()}
    print(f"{arguments.results} results, {arguments.results * arguments.items} rows of predictions, "
          f"{arguments.metrics} metrics each")
    for name, words in commands.items():
        print(f"{name:26} {seconds([program, *words, '-C', str(root)], arguments.rounds):.2f} s")


if __name__ == "__main__":
    main()
