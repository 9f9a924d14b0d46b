#!/usr/bin/env python3
"""Kills hosts, shims and jobs with SIGKILL at random moments, runs the same command again each time, and compares
the end with an undisturbed run: same results byte for byte, a sound database, no orphans, no process left. Whenever
an experiment is done before all kills are used up, the next round starts from an empty store.

usage: kill_anywhere.py LOWBIT EXPERIMENT [--kills N] [--seed S] [--delay SECONDS] [--hang SECONDS] [--per-store N]
       [--calm PROJECT]
LOWBIT_PLUGIN_PATH must name the plugins that the experiment uses, other than those that come with lowbit.
"""
import argparse
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

RESULTS = """
SELECT e.label, a.port, a.digest FROM expansions e
JOIN provenance p ON p.provenance_key = e.provenance_key
JOIN results r ON r.content_key = p.content_key AND r.is_current = 1
JOIN artifacts a ON a.result_id = r.result_id ORDER BY 1, 2, 3"""
METRICS = "SELECT label, metric, value, std_error, count FROM v_results ORDER BY 1, 2"

CURVES = """
SELECT e.label, c.name, c.step, c.unit, c.value FROM expansions e
JOIN provenance p ON p.provenance_key = e.provenance_key
JOIN results r ON r.content_key = p.content_key AND r.is_current = 1
JOIN curves c ON c.result_id = r.result_id ORDER BY 1, 2, 3"""


class Failed(Exception):
    pass


def environment():
    """Without the leak check of an instrumented build: it ends every process with a helper of the same command line,
    and a process whose helper is killed spins for ever."""
    options = [text for text in (os.environ.get("ASAN_OPTIONS"), "detect_leaks=0") if text]
    return {**os.environ, "ASAN_OPTIONS": ":".join(options)}


def start(lowbit, experiment, project):
    return subprocess.Popen([lowbit, "run", str(experiment), "--project", str(project), "-j", "2"], cwd=project,
                            env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def finish(host, project, hang):
    """What the host said, once it has ended."""
    try:
        return host.communicate(timeout=hang)[1]
    except subprocess.TimeoutExpired:
        left = [pid for pid, _ in processes(project)]
        host.kill()
        raise Failed(f"the host did not end within {hang} s; shims and jobs that live: {left}") from None


def run_to_end(lowbit, experiment, project, tries, hang):
    text = ""
    for _ in range(tries):
        process = start(lowbit, experiment, project)
        text = finish(process, project, hang)
        if process.returncode == 0:
            return text
    raise Failed(f"the run did not succeed in {tries} tries; the last one said:\n{text}")


def rows(project, sql):
    with sqlite3.connect(f"file:{project}/.lowbit/results.db?mode=ro", uri=True) as db:
        return db.execute(sql).fetchall()


def processes(project):
    """(pid, is the leader of its session) of every fork server, shim and job that works in `project`."""
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            if b"worker" not in (entry / "cmdline").read_bytes().split(b"\0") or entry.joinpath("cwd").readlink() != project:
                continue
            session = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[3])
        except (OSError, IndexError, ValueError):
            continue
        yield int(entry.name), session == int(entry.name)


def kill_one(victim, host, project):
    """Returns what was killed; a job that is not there any more falls back to the host."""
    if victim != "host":
        found = []
        deadline = time.time() + 2  # a host that has just started has no job yet
        while not found and time.time() < deadline and host.poll() is None:
            found = [pid for pid, leader in processes(project) if leader == (victim == "shim")]
        if found:
            try:
                os.kill(random.choice(found), signal.SIGKILL)
                return victim
            except ProcessLookupError:
                pass
    host.kill()
    return "host"


def check_sound(project):
    problems = []
    if rows(project, "PRAGMA integrity_check") != [("ok",)]:
        problems.append("PRAGMA integrity_check finds damage")
    known = {row[0] for row in rows(project, "SELECT directory FROM results")}
    on_disk = {str(p.relative_to(project / ".lowbit")) for p in (project / ".lowbit/results").glob("*/*")}
    if known != on_disk:
        problems.append(f"orphans: on disk only {sorted(on_disk - known)}, in the database only {sorted(known - on_disk)}")
    if rows(project, "SELECT count(*) FROM attempts WHERE state = 1") != [(0,)]:
        problems.append("an attempt still counts as running")
    deadline = time.time() + 5  # a fork server ends when it notices that its host has
    while list(processes(project)) and time.time() < deadline:
        time.sleep(0.05)
    left = [pid for pid, _ in processes(project)]
    if left:
        problems.append(f"processes left: {left}")
    if list((project / ".lowbit/work").glob("*/*")):
        problems.append("attempts left in .lowbit/work")
    return problems


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("lowbit")
    parser.add_argument("experiment")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--delay", type=float, default=1.5, help="longest time before a kill")
    parser.add_argument("--hang", type=float, default=300, help="no run takes longer")
    parser.add_argument("--per-store", type=int, default=10**9, help="kills before a run is left in peace")
    parser.add_argument("--calm", type=Path, help="project in which the experiment ran undisturbed (default: runs it)")
    arguments = parser.parse_args()
    random.seed(arguments.seed)
    print(f"seed {arguments.seed}")
    lowbit = str(Path(arguments.lowbit).resolve())
    experiment = Path(arguments.experiment).resolve()
    hang = arguments.hang

    root = Path(tempfile.mkdtemp(prefix="lowbit-kill-")).resolve()
    try:
        calm = arguments.calm and arguments.calm.resolve()
        if not calm:
            calm = root / "calm"
            calm.mkdir()
            run_to_end(lowbit, experiment, calm, 1, hang)
        counts = {"host": 0, "shim": 0, "job": 0}
        rounds = 0
        while sum(counts.values()) < arguments.kills:
            killed = root / f"killed-{rounds}"
            killed.mkdir()
            rounds += 1
            enough = min(arguments.kills, sum(counts.values()) + arguments.per_store)
            host = None
            while sum(counts.values()) < enough:
                host = host or start(lowbit, experiment, killed)
                time.sleep(random.uniform(0.0, arguments.delay))
                if host.poll() is None:
                    victim = kill_one(("host", "job", "shim")[sum(counts.values()) % 3], host, killed)
                    counts[victim] += 1
                    if victim != "host":
                        continue  # the host goes on; the next kill may meet it
                finish(host, killed, hang)
                if host.returncode == 0:
                    break
                host = None
            if host is not None:
                finish(host, killed, hang)
            # A host that was killed left jobs behind; the next run adopts or harvests them.
            run_to_end(lowbit, experiment, killed, 3, hang)
            again = run_to_end(lowbit, experiment, killed, 1, hang)
            problems = check_sound(killed)
            for what, sql in (("results", RESULTS), ("metrics", METRICS), ("curves", CURVES)):
                if rows(calm, sql) != rows(killed, sql):
                    problems.append(f"other {what} than the undisturbed run:\n{rows(calm, sql)}\n{rows(killed, sql)}")
            if "nothing to do" not in again:
                problems.append(f"a finished experiment still finds work:\n{again}")
            if not rows(calm, RESULTS):
                problems.append("the experiment has no results to compare")
            if problems:
                raise Failed("\n".join(problems))
        print(f"killed {counts} in {rounds} rounds")
        print("same end")
        return 0
    except Failed as failure:
        print(f"FAILED (seed {arguments.seed})\n{failure}", file=sys.stderr)
        return 1
    finally:
        for project in root.iterdir():
            for pid, _ in list(processes(project)):
                os.kill(pid, signal.SIGKILL)
        shutil.rmtree(root, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
