#!/usr/bin/env python3
"""Runs a small study and exports it in every format of results. What was written is read with Python's own modules and
compared with results.db, row by row and byte by byte; nothing here is shared with the code that wrote it.

usage: export_results.py LOWBIT DIRECTORY-OF-THE-STUDY
LOWBIT_PLUGIN_PATH must name the toy plugins.
"""
import csv
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

from exported.crates import check_crate
from exported.event_files import check_tensorboard
from exported.lm_eval_files import check_lm_eval
from exported.model_cards import check_cards, check_patches


class Study:
    def __init__(self, lowbit, source):
        self.lowbit = os.path.abspath(lowbit)
        self.project = Path(tempfile.mkdtemp(prefix="lowbit-export-"))
        (self.project / "lowbit.yaml").touch()
        for file in ("experiment.yaml", "stages.py"):
            shutil.copy(source / file, self.project)
        ended = self.run("run", "experiment.yaml")
        assert ended.returncode == 1, ended.stderr  # one variant fails
        self.db = sqlite3.connect(f"file:{self.project}/.lowbit/results.db?mode=ro", uri=True)
        self.db.row_factory = sqlite3.Row

    def run(self, *words, **environment):
        return subprocess.run([self.lowbit, *map(str, words)], cwd=self.project, env={**os.environ, **environment},
                              capture_output=True, text=True)

    def export(self, form, *options, source="exported"):
        out = self.project / f"out-{form}-{len(list(self.project.iterdir()))}"
        ended = self.run("export", source, out.name, "--format", form, *options)
        assert ended.returncode == 0, ended.stderr
        assert not [path for path in self.project.iterdir() if ".lowbit-export-" in path.name], "left something beside"
        return out

    def refused(self, code, *words):
        ended = self.run("export", *words)
        assert ended.returncode == 2 and f"error[{code}]" in ended.stderr, (words, ended.stderr)
        return ended.stderr

    def rows(self, sql, *values):
        return [dict(row) for row in self.db.execute(sql, values)]


def equal(found, wanted, what):
    if isinstance(found, list) and isinstance(wanted, list) and len(found) == len(wanted):
        for i, (one, other) in enumerate(zip(found, wanted)):
            assert one == other, f"{what}, {i}\n  found  {one!r}\n  wanted {other!r}"
    assert found == wanted, f"{what}\n  found  {found!r:.2000}\n  wanted {wanted!r:.2000}"


def number(text):
    return None if text == "" else float(text)


def check_csv(study):
    out = study.export("csv")
    equal(sorted(path.name for path in out.iterdir()),
          ["curves.csv", "grades.jsonl", "params.csv", "predictions.jsonl", "results.csv", "verdicts.jsonl"], "files")
    with open(out / "results.csv", newline="", encoding="utf-8") as file:
        results = list(csv.DictReader(file))
    measured = [row for row in results if row["metric"]]
    wanted = study.rows("SELECT label, axes, seed, metric, unit, value, std_error, count, result_id FROM v_results")
    equal(sorted((row["label"], row["metric"], row["unit"], number(row["value"]), number(row["std_error"]),
                  int(row["count"]), int(row["result_id"]), number(row["levels"]), number(row["seed"]))
                 for row in measured),
          sorted((row["label"], row["metric"], row["unit"], row["value"], row["std_error"], row["count"],
                  row["result_id"], json.loads(row["axes"]).get("levels"), row["seed"]) for row in wanted), "results.csv")
    equal({(row["label"], row["status"]) for row in results},
          {(row["label"], row["state"]) for row in study.rows("SELECT label, state FROM v_stages")}, "every variant")
    assert ("train[levels=7,seed=4]", "failed") in {(row["label"], row["status"]) for row in results}
    with open(out / "params.csv", newline="", encoding="utf-8") as file:
        params = {(row["label"], row["param"], row["value"]) for row in csv.DictReader(file)}
    wanted = study.rows("SELECT s.label, p.name, p.value FROM v_stages s JOIN params p USING (result_id)")
    equal(params, {(row["label"], row["name"], str(row["value"])) for row in wanted}, "params.csv")
    with open(out / "curves.csv", newline="", encoding="utf-8") as file:
        points = [(row["label"], row["curve"], int(row["step"]), number(row["value"])) for row in csv.DictReader(file)]
    wanted = study.rows("SELECT s.label, c.name, c.step, c.value FROM v_stages s JOIN curves c USING (result_id)")
    equal(sorted(points, key=str), sorted(((row["label"], row["name"], row["step"], row["value"]) for row in wanted),
                                          key=str), "curves.csv")
    assert any(value is None for *_, value in points), "NaN is empty"
    check_items(study, out)
    return out


def check_items(study, out):
    for table in ("predictions", "verdicts", "grades"):
        lines = [json.loads(line) for line in open(out / f"{table}.jsonl", encoding="utf-8")]
        wanted = study.rows(f"SELECT s.label, s.seed, t.result_id, t.port, t.item_id, t.fields FROM {table} t "
                            "JOIN v_stages s USING (result_id) GROUP BY t.rowid ORDER BY s.rowid")
        assert lines, table
        own = ("experiment", "stage", "label", "axes", "seed", "result_id", "port", "item_id")
        key = lambda row: (row["result_id"], row["item_id"])
        equal([(key(line), {name: value for name, value in line.items() if name not in own})
               for line in sorted(lines, key=key)],
              [(key(row), json.loads(row["fields"])) for row in sorted(wanted, key=key)], table)
        for line in lines:
            equal(line["stage"], line["label"].split("[")[0], "stage of " + line["label"])


def check_jsonl(study, as_csv):
    out = study.export("jsonl")
    for table in ("results", "params", "curves"):
        with open(as_csv / f"{table}.csv", newline="", encoding="utf-8") as file:
            wanted = list(csv.DictReader(file))
        # A number has the same digits in both.
        lines = [json.loads(line, parse_float=str) for line in open(out / f"{table}.jsonl", encoding="utf-8")]
        shown = lambda value: "" if value is None else value if isinstance(value, str) else json.dumps(
            value, separators=(",", ":"))
        equal([{name: shown(value) for name, value in line.items()} for line in lines], wanted, table)
    for table in ("predictions", "verdicts", "grades"):
        equal((out / f"{table}.jsonl").read_bytes(), (as_csv / f"{table}.jsonl").read_bytes(), table)


def check_only(study):
    out = study.export("csv", "--only", "answer[levels=7*", "--only", "judge")
    with open(out / "results.csv", newline="", encoding="utf-8") as file:
        labels = {row["label"] for row in csv.DictReader(file)}
    equal(labels, {row["label"] for row in study.rows(
        "SELECT label FROM v_stages WHERE label LIKE 'answer[levels=7%' OR stage = 'judge'")}, "--only")
    # By its file and by its directory it is the same experiment.
    for source in ("experiment.yaml", "."):
        again = study.export("csv", "--only", "answer[levels=7*", "--only", "judge", source=source)
        for file in out.iterdir():
            equal((again / file.name).read_bytes(), file.read_bytes(), f"{file.name} by {source}")


def check_refusals(study):
    taken = study.project / "taken"
    taken.mkdir()
    (taken / "mine").write_text("mine")
    study.refused("LB0015", "exported", "taken", "--format", "csv")
    equal([path.name for path in taken.iterdir()], ["mine"], "what was there")
    assert "exported" in study.refused("LB7067", "exporte", "new", "--format", "csv")
    assert "answer" in study.refused("LB7060", "exported", "new", "--format", "csv", "--only", "anwser")
    study.refused("LB7070", "exported", "new", "--format", "lm-eval", "--only", "model")
    study.refused("LB7070", "exported", "new", "--format", "tensorboard", "--only", "train[levels=7,seed=4]")
    assert "tensorboard" in study.refused("LB0019", "exported", "new", "--format", "tensorbord")
    study.refused("LB0001", "round[levels=1]", "new", "--format", "gptq", "--only", "x")
    study.refused("LB0001", "exported", "--format", "csv")
    study.refused("LB0001", "exported", "new", "--format", "csv", "--license", "CC0-1.0")
    study.refused("LB7070", "exported", "new", "--format", "ro-crate", "--only", "train[levels=7,seed=4]")
    study.refused("LB7070", "exported", "new", "--format", "hf-card", "--only", "round")
    study.refused("LB0001", "exported", "new", "--format", "csv", "--into", "taken/mine")
    assert "toy-sums" in study.refused("LB0001", "exported", "new", "--format", "hf-card", "--dataset", "toy-sum=a/b")
    study.refused("LB0001", "exported", "new", "--format", "hf-card", "--dataset", "toy-sums")
    assert not (study.project / "new").exists()


def check_kills(study):
    """Ended before any of its durable operations, an export leaves nothing at its destination, or all of it."""
    whole = study.export("csv")
    n_nothing = 0
    for at in range(1, 1000):
        out = study.project / f"killed-{at}"
        ended = study.run("export", "exported", out.name, "--format", "csv", LOWBIT_FAULT=f"exit:{at}")
        equal(ended.returncode in (0, 137), True, ended.stderr)
        n_nothing += not out.exists()
        for file in whole.iterdir() if out.exists() else []:
            equal((out / file.name).read_bytes(), file.read_bytes(), f"{file.name}, ended at {at}")
        if ended.returncode == 0:
            break
    assert out.exists() and n_nothing > 6, f"{n_nothing} ends before it was there"


def check_full_disk(study):
    """An export that the disk does not take says so, and leaves nothing at its destination nor beside it."""
    before = sorted(study.project.iterdir())
    for at in range(1, 9):
        ended = study.run("export", "exported", "full", "--format", "csv", LOWBIT_FAULT=f"enospc:{at}")
        assert ended.returncode == 3 and "error[LB6103]" in ended.stderr, (at, ended.stderr)
        equal(sorted(study.project.iterdir()), before, f"what is there after operation {at} failed")


def main():
    study = Study(sys.argv[1], Path(sys.argv[2]))
    try:
        as_csv = check_csv(study)
        check_jsonl(study, as_csv)
        check_only(study)
        check_lm_eval(study, study.export("lm-eval"))
        check_tensorboard(study, study.export("tensorboard"))
        check_cards(study, study.export("hf-card", "--dataset", "toy-sums=org/sums:plain"))
        check_patches(study)
        check_crate(study, study.export("ro-crate", "--license", "CC0-1.0"), as_csv)
        check_refusals(study)
        check_full_disk(study)
        check_kills(study)
    finally:
        study.db.close()
        shutil.rmtree(study.project)


if __name__ == "__main__":
    main()
