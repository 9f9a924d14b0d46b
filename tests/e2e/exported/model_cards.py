"""Model cards and eval_results.yaml, by a reader of just so much YAML as they are written in: blocks of maps and lists,
indented by two, with scalars that are JSON."""
import json
import re


def read_yaml(text):
    lines = [(len(line) - len(line.lstrip()), line.strip()) for line in text.splitlines()
             if line.strip() and not line.strip().startswith("#")]

    def block(at, indent):
        """The value whose lines stand at `indent`, and the line behind it."""
        value = [] if lines[at][1].startswith("- ") else {}
        while at < len(lines) and lines[at][0] == indent:
            line = lines[at][1]
            if isinstance(value, list):
                if not line.startswith("- "):
                    break
                lines[at] = (indent + 2, line[2:])
                item, at = block(at, indent + 2)
                value.append(item)
                continue
            if line.startswith("- "):
                break
            name, _, scalar = line.partition(":")
            assert name not in value, line
            at += 1
            if scalar:
                value[name] = json.loads(scalar)
            else:  # the members of a list may stand as deep as its name
                value[name], at = block(at, lines[at][0])
        return value, at

    value, behind = block(0, 0)
    assert behind == len(lines), lines[behind]
    return value


def check_index(study, card, directory):
    metadata = read_yaml(card.split("---\n")[1])
    assert list(metadata) == ["model-index"], metadata
    index, = metadata["model-index"]
    assert directory == re.sub(r"[\"<>:/|\\?*\[\]]+", "__", index["name"])
    result, = index["results"]
    assert result["dataset"] == {"type": "org/sums", "name": "toy-sums"}, result
    label = "answer" + index["name"].removeprefix("round")
    (value, std_error), = study.db.execute(
        "SELECT value, std_error FROM v_results WHERE label = ? AND metric = 'toy-sums/accuracy'", (label,))
    metric, = result["metrics"]
    assert metric["type"] == "accuracy" and metric["value"] == value, metric
    assert f"standard error {std_error:.4g}, n = 7" in metric["name"], metric
    return index["name"], value


def check_cards(study, out):
    names = {}
    for readme in out.glob("*/README.md"):
        name, value = check_index(study, readme.read_text(encoding="utf-8"), readme.parent.name)
        names[name] = value
        entry, = read_yaml((readme.parent / "eval_results.yaml").read_text(encoding="utf-8"))
        assert entry["dataset"] == {"id": "org/sums", "task_id": "plain"} and entry["value"] == value, entry
        levels = re.search(r"levels=(\d)", name)[1]
        body = readme.read_text(encoding="utf-8").split("---\n", 2)[2]
        assert "- Quantization: lowbit.toy.round 1.0.0" in body and f"levels {levels}" in body, body
        assert f"- Made by: {name} (lowbit.toy.round 1.0.0) ← model (lowbit.toy.model 1.0.0)" in body, body
    assert sorted(names) == ["round[levels=1]", "round[levels=7]"], names


MINE = "---\nlicense: mit\n# lowbit:model-index\nold\n# lowbit:end\n---\n# Mine\n<!-- lowbit:results -->\nold\n<!-- lowbit:end -->\nend"


def check_patches(study):
    card = study.project / "card.md"
    words = ("export", "exported", "--format", "hf-card", "--dataset", "toy-sums=org/sums:plain", "--into", "card.md")
    card.write_text(MINE)
    assert "error[LB7072]" in study.run(*words).stderr  # two models
    assert card.read_text() == MINE
    ended = study.run(*words, "--only", "answer[levels=7*")
    assert ended.returncode == 0, ended.stderr
    text = card.read_text(encoding="utf-8")
    assert text.startswith("---\nlicense: mit\n# lowbit:model-index\n") and "old" not in text
    assert text.endswith("<!-- lowbit:end -->\nend") and "\n# lowbit:end\n---\n# Mine\n<!-- lowbit:results -->\n" in text
    name, _ = check_index(study, text.replace("license: mit\n", ""), "round__levels=7__")
    assert name == "round[levels=7]"
    again = study.run(*words, "--only", "answer[levels=7*")
    assert again.returncode == 0 and "which it had" in again.stdout and card.read_text(encoding="utf-8") == text
    card.write_text("# no place\n")
    assert "error[LB7071]" in study.run(*words, "--only", "answer[levels=7*").stderr
    assert card.read_text() == "# no place\n"
