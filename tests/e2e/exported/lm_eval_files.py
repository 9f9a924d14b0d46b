"""Whether an export holds what lm-evaluation-harness 0.4 writes, by the rules of its source."""
import hashlib
import json
import re


def sha256(text):
    return hashlib.sha256(text.encode()).hexdigest()


def check_results(study, file, row):
    document = json.loads(file.read_text(encoding="utf-8"))
    assert {"results", "group_subtasks", "configs", "versions", "n-shot", "higher_is_better", "n-samples", "config",
            "git_hash", "date", "task_hashes", "model_name", "model_name_sanitized", "lowbit"} <= document.keys()
    levels = json.loads(row["axes"])["levels"]
    assert document["model_name"] == f"round[levels={levels}]", document["model_name"]
    # The harness makes the directory's name of the model's like this.
    assert file.parent.name == re.sub(r"[\"<>:/|\\?*\[\]]+", "__", document["model_name"])
    wanted = {f"{metric}{end},none": value for metric, value, std_error in study.db.execute(
        "SELECT 'acc', value, std_error FROM metrics WHERE result_id = ? AND name = 'toy-sums/accuracy'",
        (row["result_id"],)) for end, value in (("", value), ("_stderr", std_error))}
    found = document["results"]["toy-sums"]
    assert wanted and wanted.items() <= found.items(), (found, wanted)
    assert found["alias"] == "toy-sums" and found["sample_len"] == 7
    assert document["n-samples"]["toy-sums"] == {"original": 7, "effective": 7}
    assert document["higher_is_better"]["toy-sums"] == {"acc": True}
    assert document["n-shot"]["toy-sums"] == 0
    assert document["configs"]["toy-sums"]["output_type"] == "generate_until"
    key, ended = study.db.execute("SELECT content_key, ended_at FROM results WHERE result_id = ?",
                                  (row["result_id"],)).fetchone()
    assert document["lowbit"]["content_key"] == key
    assert file.name == f"results_{ended.replace(':', '-')}.json"
    return document


def check_samples(study, document, results, row):
    file = results.with_name(results.name.replace("results_", "samples_toy-sums_") + "l")
    samples = [json.loads(line) for line in open(file, encoding="utf-8")]
    stored = study.rows("SELECT item_id, fields FROM predictions WHERE result_id = ? ORDER BY prediction_id",
                        row["result_id"])
    assert [sample["doc"]["item_id"] for sample in samples] == [item["item_id"] for item in stored]
    hashes = ""
    for i, (sample, item) in enumerate(zip(samples, stored)):
        fields = json.loads(item["fields"])
        assert sample["doc_id"] == i and sample["filter"] == "none" and sample["metrics"] == ["acc"]
        assert sample["resps"] == [[fields["text"]]] and sample["filtered_resps"] == [fields["extracted"]]
        assert sample["acc"] == float(fields["correct"])
        assert sample["doc"]["problem"] == f"{i} + {i}" and sample["target"] == str(2 * i)
        assert sample["doc_hash"] == sha256(json.dumps(sample["doc"], indent=2, ensure_ascii=False))
        assert sample["prompt_hash"] == fields["prompt_sha"] and sample["target_hash"] == sha256(sample["target"])
        hashes += sample["doc_hash"] + sample["prompt_hash"] + sample["target_hash"]
    assert document["task_hashes"]["toy-sums"] == sha256(hashes)
    mean = sum(sample["acc"] for sample in samples) / len(samples)
    assert abs(mean - document["results"]["toy-sums"]["acc,none"]) < 1e-12


def check_lm_eval(study, out):
    rows = study.rows("SELECT * FROM v_stages WHERE stage = 'answer'")
    files = sorted(out.glob("*/results_*.json"))
    assert len(files) == len(rows) == 2, files
    by_key = {document["lowbit"]["label"]: file for file in files for document in [json.loads(file.read_text())]}
    for row in rows:
        file = by_key[row["label"]]
        check_samples(study, check_results(study, file, row), file, row)
