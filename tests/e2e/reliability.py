#!/usr/bin/env python3
"""Disturbs lowbit in every way that docs/reliability.md makes a promise about, and compares the tables at the end with
those of an undisturbed run.

usage: reliability.py LOWBIT FAILING_FS [--full [--every N]] [--section NAME]... [--seed S]

LOWBIT_PLUGIN_PATH must name the directory of the toy plugins; FAILING_FS is the library made of failing_fs.c. Without
--full every section takes samples (a minute); with it, every operation and every cut is tried (an hour on two cores).
Projects lie in memory where there is room (/dev/shm; TMPDIR says otherwise): what is tried is the order of operations,
and a disk only adds the time of its syncs.
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

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))
from kill_anywhere import CURVES, RESULTS, Failed, check_sound, processes  # noqa: E402

HERE = Path(__file__).resolve().parent
LEADS_TO = """FROM expansions e JOIN provenance p ON p.provenance_key = e.provenance_key
JOIN results r ON r.content_key = p.content_key AND r.is_current = 1"""
TABLES = {
    "results": RESULTS,
    "metrics": "SELECT experiment, label, coordinates, plugin, metric, unit, value, std_error, count FROM v_results",
    "means": "SELECT * FROM v_agg",
    "params": f"SELECT e.label, x.name, x.value {LEADS_TO} JOIN params x USING (result_id)",
    "items": f"SELECT e.label, x.port, x.item_id, x.correct, x.fields {LEADS_TO} JOIN predictions x USING (result_id)",
    "verdicts": "SELECT label, item_id, judge, type, status FROM v_verdicts",
    "flips": "SELECT label_a, label_b, item_id, correct_a, correct_b FROM v_flips",
    "curves": CURVES,
    "axes": "SELECT e.label, x.axis, x.position, x.value FROM expansions e JOIN expansion_axes x USING (expansion_id)",
    "bases": f"SELECT e.label, x.port, x.base {LEADS_TO} JOIN artifact_bases x USING (result_id)",
}
REFUSALS = ("LB6004", "LB6005", "LB6013")
MOST_OPERATIONS_OF_JOB = 48
SLOW = ["--set", "stages[6].params.delay_ms=30", "--set", "stages[7].params.delay_ms=30"]


def tables(project):
    with sqlite3.connect(f"file:{project}/.lowbit/results.db?mode=ro", uri=True) as db:
        return {name: sorted(db.execute(sql).fetchall(), key=repr) for name, sql in TABLES.items()}


def room():
    """Where projects lie; None: where Python thinks best."""
    memory = Path("/dev/shm")
    if "TMPDIR" in os.environ or not os.access(memory, os.W_OK) or shutil.disk_usage(memory).free < 1 << 30:
        return None
    return memory


def differing(one, other, ignored=()):
    return [name for name in one if name not in ignored and one[name] != other[name]]


class Lab:
    def __init__(self, arguments, root):
        self.lowbit = str(Path(arguments.lowbit).resolve())
        self.failing_fs = str(Path(arguments.failing_fs).resolve())
        self.full = arguments.full
        self.every = arguments.every
        self.seed = arguments.seed
        self.root = root
        self.made = 0
        self.calm = self.project()
        self.must(self.run(self.calm), "an undisturbed run")
        self.tables = tables(self.calm)
        empty = [name for name, rows in self.tables.items() if not rows and name != "bases"]
        if empty:
            raise Failed(f"nothing to compare in {empty}")
        self.printed = self.table(self.calm).stdout

    def project(self, like=None):
        """A fresh project, or one that shares its files with `like`: to be replaced, never to be written into."""
        self.made += 1
        directory = self.root / f"p{self.made}"
        if like:
            subprocess.run(["cp", "-al", str(like), str(directory)], check=True)
            for file in (directory / ".lowbit").glob("results.db*"):
                self.replace(file, file.read_bytes())
        else:
            shutil.copytree(HERE / "reliable", directory)
            (directory / "lowbit.yaml").touch()
        return directory

    @staticmethod
    def replace(file, content):
        file.unlink()
        file.write_bytes(content)

    def done(self, project):
        shutil.rmtree(project, ignore_errors=True)

    def environment(self, more=None):
        return {**os.environ, **(more or {})}

    def failing(self, project, fault, **more):
        return {"LD_PRELOAD": self.failing_fs, "LOWBIT_FS_ROOT": str(project / ".lowbit"), "LOWBIT_FS_FAULT": fault, **more}

    def command(self, project, *words, env=None, **options):
        try:
            return subprocess.run([self.lowbit, *words], cwd=project, env=self.environment(env), capture_output=True,
                                  text=True, timeout=120, **options)
        except subprocess.TimeoutExpired:
            raise Failed(f"`lowbit {' '.join(words)}` did not end in {project}") from None

    def start(self, project, *words):
        return subprocess.Popen([self.lowbit, "run", "experiment.yaml", "-j", "2", *words], cwd=project,
                                env=self.environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)

    def run(self, project, *words, env=None):
        return self.command(project, "run", "experiment.yaml", "-j", "2", *words, env=env)

    def table(self, project):
        return self.command(project, "table", ".", "--csv")

    def must(self, ended, what):
        if ended.returncode != 0:
            raise Failed(f"{what} ended with {ended.returncode}:\n{ended.stderr}")
        return ended

    def same_tables(self, project, what, ignored=()):
        other = differing(self.tables, tables(project), ignored)
        if other:
            raise Failed(f"{what}: other {other} in {project}")

    def no_children(self, project, what):
        deadline = time.monotonic() + 15
        while time.monotonic() < deadline:
            if not list(processes(project)):
                return
            time.sleep(0.02)
        raise Failed(f"{what}: processes left in {project}: {list(processes(project))}")

    def recovers(self, project, what, tries=1, ignored=()):
        """The same command, on a machine that works, ends with the same tables."""
        for _ in range(tries):
            ended = self.run(project)
            if ended.returncode == 0:
                break
        self.must(ended, f"{what}, then the same command")
        self.same_tables(project, what, ignored)
        again = self.must(self.run(project), f"{what}, then the same command twice")
        if "nothing to do" not in again.stderr:
            raise Failed(f"{what}: a finished experiment still finds work:\n{again.stderr}")
        problems = check_sound(project)
        if problems:
            raise Failed(f"{what}: " + "; ".join(problems))

    def samples(self, total, short):
        """1 to total, or every N-th of them, or `short` ones."""
        if self.full:
            return range(1 + self.seed % self.every, total + 1, self.every)
        return sorted({1 + (i * total) // short for i in range(short)})

    def count(self, fault):
        project = self.project()
        file = self.root / "count"
        self.must(self.run(project, env=self.failing(project, f"{fault}:1000000000", LOWBIT_FS_COUNT=str(file))),
                  "a run that is only counted")
        self.done(project)
        return int(file.read_text())


def file_system(lab):
    """The n-th operation of the host on its files fails, or is its last."""
    said = {}
    trials = 0
    for fault, short in (("enospc", 6), ("eio", 6), ("eio-on", 4), ("exit", 5), ("exit-after", 4), ("torn", 6)):
        total = lab.count(fault)
        for n in lab.samples(total, short):
            what = f"{fault}:{n} of {total}"
            project = lab.project()
            ended = lab.run(project, env=lab.failing(project, f"{fault}:{n}"))
            if ended.returncode not in ((0, 137) if fault in ("exit", "exit-after", "torn") else (0, 3)):
                raise Failed(f"{what}: the run ended with {ended.returncode}\n{ended.stderr}")
            if ended.returncode == 3:
                if "error[LB" not in ended.stderr:
                    raise Failed(f"{what}: no error is named\n{ended.stderr}")
                code = ended.stderr.split("error[")[1][:6]
                said[code] = said.get(code, 0) + 1
            lab.recovers(project, what)
            lab.done(project)
            trials += 1
    return f"{trials} disturbed runs; errors named: " + ", ".join(f"{code} {n}" for code, n in sorted(said.items()))


def file_system_of_jobs(lab):
    """The n-th operation of every shim, or of every job, on its files fails, or is its last."""
    ends = {}
    trials = 0
    for role in ("shim", "job"):
        for fault, short in (("enospc", 2), ("eio", 3), ("eio-on", 2), ("exit", 2), ("exit-after", 2), ("torn", 2)):
            for n in lab.samples(MOST_OPERATIONS_OF_JOB, short):
                what = f"{role} {fault}:{n}"
                project = lab.project()
                ended = lab.run(project, env={"LOWBIT_FAULT_PRELOAD": lab.failing_fs, "LOWBIT_FS_ROLE": role,
                                              "LOWBIT_FS_ROOT": str(project / ".lowbit"), "LOWBIT_FS_FAULT": f"{fault}:{n}"})
                if ended.returncode not in (0, 1):
                    raise Failed(f"{what}: the run ended with {ended.returncode}\n{ended.stderr}")
                ends[ended.returncode] = ends.get(ended.returncode, 0) + 1
                lab.recovers(project, what)
                lab.done(project)
                trials += 1
    if 1 not in ends:
        raise Failed("no disturbance reached a shim or a job")
    return f"{trials} disturbed runs, {ends[1]} of them with a failed stage"


def failpoints(lab):
    """Host, shim and job end before and after every fsync, rename and commit, or meet a full or a broken disk there."""
    trials = 0
    for role, totals in (("host", 400), ("shim", 12), ("job", 12)):
        for fault in ("exit", "exit-after", "enospc", "eio"):
            points = lab.samples(totals, 4 if role == "host" else 2)
            for n in points:
                what = f"{role} {fault}:{n}"
                project = lab.project()
                ended = lab.run(project, env={"LOWBIT_FAULT": f"{fault}:{n}", "LOWBIT_FAULT_ROLE": role})
                if ended.returncode == 2 or (role == "host" and ended.returncode not in (0, 3, 137)):
                    raise Failed(f"{what}: the run ended with {ended.returncode}\n{ended.stderr}")
                # What was lost under the first one's eyes counts as its failure.
                lab.recovers(project, what, tries=2)
                lab.done(project)
                trials += 1
                if role == "host" and ended.returncode == 0:
                    break  # fewer operations than that
    return f"{trials} disturbed runs"


def refused_or_whole(lab, project, what, earlier_allowed):
    """Returns whether the database was refused."""
    ended = lab.table(project)
    if ended.returncode == 0 and not earlier_allowed and ended.stdout != lab.printed:
        raise Failed(f"{what}: opened, and the table is another\n{ended.stdout}")
    if ended.returncode != 0:
        if not any(f"error[{code}]" in ended.stderr for code in REFUSALS) or "doctor --rebuild" not in ended.stderr:
            # A state from before the experiment was first expanded is a whole earlier state.
            if not (earlier_allowed and any(code in ended.stderr for code in ("LB7020", "LB6002", "LB6012"))):
                raise Failed(f"{what}: not refused with the way to rebuild it:\n{ended.stderr}")
        else:
            running = lab.run(project)
            if running.returncode != 3 or "doctor --rebuild" not in running.stderr:
                raise Failed(f"{what}: a run goes on with it: {running.returncode}\n{running.stderr}")
            lab.must(lab.command(project, "doctor", "--rebuild"), f"{what}: the rebuild")
            lab.same_tables(project, f"{what}, rebuilt")
            if lab.table(project).stdout != lab.printed:
                raise Failed(f"{what}, rebuilt: another table\n{lab.table(project).stdout}")
            lab.must(lab.command(project, "doctor", "--verify"), f"{what}: the check after the rebuild")
            return True
    return False


def truncations(lab):
    """The database, its log and the journal of an attempt are cut at every place."""
    at_rest = lab.project()
    lab.must(lab.run(at_rest), "a run")
    with_log = lab.project()
    lab.must(lab.run(with_log), "a run")
    reader = sqlite3.connect(with_log / ".lowbit/results.db")  # while it is open, the log stays
    reader.execute("SELECT count(*) FROM results").fetchone()
    lab.must(lab.run(with_log, "--force", "all", "--force", "judge"), "a forced run")
    kept = lab.project(with_log)
    reader.close()
    refused = whole = 0
    cuts = []
    for name, project, short in (("results.db", at_rest, 6), ("results.db", kept, 4), ("results.db-wal", kept, 6)):
        size = (project / ".lowbit" / name).stat().st_size
        page = 4096 if name == "results.db" else 4096 + 24
        places = {0, 1, 50, 99, 100, 101, size - 1}
        for begin in range(0, size, page):
            places |= {begin, begin + 1, begin + 20, begin + page // 2}
        places = sorted(p for p in places if p < size)
        cuts += [(name, project, p, size) for p in (places if lab.full else places[:: max(1, len(places) // short)])]
    for name, template, place, size in cuts:
        what = f"{name} cut to {place} of {size} bytes"
        project = lab.project(template)
        file = project / ".lowbit" / name
        lab.replace(file, file.read_bytes()[:place])
        if refused_or_whole(lab, project, what, earlier_allowed=name == "results.db-wal"):
            refused += 1
        else:
            whole += 1
        lab.recovers(project, what)
        lab.done(project)
    return f"{len(cuts)} cuts of the database and its log: {refused} refused and rebuilt, {whole} opened whole"


def journals(lab):
    """The journal of an attempt that ended while no host watched is cut at every byte."""
    template = lab.project()
    host = lab.start(template, *SLOW)
    deadline = time.monotonic() + 60
    journal = None
    while journal is None and time.monotonic() < deadline:
        try:
            for file in (template / ".lowbit/work").glob("*/a*/journal"):
                if b'"checkpoint"' in file.read_bytes():
                    journal = file
        except FileNotFoundError:
            pass  # it was published meanwhile
        time.sleep(0.005)
    host.kill()
    host.communicate()
    if journal is None:
        raise Failed("no attempt with a checkpoint was met")
    lab.no_children(template, "the last jobs of a killed host")
    if not journal.exists():
        raise Failed("the attempt was published before its host was killed")
    whole = journal.read_bytes()
    places = range(len(whole) + 1) if lab.full else range(0, len(whole) + 1, max(1, len(whole) // 8))
    for place in places:
        what = f"journal cut to {place} of {len(whole)} bytes"
        project = lab.project(template)
        lab.replace(project / journal.relative_to(template), whole[:place])
        # Curve points from before the checkpoint were in the journal alone; the run says so.
        lab.recovers(project, what, ignored=("curves",))
        lab.done(project)
    return f"{len(places)} cuts of a journal of {len(whole)} bytes"


def signals(lab):
    """SIGTERM, or two of them, at a random moment: the host ends, and leaves no process."""
    tries = 1000 // lab.every if lab.full else 20
    project = lab.project()
    ends = {}
    for i in range(tries):
        host = lab.start(project, *SLOW)
        time.sleep(random.uniform(0, 0.5))
        hard = i % 10 == 9
        host.send_signal(signal.SIGTERM)
        if hard:
            time.sleep(0.01)
            host.send_signal(signal.SIGTERM)
        try:
            text = host.communicate(timeout=60)[1]
        except subprocess.TimeoutExpired:
            host.kill()
            raise Failed(f"SIGTERM {i}: the host did not end within 60 s") from None
        status = host.returncode
        # Before it has begun to run anything, a host has nothing to stop and SIGTERM ends it.
        if status not in (0, 130, -signal.SIGTERM):
            raise Failed(f"SIGTERM {i}: ended with {status}\n{text}")
        lab.no_children(project, f"SIGTERM {i}")
        name = {0: "was done", 130: "stopped", -signal.SIGTERM: "had not begun"}[status] + (" (two signals)" if hard else "")
        ends[name] = ends.get(name, 0) + 1
        if status == 130 and not hard:
            with sqlite3.connect(f"file:{project}/.lowbit/results.db?mode=ro", uri=True) as db:
                if db.execute("SELECT count(*) FROM attempts WHERE state = 1").fetchone() != (0,):
                    raise Failed(f"SIGTERM {i}: an attempt still counts as running")
        if i % 25 == 24 or status == 0:
            lab.recovers(project, f"SIGTERM {i}")
            lab.done(project)
            project = lab.project()
    lab.recovers(project, "the last SIGTERM")
    return f"{tries} SIGTERM: " + ", ".join(f"{n} {name}" for name, n in sorted(ends.items()))


def clocks(lab):
    """The wall clock jumps years back and forth between runs and within them, of the host and of its jobs."""
    project = lab.project()
    year = 365 * 86400
    for number, (years, at) in enumerate(((30, 0), (-20, 0), (0, 0), (-5, 0), (40, 12), (-40, 25))):
        env = {"LD_PRELOAD": lab.failing_fs, "LOWBIT_FAULT_PRELOAD": lab.failing_fs, "LOWBIT_CLOCK": f"{years * year}@{at}"}
        force = ["--force", "answer", "--force", "mix"] if number else []
        lab.must(lab.run(project, *force, env=env), f"a run {years} years off")
    lab.same_tables(project, "clock jumps")
    current = f"SELECT e.label, r.attempt_id {LEADS_TO} ORDER BY 1"
    with sqlite3.connect(f"file:{project}/.lowbit/results.db?mode=ro", uri=True) as db:
        before = db.execute(current).fetchall()
        newest = db.execute(f"SELECT count(*) {LEADS_TO} WHERE r.attempt_id < (SELECT max(attempt_id) FROM attempts a "
                            "WHERE a.content_key = r.content_key)").fetchone()
    if newest != (0,):
        raise Failed("clock jumps: a result that was replaced is current")
    lab.must(lab.command(project, "doctor", "--rebuild"), "a rebuild after clock jumps")
    with sqlite3.connect(f"file:{project}/.lowbit/results.db?mode=ro", uri=True) as db:
        if db.execute(current).fetchall() != before:
            raise Failed("clock jumps: after a rebuild other results are current")
    lab.recovers(project, "clock jumps, rebuilt")
    return "6 runs, up to 80 years apart, in two of them the clock jumps on the way"


def read_only(lab):
    """A project that may only be read: tables are printed, a run is refused and says why."""
    project = lab.project()
    lab.must(lab.run(project), "a run")
    subprocess.run(["chmod", "-R", "a-w,a+rX", str(project)], check=True)
    lab.root.chmod(0o755)
    who = {"user": 65534, "group": 65534, "extra_groups": []} if os.getuid() == 0 else {}
    try:
        for words, status, expected in ((("table", ".", "--csv"), 0, None), (("status",), 0, None),
                                        (("doctor", "--verify"), 0, None),
                                        (("run", "experiment.yaml"), 3, ("LB6102", "LB6007")),
                                        (("gc",), 3, ("LB6102", "LB6007")), (("gc", "--dry-run"), 0, None),
                                        (("doctor", "--rebuild"), 3, ("LB6102", "LB6007"))):
            ended = lab.command(project, *words, **who)
            if ended.returncode != status or (expected and not any(code in ended.stderr for code in expected)):
                raise Failed(f"read-only: `lowbit {' '.join(words)}` ended with {ended.returncode}:\n{ended.stderr}")
    finally:
        subprocess.run(["chmod", "-R", "u+w", str(project)], check=True)
    return "7 commands"


def kills(lab):
    """kill -9 of hosts, shims and jobs at random moments: kill_anywhere.py."""
    n = max(240 // lab.every, 3)
    ended = subprocess.run([sys.executable, str(HERE / "kill_anywhere.py"), lab.lowbit, str(HERE / "killed/experiment.yaml"),
                            "--kills", str(n), "--seed", str(lab.seed)], capture_output=True, text=True, check=False)
    if ended.returncode != 0:
        raise Failed(ended.stderr)
    return ended.stdout.strip().replace("\n", "; ")


SECTIONS = {"file-system": file_system, "file-system-of-jobs": file_system_of_jobs, "failpoints": failpoints,
            "truncations": truncations, "journals": journals, "signals": signals, "clocks": clocks, "read-only": read_only, "kills": kills}
ONLY_FULL = {"kills"}  # ctest has them by themselves


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("lowbit")
    parser.add_argument("failing_fs")
    parser.add_argument("--full", action="store_true", help="every operation and every cut instead of samples")
    parser.add_argument("--every", type=int, default=1, help="with --full: only each N-th operation, begun by the seed")
    parser.add_argument("--section", action="append", choices=SECTIONS, help="only this one; repeatable")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--keep", action="store_true", help="leave the projects where they are after a failure")
    arguments = parser.parse_args()
    random.seed(arguments.seed)
    print(f"seed {arguments.seed}", flush=True)
    root = Path(tempfile.mkdtemp(prefix="lowbit-reliability-", dir=room())).resolve()
    failed = False
    try:
        lab = Lab(arguments, root)
        for name in arguments.section or [name for name in SECTIONS if arguments.full or name not in ONLY_FULL]:
            began = time.monotonic()
            try:
                print(f"{name}: {SECTIONS[name](lab)} ({time.monotonic() - began:.0f} s)", flush=True)
            except Failed as failure:
                failed = True
                print(f"FAILED (seed {arguments.seed}) {name}: {failure}", file=sys.stderr, flush=True)
        return 1 if failed else 0
    finally:
        if not (failed and arguments.keep):
            for project in root.iterdir():
                for pid, _ in list(processes(project)):
                    os.kill(pid, signal.SIGKILL)
            shutil.rmtree(root, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
