#!/usr/bin/env python3
"""Stages per second of `lowbit run`, beside ninja and Snakemake on the same number of tasks and the same file system.

    tests/bench/throughput.py LOWBIT PLUGINS [--stages N] [--ninja N] [--snakemake N] [--torch N] [--nothing N,N]
                              [--rounds R] [--directory DIR]

A stage writes one artifact of 100 bytes and tells one metric (`metric`: the metric alone); a task of ninja and Snakemake
is `printf` of 100 bytes into a file by a shell. All tasks are independent, two at a time. A peer that is not installed is
left out, and so is what a 0 asks for. Every run has a directory of its own, and all are removed at the end: ext4 is slow
at giving out inodes right after many were freed. PLUGINS is the directory bench-plugins of a build.

Columns: tasks, seconds by the clock, tasks per second of it; processor time of all processes per task, in milliseconds,
which other work on the machine changes less. Rounds are run in turn; a row is the round of the median clock.
"""

import argparse
import ctypes
import os
import resource
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

JOBS = "2"
LINE = "." * 99


def timed(words, directory, environment=None):
    """(seconds by the clock, seconds of processors) of a command and everything it waited for."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    with open(directory / "said.txt", "w") as said:
        process = subprocess.Popen(words, cwd=directory, stdout=said, stderr=said, stdin=subprocess.DEVNULL,
                                   env={**os.environ, **(environment or {})})
    process.wait()
    clock = time.perf_counter() - began
    while True:  # fork servers of lowbit end a little later, and come to this process then
        try:
            os.wait()
        except ChildProcessError:
            break
    if process.returncode != 0:
        sys.exit(f"error: {' '.join(map(str, words))} ended with {process.returncode}:\n"
                 + (directory / "said.txt").read_text()[-2000:])
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return clock, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


class Lowbit:
    def __init__(self, program, plugins, stage):
        self.program = program
        self.environment = {"LOWBIT_PLUGIN_PATH": str(plugins)}
        self.stage = stage

    def prepare(self, directory, n):
        seeds = ", ".join(map(str, range(n)))
        (directory / "lowbit.yaml").touch()
        (directory / "experiment.yaml").write_text(
            f"experiment: throughput\nseeds: [{seeds}]\nstages:\n  - {{id: task, use: {self.stage}}}\n")

    def run(self, directory):
        return timed([self.program, "run", "experiment.yaml", "-j", JOBS], directory, self.environment)

    def check(self, directory, n):
        with sqlite3.connect(f"file:{directory}/.lowbit/results.db?mode=ro", uri=True) as db:
            results = db.execute("SELECT count(*) FROM results").fetchone()[0]
            metrics = db.execute("SELECT count(*) FROM metrics").fetchone()[0]
        if (results, metrics) != (n, n):
            sys.exit(f"error: {n} stages led to {results} results and {metrics} metrics")


class Ninja:
    def prepare(self, directory, n):
        lines = [f"rule task\n  command = printf '%s\\n' {LINE} > $out\n"]
        lines += [f"build out/{i}.txt: task\n" for i in range(n)]
        (directory / "build.ninja").write_text("".join(lines))

    def run(self, directory):
        return timed(["ninja", "-j", JOBS], directory)

    def check(self, directory, n):
        if len(list((directory / "out").iterdir())) != n:
            sys.exit("error: ninja did not make all files")


class Snakemake:
    def prepare(self, directory, n):
        (directory / "Snakefile").write_text(
            f"rule all:\n    input: expand('out/{{i}}.txt', i=range({n}))\n"
            f"rule task:\n    output: 'out/{{i}}.txt'\n    shell: \"printf '%s\\n' {LINE} > {{output}}\"\n")

    def run(self, directory):
        return timed(["snakemake", "--cores", JOBS, "--scheduler", "greedy", "--quiet"], directory)

    check = Ninja.check


def show(name, n, clock, processor):
    print(f"{name:28}{n:8}{clock:10.2f}{n / clock:12.1f}{processor / n * 1e3:16.3f}", flush=True)


def nothing_to_do(lowbit, base, n):
    """Of `lowbit plan` and `lowbit run` of an experiment whose results are all there, the smallest of five, in ms."""
    directory = Path(tempfile.mkdtemp(dir=base))
    lowbit.prepare(directory, n)
    lowbit.run(directory)
    lowbit.run(directory)  # the first start after a change remembers digests
    rounds = [lowbit.run(directory) for _ in range(5)]
    said = (directory / "said.txt").read_text()
    if "nothing to do" not in said:
        sys.exit(f"error: {said}")
    clock, processor = (min(one[side] for one in rounds) * 1e3 for side in (0, 1))
    print(f"{'nothing to do':28}{n:8}{clock:10.1f} ms{processor:10.1f} ms of processors", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lowbit")
    parser.add_argument("plugins")
    parser.add_argument("--stages", type=int, default=10000)
    parser.add_argument("--ninja", type=int, default=10000)
    parser.add_argument("--snakemake", type=int, default=5000)
    parser.add_argument("--torch", type=int, default=1000)
    parser.add_argument("--nothing", default="1000")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--directory", help="on the file system to measure on")
    arguments = parser.parse_args()
    program, plugins = Path(arguments.lowbit).resolve(), Path(arguments.plugins).resolve()
    artifact = Lowbit(program, plugins, "lowbit.bench.artifact")

    rows = [("lowbit", arguments.stages, artifact),
            ("lowbit, metric only", arguments.stages, Lowbit(program, plugins, "lowbit.bench.metric"))]
    if (plugins / "bench-torch-stages.so").exists():
        rows.append(("lowbit, libtorch", arguments.torch, Lowbit(program, plugins, "lowbit.bench-torch.artifact")))
    else:
        print("left out: libtorch, which this build is without")
    for tool, n, peer in (("ninja", arguments.ninja, Ninja()), ("snakemake", arguments.snakemake, Snakemake())):
        if shutil.which(tool) is None:
            print(f"left out: {tool}, which is not installed")
            continue
        rows.append((tool, n, peer))
        if n not in (0, arguments.stages):  # its graph grows worse than linearly: compared with the same number
            rows.append((f"lowbit, as many as {tool}", n, artifact))
    rows = [row for row in rows if row[1] > 0]

    pr_set_child_subreaper = 36
    ctypes.CDLL(None).prctl(pr_set_child_subreaper, 1)
    base = Path(tempfile.mkdtemp(prefix="throughput-", dir=arguments.directory))
    try:
        measured = {name: [] for name, _, _ in rows}
        for _ in range(arguments.rounds):
            for name, n, what in rows:
                directory = Path(tempfile.mkdtemp(dir=base))
                what.prepare(directory, n)
                measured[name].append(what.run(directory))
                what.check(directory, n)
        print(f"{'':28}{'tasks':>8}{'clock, s':>10}{'per second':>12}{'processor, ms':>16}")
        median = {name: sorted(times)[len(times) // 2] for name, times in measured.items()}
        for name, n, _ in rows:
            show(name, n, *median[name])
        for tool, n in (("ninja", arguments.ninja), ("snakemake", arguments.snakemake)):
            if tool not in median:
                continue
            ours = median.get(f"lowbit, as many as {tool}", median.get("lowbit"))
            if ours:
                print(f"rate beside that of {tool}, {n} tasks: {median[tool][0] / ours[0]:.2f}")
        for n in filter(None, map(int, arguments.nothing.split(","))):
            nothing_to_do(artifact, base, n)
    finally:
        shutil.rmtree(base, ignore_errors=True)


if __name__ == "__main__":
    main()
