"""The stages of experiment.yaml that no toy plugin offers: grades, and a training that has curves and fails once."""
import json
import os
import shutil
from pathlib import Path

job = json.load(open(os.environ["LOWBIT_JOB"]))
args = job["args"]
if args["make"] == "grades":
    lines = open(os.path.join(job["inputs"]["data"][0]["path"], "predictions.jsonl")).read().splitlines()
    with open(os.path.join(job["outputs"]["grades"], "grades.jsonl"), "w") as out:
        for line in map(json.loads, lines):
            out.write(json.dumps({"item_id": line["item_id"], "problem_id": line["problem_id"],
                                  "correct": line["correct"], "graded": line["correct"], "source": "prediction",
                                  "category": None, "type": None, "first_error_step": None,
                                  "decision_id": None}) + "\n")
else:
    if args["levels"] == 7 and args["seed"] == 4:
        raise SystemExit("this variant fails, so that an export has one that failed")
    with open(job["events"], "a") as events:
        for step in range(0, 31, 10):
            value = None if step == 20 else 1.0 / (1 + step) + args["seed"] / 1024
            events.write(json.dumps({"metric": {"name": "train/loss", "unit": "nats", "value": value,
                                                "step": step}}) + "\n")
        for step in range(5):
            events.write(json.dumps({"metric": {"name": "x/text, „quoted“", "unit": "ratio", "value": step / 3,
                                                "step": step}}) + "\n")
        events.write(json.dumps({"metric": {"name": "train/loss", "unit": "nats", "value": 0.1 + args["levels"]}}) + "\n")
        events.write(json.dumps({"metric": {"name": "train/optimizer_steps", "unit": "steps", "value": 30}}) + "\n")
    for file in Path(job["inputs"]["model"][0]["path"]).iterdir():
        shutil.copy(file, job["outputs"]["trained"])
