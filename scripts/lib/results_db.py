"""What a project has measured, read from its results.db without being able to change it; and what the scripts around it
share with each other: errors, and one form of a run for any tracker.

A run is a variant (a stage at a point of its axes) of an experiment's last expansion with its current result.
"""

import argparse
import hashlib
import json
import sqlite3
import sys
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

APPLICATION_ID = 1819244386
SCHEMA_VERSION = 2


def fail(code, what, note=None, help_=None):
    print(f"error: {what}", file=sys.stderr)
    if note:
        print(f"  = note: {note}", file=sys.stderr)
    if help_:
        print(f"  = help: {help_}", file=sys.stderr)
    sys.exit(code)


def cannot_read(path, error):
    fail(2, f"cannot read `{path}`", str(error), "give a project's directory, or its .lowbit/results.db")


@dataclass
class Metric:
    name: str
    unit: str
    value: float
    std_error: float | None
    count: int


@dataclass
class Run:
    id: str  # the same for the same result of the same variant, wherever the project lies
    experiment: str
    label: str
    stage: str
    axes: dict
    seed: int | None
    plugin: str
    version: str
    kind: str
    content_key: str
    started_at: str
    ended_at: str
    params: dict = field(default_factory=dict)
    inputs: dict = field(default_factory=dict)  # port to digest, or to a list of them
    metrics: list = field(default_factory=list)
    curves: dict = field(default_factory=dict)  # name to [(step, value)]

    def tags(self):
        """What a run is, as texts."""
        return {
            "lowbit.id": self.id,
            "lowbit.experiment": self.experiment,
            "lowbit.stage": self.stage,
            "lowbit.variant": self.label,
            "lowbit.kind": self.kind,
            "lowbit.plugin": self.plugin,
            "lowbit.plugin_version": self.version,
            "lowbit.content_key": self.content_key,
            "lowbit.inputs": json.dumps(self.inputs, sort_keys=True),
        }

    def config(self):
        """Parameters, and the point of the axes under names that no parameter has."""
        values = dict(self.params)
        values.update({f"axis/{name}": value for name, value in self.axes.items()})
        if self.seed is not None:
            values["axis/seed"] = self.seed
        return values

    def final_values(self):
        """Numbers of the whole run; of an average also its standard error and count."""
        values = {}
        for metric in self.metrics:
            values[metric.name] = metric.value
            if metric.std_error is not None:
                values[f"{metric.name}/std_error"] = metric.std_error
            if metric.count:
                values[f"{metric.name}/count"] = float(metric.count)
        return values

    def n_points(self):
        return sum(map(len, self.curves.values()))


def milliseconds(time):
    """Of an RFC 3339 text since 1970."""
    return round(datetime.fromisoformat(time.replace("Z", "+00:00")).timestamp() * 1000)


def open_results(path):
    """`path`: a project's directory or its results.db. Ends the program when it is neither."""
    file = Path(path) / ".lowbit" / "results.db" if Path(path).is_dir() else Path(path)
    if not file.is_file():
        cannot_read(path, f"there is no file `{file}`")
    try:
        db = sqlite3.connect(f"file:{quote(str(file))}?mode=ro", uri=True)
        db.row_factory = sqlite3.Row
        application, version = (db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version"))
    except sqlite3.Error as e:
        cannot_read(path, e)
    if application != APPLICATION_ID:
        cannot_read(path, "it is no results.db of lowbit")
    if version != SCHEMA_VERSION:
        fail(2, f"`{file}` has schema version {version}, this script reads {SCHEMA_VERSION}", None,
             "use the script of the lowbit that wrote the file; an older file is brought up to date by the next "
             "`lowbit run`")
    return db


def as_value(text):
    """A parameter as it was given: numbers and texts are stored as they are, lists and objects as JSON."""
    if isinstance(text, str) and text[:1] in ("[", "{"):
        try:
            return json.loads(text)
        except ValueError:
            pass
    return text


def digests_of(inputs):
    """Port to digest of a content record's inputs."""
    digest = lambda one: one.get("digest", "") if isinstance(one, dict) else str(one)  # noqa: E731
    return {port: [digest(one) for one in bound] if isinstance(bound, list) else digest(bound)
            for port, bound in inputs.items()}


def run_of(row):
    record = json.loads(row["content_record"])
    coordinates = json.loads(row["coordinates"])
    seed = coordinates.pop("seed", None)
    words = "\n".join([row["experiment"], row["label"], row["content_key"], row["ended_at"]])
    return Run(id=hashlib.sha256(words.encode()).hexdigest()[:16], experiment=row["experiment"], label=row["label"],
               stage=row["stage"], axes=coordinates, seed=seed, plugin=record["plugin"]["id"],
               version=record["plugin"]["version"], kind=row["kind"], content_key=row["content_key"],
               started_at=row["started_at"] or row["ended_at"], ended_at=row["ended_at"],
               inputs=digests_of(record.get("inputs", {})))


def read_runs(db, experiments, stages):
    """In the order of the plans; all experiments and stages where no names are given. Ends the program when a name is
    none. One transaction: what a run beside writes meanwhile is in all of it or in none."""
    db.execute("BEGIN")
    known = {name for (name,) in db.execute("SELECT experiment FROM experiments")}
    check_names("experiment", experiments, known)
    check_names("stage", stages, {name for (name,) in db.execute("SELECT DISTINCT stage FROM expansions")})
    rows = db.execute(
        "SELECT e.experiment, e.stage, e.label, e.coordinates, r.result_id, r.content_key, r.content_record, r.kind, "
        "r.ended_at, a.started_at FROM expansions e JOIN provenance p USING (provenance_key) "
        "JOIN results r ON r.content_key = p.content_key AND r.is_current = 1 JOIN attempts a USING (attempt_id) "
        "ORDER BY e.experiment, e.position").fetchall()
    runs = []
    for row in rows:
        if (experiments and row["experiment"] not in experiments) or (stages and row["stage"] not in stages):
            continue
        run = run_of(row)
        add_numbers(db, row["result_id"], run)
        runs.append(run)
    db.execute("COMMIT")
    return runs


def check_names(what, names, known):
    for name in names:
        if name not in known:
            fail(2, f"there is no {what} `{name}`", f"there are {', '.join(sorted(known)) or 'none'}",
                 f"name one of them with --{what}, or leave the option out for all")


def add_numbers(db, result_id, run):
    run.params = {name: as_value(value)
                  for name, value in db.execute("SELECT name, value FROM params WHERE result_id = ?", (result_id,))}
    run.metrics = [Metric(*row) for row in db.execute(
        "SELECT name, unit, value, std_error, count FROM metrics WHERE result_id = ? AND value IS NOT NULL ORDER BY name",
        (result_id,))]
    curves = defaultdict(list)
    for name, step, value in db.execute("SELECT name, step, value FROM curves WHERE result_id = ? AND value IS NOT NULL "
                                        "ORDER BY name, step", (result_id,)):
        curves[name].append((step, value))
    run.curves = dict(curves)


def add_common_arguments(parser):
    parser.add_argument("project", nargs="?", default=".", metavar="PROJECT",
                        help="a project's directory, or its results.db (default: this directory)")
    parser.add_argument("--experiment", action="append", default=[], metavar="NAME", help="only this one; repeatable")
    parser.add_argument("--stage", action="append", default=[], metavar="NAME", help="only this one; repeatable")
    parser.add_argument("--dry-run", action="store_true", help="say what would be sent, and send nothing")


def parser_of(text):
    return argparse.ArgumentParser(description=text, formatter_class=argparse.RawDescriptionHelpFormatter)


def runs_for(arguments):
    """The runs that the arguments name; ends the program when there is none."""
    runs = read_runs(open_results(arguments.project), arguments.experiment, arguments.stage)
    if not runs:
        fail(2, f"`{arguments.project}` has no results to send", "no stage that was asked for has a result",
             "run the experiment first; `lowbit status` tells how far it is")
    return runs


def print_plan(runs):
    for run in runs:
        print(f"{run.id}  {run.experiment}  {run.label}: {len(run.config())} parameters, {len(run.metrics)} metrics, "
              f"{run.n_points()} points of {len(run.curves)} curves")
    print(f"{len(runs)} runs; nothing was sent")
