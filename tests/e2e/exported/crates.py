"""Whether an RO-Crate says of every result what results.db does, and refers to nothing that it does not hold."""
import hashlib
import json
from datetime import datetime


def many(value):
    return [] if value is None else value if isinstance(value, list) else [value]


def references(value):
    if isinstance(value, dict):
        if set(value) == {"@id"}:
            yield value["@id"]
        for part in value.values():
            yield from references(part)
    elif isinstance(value, list):
        for part in value:
            yield from references(part)


def when(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def check_action(study, entities, row, seeds):
    action = entities["#action-" + row["content_key"]]
    assert action["@type"] == "CreateAction"
    started, = study.db.execute("SELECT started_at FROM attempts WHERE attempt_id = ?", (row["attempt_id"],)).fetchone()
    assert when(action["startTime"]) == when(started) and when(action["endTime"]) == when(row["ended_at"])
    tool = entities[action["instrument"]["@id"]]
    assert tool["identifier"] == "sha256:" + row["plugin_digest"] and tool["name"] == row["plugin"]
    objects = [entities[one["@id"]] for one in many(action.get("object"))]
    inputs = {one["identifier"] for one in objects if one["@type"] == "Collection"}
    record = json.loads(row["content_record"])["inputs"]
    assert inputs == {"sha256:" + bound["digest"] for bound in record.values()}, (inputs, record)
    values = {one["name"]: one["value"] for one in objects if one["@type"] == "PropertyValue"}
    assert values.pop("seed", None) in seeds, values
    assert values == dict(study.db.execute("SELECT name, value FROM params WHERE result_id = ?", (row["result_id"],)))
    results = [entities[one["@id"]] for one in many(action.get("result"))]
    assert {one["identifier"] for one in results if one["@type"] == "Collection"} == {
        "sha256:" + digest for digest, in study.db.execute(
            "SELECT digest FROM artifacts WHERE result_id = ?", (row["result_id"],))}
    assert {one["name"]: one["value"] for one in results if one["@type"] == "PropertyValue"} == dict(
        study.db.execute("SELECT name, value FROM metrics WHERE result_id = ? AND value IS NOT NULL", (row["result_id"],)))


def check_crate(study, out, as_csv):
    document = json.loads((out / "ro-crate-metadata.json").read_text(encoding="utf-8"))
    entities = {entity["@id"]: entity for entity in document["@graph"]}
    assert len(entities) == len(document["@graph"])
    open_ends = {end for end in references(document["@graph"]) if end not in entities and not end.startswith("https://")}
    assert not open_ends, open_ends
    root = entities["./"]
    assert root["license"] == "CC0-1.0" and root["mainEntity"] == {"@id": "experiment.yaml"}
    assert {part["@id"] for part in root["hasPart"]} == {"experiment.yaml", "results.csv", "params.csv"}
    for part in root["hasPart"]:
        assert (out / part["@id"]).is_file()
    assert hashlib.sha256((out / "experiment.yaml").read_bytes()).digest() == hashlib.sha256(
        (study.project / "experiment.yaml").read_bytes()).digest()
    for table in ("results.csv", "params.csv"):
        assert (out / table).read_bytes() == (as_csv / table).read_bytes()
    rows = study.rows("SELECT r.*, s.seed FROM results r JOIN v_stages s USING (result_id)")
    by_result = {row["result_id"]: row for row in rows}
    for row in by_result.values():
        check_action(study, entities, row, {other["seed"] for other in rows if other["result_id"] == row["result_id"]})
    actions = [entity for entity in entities.values() if entity["@type"] == "CreateAction"]
    assert len(actions) == len(by_result) + 1  # and that of the whole run
    assert len(entities["#orchestration"]["object"]) == len(by_result)
    run = entities["#run"]
    assert when(run["endTime"]) == max(when(row["ended_at"]) for row in by_result.values())
    steps = {entity["name"] for entity in entities.values() if entity["@type"] == "HowToStep"}
    assert steps == {"model", "task", "round", "answer", "judge", "grade", "train"}, steps
