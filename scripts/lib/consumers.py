"""The tools of scripts/check-interchange: each reads an export of its format, and what it reads is compared with results.db.

usage: consumers.py PROJECT EXPERIMENT DIRECTORY-OF-EXPORTS
"""
import collections
import contextlib
import importlib.metadata
import io
import json
import math
import os
import sqlite3
import struct
import sys
import traceback
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"


class NotChecked(Exception):
    """The tool could not reach what it needs."""


class Export:
    def __init__(self, project, experiment, directory):
        self.at = directory
        self.experiment = experiment
        self.db = sqlite3.connect(f"file:{project}/.lowbit/results.db?mode=ro", uri=True)

    def ask(self, sql, *values):
        return self.db.execute(sql, values).fetchall()


def float32(value):
    return struct.unpack("<f", struct.pack("<f", math.nan if value is None else value))[0]


def same(a, b):
    return a == b or (math.isnan(a) and math.isnan(b))


def pandas(export):
    import pandas

    wanted = export.ask("SELECT label, metric, value FROM v_results WHERE experiment = ? ORDER BY 1, 2", export.experiment)
    for read, form in ((pandas.read_csv, "csv"), (lambda file: pandas.read_json(file, lines=True, precise_float=True), "jsonl")):
        table = read(export.at / form / f"results.{form}")
        table = table[table.metric.notna()].sort_values(["label", "metric"])
        assert list(zip(table.label, table.metric)) == [row[:2] for row in wanted]
        for found, (_, metric, value) in zip(table.value, wanted):
            value = math.nan if value is None else value
            assert same(found, value) or math.isclose(found, value, rel_tol=1e-14), (metric, found, value)
    predictions = pandas.read_json(export.at / "csv" / "predictions.jsonl", lines=True)
    (n_items,), = export.ask("SELECT count(*) FROM predictions WHERE result_id IN "
                             "(SELECT result_id FROM v_stages WHERE experiment = ?)", export.experiment)
    assert len(predictions) == n_items
    return f"{len(wanted)} metrics, {n_items} predictions"


def lm_eval(export):
    from datasets import load_dataset
    from lm_eval import utils

    files = [str(file) for file in export.at.glob("lm-eval/*/*")]
    results, samples = utils.get_results_filenames(files), utils.get_sample_results_filenames(files)
    assert results and samples and len(results) + len(samples) == len(files)
    n_values = 0
    for name in results:
        document = json.loads(Path(name).read_text(encoding="utf-8"))
        assert utils.sanitize_model_name(document["model_name"]) == Path(name).parent.name
        rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in utils.make_table(document).splitlines()[2:]]
        printed = {}
        for row in rows:
            task = row[0] or task
            printed[task, row[4]] = float(row[6])
        for task, metrics in document["results"].items():
            for key, value in metrics.items():
                if not key.endswith(",none") or "_stderr" in key:
                    continue
                assert abs(printed[task, key.removesuffix(",none")] - value) <= 5e-5, (task, key, rows)
                stored = document["lowbit"]["metrics"][task][key.removesuffix(",none")]["name"]
                (wanted,), = export.ask("SELECT value FROM metrics JOIN results USING (result_id) WHERE is_current AND "
                                        "content_key = ? AND name = ?", document["lowbit"]["content_key"], stored)
                assert wanted == value
                n_values += 1
    n_samples = 0
    for name in samples:
        task, time = utils.get_file_task_name(Path(name).name), utils.get_file_datetime(Path(name).name)
        document = json.loads((Path(name).parent / f"results_{time}.json").read_text(encoding="utf-8"))
        rows = load_dataset("json", data_files=name, split="train", cache_dir=str(export.at / "cache"))
        hashes = ""
        for row, line in zip(rows, open(name, encoding="utf-8"), strict=True):
            document_text = json.dumps(json.loads(line)["doc"], indent=2, ensure_ascii=False)
            assert row["doc_hash"] == utils.hash_string(document_text)
            assert row["target_hash"] == utils.hash_string(row["target"])
            hashes += row["doc_hash"] + row["prompt_hash"] + row["target_hash"]
        assert document["task_hashes"][task] == utils.hash_string(hashes)
        assert len(rows) == document["n-samples"][task]["effective"]
        n_samples += len(rows)
    return f"make_table of {len(results)} files with {n_values} values; {n_samples} samples by datasets"


def tensorboard(export):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    n_runs = n_scalars = 0
    for label, result in export.ask("SELECT label, result_id FROM v_stages WHERE experiment = ? AND result_id NOTNULL",
                                    export.experiment):
        stage, _, point = label.partition("[")
        runs = [file for file in export.at.glob(f"tensorboard/{stage}/**/events.out.tfevents.*")
                if (file.parent.name == point.removesuffix("]") if point else file.parent.name == stage)]
        wanted = collections.defaultdict(list)
        for name, step, value in export.ask("SELECT name, step, value FROM curves WHERE result_id = ? ORDER BY 1, 2", result):
            wanted[name].append((step, float32(value)))
        last = max((points[-1][0] for points in wanted.values()), default=0)
        for name, value in export.ask("SELECT name, value FROM metrics WHERE result_id = ?", result):
            wanted["final/" + name].append((last, float32(value)))
        if not wanted:
            assert not runs
            continue
        if not runs and any(not (c.isalnum() or c in "._-=,+@") for c in point.removesuffix("]")):
            continue  # named by a digest
        run, = runs
        read = EventAccumulator(str(run.parent), size_guidance={"scalars": 0})
        read.Reload()
        assert set(read.Tags()["scalars"]) == set(wanted), (label, read.Tags()["scalars"])
        for tag, points in wanted.items():
            found = read.Scalars(tag)
            assert [event.step for event in found] == [step for step, _ in points], (label, tag)
            assert all(same(event.value, value) for event, (_, value) in zip(found, points)), (label, tag)
            n_scalars += len(points)
        n_runs += 1
    assert n_runs
    return f"{n_runs} runs, {n_scalars} scalars by EventAccumulator"


def huggingface_hub(export):
    import yaml
    from huggingface_hub import ModelCard, parse_eval_result_entries

    n_results = n_entries = 0
    for readme in export.at.glob("hf-card/*/README.md"):
        card = ModelCard(readme.read_text(encoding="utf-8"))
        assert card.data.model_name and "## Evaluation" in card.text and "Quantization:" in card.text
        shown = [line for line in card.text.splitlines() if line.startswith("| ")][2:]
        assert len(shown) == len(card.data.eval_results)
        for result in card.data.eval_results:
            known = export.ask("SELECT 1 FROM v_results WHERE experiment = ? AND value = ? AND metric LIKE ? || '/%'",
                               export.experiment, result.metric_value, result.dataset_name)
            assert known, result
            n_results += 1
        assert ModelCard(card.content).data.to_dict() == card.data.to_dict()
        entries = parse_eval_result_entries(yaml.safe_load((readme.parent / "eval_results.yaml").read_text(encoding="utf-8")))
        values = {result.metric_value for result in card.data.eval_results}
        assert entries and all(entry.value in values and entry.date and entry.notes for entry in entries)
        n_entries += len(entries)
    assert n_results
    return f"{n_results} results by ModelCard, {n_entries} entries by parse_eval_result_entries"


def rocrate(export):
    from rocrate.rocrate import ROCrate

    crate = ROCrate(str(export.at / "ro-crate"))
    assert crate.mainEntity.id == "experiment.yaml" and "ComputationalWorkflow" in crate.mainEntity.type
    actions = [entity for entity in crate.get_entities() if entity.type == "CreateAction"]
    wanted = export.ask("SELECT DISTINCT content_key FROM results JOIN v_stages USING (result_id) WHERE experiment = ?",
                        export.experiment)
    assert {action.id for action in actions} == {"#run"} | {"#action-" + key for key, in wanted}
    for action in actions:
        assert action["instrument"].type is not None and action["startTime"] <= action["endTime"]
    crate.write(export.at / "rewritten")
    assert (export.at / "rewritten" / "experiment.yaml").read_bytes() == (export.at / "ro-crate" / "experiment.yaml").read_bytes()
    return f"{len(actions)} actions read and written again"


def roc_validator(export):
    from rocrate_validator import services
    from rocrate_validator.models import Severity, ValidationSettings

    settings = ValidationSettings(rocrate_uri=str(export.at / "ro-crate"), profile_identifier="provenance-run-crate",
                                  requirement_severity=Severity.REQUIRED)
    try:
        result = services.validate(settings)
    except Exception as e:
        if "urlopen" in str(e) or "Max retries" in str(e):
            raise NotChecked("the contexts at w3id.org cannot be reached") from e
        raise
    issues = [str(issue.message) for issue in result.get_issues(Severity.REQUIRED)]
    assert result.passed(), issues[:5]
    return "a valid Provenance Run Crate 0.5: all that is required"


CONSUMERS = [("pandas", pandas), ("lm_eval", lm_eval), ("tensorboard", tensorboard), ("huggingface_hub", huggingface_hub),
             ("rocrate", rocrate), ("roc-validator", roc_validator)]


def main():
    export = Export(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]))
    failed = 0
    for name, check in CONSUMERS:
        said = io.StringIO()
        try:
            with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
                what = check(export)
            verdict = "PASS"
        except NotChecked as e:
            verdict, what = "NOT CHECKED", str(e)
        except Exception:
            verdict, what = "FAIL", said.getvalue() + traceback.format_exc()
            failed += 1
        print(f"{verdict}  {name} {importlib.metadata.version(name)}: {what}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
