"""scripts/to-mlflow and scripts/to-wandb: what they send of a small results.db, to stand-ins of the clients that write down
what they are told. scripts/check-trackers does the same with the clients themselves."""

import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

STAND_IN_MLFLOW = '''
import json, os, types
FILE = os.environ["SENT"]

def load():
    return json.load(open(FILE)) if os.path.exists(FILE) else {"experiments": [], "runs": {}}

class exceptions: pass
class MlflowException(Exception): pass
class entities:
    Param = staticmethod(lambda key, value: [key, value])
    Metric = staticmethod(lambda key, value, timestamp, step: [key, value, timestamp, step])

def namespace(run_id, run):
    return types.SimpleNamespace(info=types.SimpleNamespace(run_id=run_id, status=run["status"]))

class MlflowClient:
    def __init__(self, tracking_uri):
        self.db = load()
    def save(self):
        json.dump(self.db, open(FILE, "w"))
    def get_experiment_by_name(self, name):
        known = name in self.db["experiments"]
        return types.SimpleNamespace(experiment_id=name) if known else None
    def create_experiment(self, name):
        self.db["experiments"].append(name)
        return name
    def search_runs(self, experiments, filter_string, max_results):
        return [namespace(i, r) for i, r in self.db["runs"].items()
                if filter_string == f"tags.`lowbit.id` = '{r['tags']['lowbit.id']}'"]
    def delete_run(self, run_id):
        del self.db["runs"][run_id]
        self.save()
    def create_run(self, experiment, start_time, run_name, tags):
        run_id = f"run{len(self.db['runs'])}"
        self.db["runs"][run_id] = {"status": "RUNNING", "experiment": experiment, "name": run_name, "tags": tags,
                                   "start": start_time, "params": [], "metrics": []}
        self.save()
        return namespace(run_id, self.db["runs"][run_id])
    def log_batch(self, run_id, metrics=(), params=()):
        if os.environ.get("BREAKS") and metrics:
            raise MlflowException("the server is full\\nTraceback")
        assert len(metrics) <= 1000 and len(params) <= 100
        self.db["runs"][run_id]["params"] += params
        self.db["runs"][run_id]["metrics"] += metrics
        self.save()
    def set_terminated(self, run_id, status, end_time):
        self.db["runs"][run_id].update(status=status, end=end_time)
        self.save()
'''

STAND_IN_WANDB = '''
import json, os
from pathlib import Path

class Error(Exception): pass
class errors:
    class CommError(Error): pass

def Settings(**_):
    return None

class Run:
    def __init__(self, **words):
        self.directory = Path(words["dir"]) / "wandb" / f"offline-run-0-{words['id']}"
        self.directory.mkdir(parents=True)
        self.words, self.rows, self.summary = words, [], {}
    def log(self, values, step):
        if os.environ.get("BREAKS"):
            raise Error("the disk is full")
        self.rows.append([step, values])
    def finish(self):
        words = {name: self.words[name] for name in ("project", "id", "name", "config", "mode")}
        (self.directory / "sent.json").write_text(json.dumps({**words, "rows": self.rows, "summary": self.summary}))

def init(**words):
    return Run(**words)
'''

ROWS = """
INSERT INTO experiments (experiment, file, expanded_at) VALUES ('study', 'study.yaml', '2026-01-01T00:00:00Z');
INSERT INTO runs VALUES (1, 'study', 'study.yaml', 'lowbit run', '{}', 1, '2026-01-01T00:00:00Z', NULL, NULL, NULL, '{}');
"""


def add_result(db, number, label, coordinates, key, metrics, curves, params):
    stage = label.split("[")[0]
    record = {"plugin": {"id": "lowbit.rtn", "version": "1"}, "inputs": {"model": {"digest": "ab", "type": "model/1"}}}
    db.execute("INSERT INTO expansions VALUES (?, 'study', ?, ?, ?, ?, 'lowbit.rtn', ?, '{}')",
               (number, number, stage, label, json.dumps(coordinates), f"p{number}"))
    db.execute("INSERT INTO provenance VALUES (?, ?)", (f"p{number}", key))
    db.execute("INSERT INTO attempts VALUES (?, 1, ?, ?, 1, 'n', 'd', ?, 2, '2026-01-01T00:00:01Z', "
               "'2026-01-01T00:00:02Z', 1, NULL, NULL)", (number, key, f"p{number}", label))
    db.execute("INSERT INTO results VALUES (?, ?, 1, ?, 'lowbit.rtn', 'quantizer', 'x', 'x', '{}', ?, 'd', "
               "'2026-01-01T00:00:02.500Z', 1)", (number, key, number, json.dumps(record)))
    db.executemany("INSERT INTO metrics VALUES (?, ?, ?, ?, ?, ?)", [(number, *row) for row in metrics])
    db.executemany("INSERT INTO curves VALUES (?, ?, ?, 'nats', ?, NULL, 0)", [(number, *row) for row in curves])
    db.executemany("INSERT INTO params VALUES (?, ?, ?)", [(number, *row) for row in params])


class Sent(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.addCleanup(self.directory.cleanup)
        self.root = Path(self.directory.name)
        (self.root / ".lowbit").mkdir()
        self.db = self.root / ".lowbit" / "results.db"
        db = sqlite3.connect(self.db)
        migrations = sorted((ROOT / "schemas/migrations").glob("*.sql"))
        db.executescript("".join(file.read_text(encoding="utf-8") for file in migrations) + ROWS)
        db.execute("PRAGMA application_id = 1819244386")
        db.execute(f"PRAGMA user_version = {len(migrations)}")
        add_result(db, 1, "quantize[num_bits=3,seed=7]", {"num_bits": 3, "seed": 7}, "k1",
                   [("tiny/perplexity/token@94", "ratio", 5.25, 0.125, 40), ("weights/nmse", "ratio", 0.5, None, 0),
                    ("x/nothing", "score", None, None, 0)],
                   [("train/loss", step, 4.0 / (step + 1)) for step in range(1500)] + [("grad", 2, 1.5), ("grad", 3, None)],
                   [("layers", '["q","k"]'), ("note", "[unfinished"), ("num_bits", 3), ("text", "y" * 7000)])
        add_result(db, 2, "score", {}, "k2", [("tiny/accuracy", "fraction", 0.75, None, 0)], [], [])
        db.commit()
        db.close()

    def run_script(self, script, *words, client=None, **environment):
        stand_ins = self.root / "stand-ins"
        stand_ins.mkdir(exist_ok=True)
        if client == "mlflow":
            (stand_ins / "mlflow").mkdir(exist_ok=True)
            (stand_ins / "mlflow/__init__.py").write_text(STAND_IN_MLFLOW)
            (stand_ins / "mlflow/exceptions.py").write_text("from mlflow import MlflowException")
        if client == "wandb":
            (stand_ins / "wandb.py").write_text(STAND_IN_WANDB)
        settings = {**os.environ, "PYTHONPATH": str(stand_ins), "SENT": str(self.root / "sent.json"), **environment}
        settings.pop("MLFLOW_TRACKING_URI", None)
        flags = [] if client else ["-S"]  # without the packages of this machine
        return subprocess.run([sys.executable, *flags, str(ROOT / "scripts" / script), *words], cwd=self.root, text=True,
                              env=settings, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)

    def to_mlflow(self, *words, **environment):
        return self.run_script("to-mlflow", "--tracking-uri", "here", *words, client="mlflow", **environment)

    def to_wandb(self, *words, **environment):
        return self.run_script("to-wandb", "--offline", *words, client="wandb", **environment)

    def sent(self):
        return list(json.loads((self.root / "sent.json").read_text())["runs"].values())

    def wandb_runs(self):
        return [json.loads(file.read_text()) for file in sorted(self.root.glob("wandb/*/sent.json"))]

    def assert_refused(self, done, code, *words):
        self.assertEqual(done.returncode, code, done.stderr)
        for word in words:
            self.assertIn(word, done.stderr)

    def test_mlflow_gets_every_value(self):
        self.assertEqual(self.to_mlflow().stdout, "2 runs sent, 0 there already\n")
        first, second = self.sent()
        self.assertEqual((first["experiment"], first["name"], first["status"]),
                         ("study", "quantize[num_bits=3,seed=7]", "FINISHED"))
        self.assertEqual((first["start"], first["end"]), (1767225601000, 1767225602500))
        params = dict(first["params"])
        self.assertEqual({name: params[name] for name in ("num_bits", "layers", "note", "axis/num_bits", "axis/seed")},
                         {"num_bits": "3", "layers": '["q", "k"]', "note": "[unfinished", "axis/num_bits": "3",
                          "axis/seed": "7"})
        self.assertEqual(len(params["text"]), 6000)
        self.assertTrue(params["text"].endswith("yy ... (7000 characters)"))
        final = {name: value for name, value, _, step in first["metrics"] if not name.startswith("curves/")}
        self.assertEqual(final, {"tiny/perplexity/token_at_94": 5.25, "tiny/perplexity/token_at_94/std_error": 0.125,
                                 "tiny/perplexity/token_at_94/count": 40.0, "weights/nmse": 0.5})
        loss = [(step, value) for name, value, _, step in first["metrics"] if name == "curves/train/loss"]
        self.assertEqual(loss, [(step, 4.0 / (step + 1)) for step in range(1500)])
        self.assertEqual([m for m in first["metrics"] if m[0] == "curves/grad"], [["curves/grad", 1.5, 1767225602500, 2]])
        self.assertEqual(first["tags"]["lowbit.content_key"], "k1")
        self.assertEqual(first["tags"]["lowbit.plugin"], "lowbit.rtn")
        self.assertEqual(first["tags"]["lowbit.inputs"], '{"model": "ab"}')
        self.assertEqual(second["tags"]["lowbit.stage"], "score")

    def test_mlflow_gets_nothing_twice(self):
        self.to_mlflow()
        before = (self.root / "sent.json").read_text()
        self.assertEqual(self.to_mlflow().stdout, "0 runs sent, 2 there already\n")
        self.assertEqual((self.root / "sent.json").read_text(), before)

    def test_a_new_result_of_a_variant_is_a_new_run(self):
        self.to_mlflow()
        with sqlite3.connect(self.db) as db:
            db.execute("UPDATE results SET ended_at = '2026-02-01T00:00:00Z' WHERE result_id = 2")
        self.assertEqual(self.to_mlflow().stdout, "1 runs sent, 1 there already\n")

    def test_what_was_broken_off_is_sent_anew(self):
        self.assert_refused(self.to_mlflow(BREAKS="1"), 1, "error: MLflow refused a run", "note: the server is full\n")
        self.assertEqual([run["status"] for run in self.sent()], ["RUNNING"])
        self.assertEqual(self.to_mlflow().stdout, "2 runs sent, 0 there already\n")
        self.assertEqual([run["status"] for run in self.sent()], ["FINISHED"] * 2)

        self.assert_refused(self.to_wandb(BREAKS="1"), 1, "error: wandb refused a run", "note: the disk is full\n")
        self.assertEqual(self.to_wandb().stdout, "2 runs written, 0 there already\n")
        self.assertEqual(len(list(self.root.glob("wandb/*"))), 2)

    def test_names_that_become_one_are_refused(self):
        with sqlite3.connect(self.db) as db:
            db.execute("INSERT INTO metrics VALUES (2, 'tiny(accuracy', 'x', 1, NULL, 0), (2, 'tiny)accuracy', 'x', 1, NULL, 0)")
        self.assert_refused(self.to_mlflow(), 1, "have the same name in MLflow", "`tiny(accuracy` and `tiny)accuracy`")

    def test_wandb_gets_every_value(self):
        self.assertEqual(self.to_wandb().stdout, "2 runs written, 0 there already\n")
        runs = {run["name"]: run for run in self.wandb_runs()}
        run = runs["quantize[num_bits=3,seed=7]"]
        self.assertEqual((run["project"], run["mode"]), ("study", "offline"))
        self.assertEqual(run["config"]["lowbit.id"], run["id"])
        self.assertEqual(run["config"]["layers"], ["q", "k"])
        self.assertEqual(run["config"]["axis/seed"], 7)
        self.assertEqual(run["summary"]["tiny/perplexity/token@94"], 5.25)
        self.assertEqual(run["summary"]["tiny/perplexity/token@94/std_error"], 0.125)
        self.assertEqual(run["rows"][2], [2, {"curves/grad": 1.5, "curves/train/loss": 4.0 / 3}])
        self.assertEqual([step for step, _ in run["rows"]], list(range(1500)))
        self.assertEqual(runs["score"]["rows"], [])

    def test_wandb_gets_nothing_twice(self):
        self.to_wandb()
        self.assertEqual(self.to_wandb().stdout, "0 runs written, 2 there already\n")
        self.assertEqual(len(self.wandb_runs()), 2)

    def test_a_dry_run_says_what_would_be_sent_and_needs_no_client(self):
        for script in ("to-mlflow", "to-wandb"):
            done = self.run_script(script, "--dry-run", "--stage", "score")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn("study  score: 0 parameters, 1 metrics, 0 points of 0 curves\n1 runs; nothing was sent\n",
                          done.stdout)
        self.assertFalse((self.root / "sent.json").exists())

    def test_without_its_client_a_script_says_how_to_get_it(self):
        self.assert_refused(self.run_script("to-mlflow", "--tracking-uri", "here"), 3, "mlflow is missing",
                            "pip install mlflow")
        for client in ("wandb", "trackio"):
            self.assert_refused(self.run_script("to-wandb", "--client", client), 3, f"{client} is missing",
                                f"pip install {client}")

    def test_bad_arguments_are_refused(self):
        self.assert_refused(self.run_script("to-mlflow", client="mlflow"), 2, "not known where to send", "--tracking-uri")
        self.assert_refused(self.to_mlflow("--stage", "scores"), 2, "no stage `scores`", "quantize, score")
        self.assert_refused(self.to_mlflow("--experiment", "other"), 2, "no experiment `other`", "there are study")
        self.assert_refused(self.to_mlflow("nowhere"), 2, "cannot read `nowhere`")
        self.assert_refused(self.run_script("to-wandb", "--client", "trackio", "--offline"), 2, "are for wandb")

    def test_a_file_of_another_kind_or_version_is_refused(self):
        (self.root / "a.db").write_text("no database at all, but long enough to be read as the header of one" * 20)
        self.assert_refused(self.to_mlflow("a.db"), 2, "cannot read `a.db`")
        with sqlite3.connect(self.root / "b.db") as db:
            db.execute("CREATE TABLE t (x)")
        self.assert_refused(self.to_mlflow("b.db"), 2, "it is no results.db of lowbit")
        with sqlite3.connect(self.db) as db:
            db.execute("PRAGMA user_version = 99")
        self.assert_refused(self.to_mlflow(), 2, "has schema version 99, this script reads 2")

    def test_without_results_there_is_nothing_to_send(self):
        with sqlite3.connect(self.db) as db:
            db.execute("DELETE FROM provenance")
        self.assert_refused(self.to_wandb(), 2, "has no results to send")

    def test_the_project_is_not_changed(self):
        before = {file.name: file.read_bytes() for file in (self.root / ".lowbit").iterdir()}
        self.to_mlflow()
        self.to_wandb()
        self.assertEqual({file.name: file.read_bytes() for file in (self.root / ".lowbit").iterdir()}, before)


if __name__ == "__main__":
    unittest.main()
