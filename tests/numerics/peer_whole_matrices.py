#!/usr/bin/env python3
"""Loads adapters that lowbit trained with embedding_training full into PEFT, beside lowbit.merge. Needs the packages peft, transformers and torch;
not part of the tests.

    python3 tests/numerics/peer_whole_matrices.py DIR --lowbit PROGRAM MODEL...

Each MODEL is a Hugging Face directory of the LLaMA family with a tokenizer of texts, tied or not. DIR is made. Six steps are trained, the adapter is exported
in PEFT's form and merged; printed is the largest difference between the logits of PEFT's model and of the merged one, and, that the comparison says something,
of PEFT's model and the base. Exit code 1 when the first is above 1e-4.
"""
import argparse
import json
import pathlib
import sqlite3
import subprocess
import sys

EXPERIMENT = """experiment: whole-matrices
inputs:
  model: {{type: model/1, path: "{model}"}}
  data: {{type: file, path: records.json}}
stages:
  - {{id: pairs, use: lowbit.instruction-records, with: {{records: inputs.data, model: inputs.model}}, params: {{template: alpaca}}}}
  - id: align
    use: lowbit.sft
    with: {{model: inputs.model, data: pairs.pairs}}
    params: {{steps: 6, batch_size: 4, learning_rate: 1e-3, rank: 4, embedding_training: full}}
  - {{id: merge, use: lowbit.merge, with: {{model: align.trained}}, params: {{dtype: float32}}}}
  - {{id: peft, use: lowbit.export, with: {{model: align.trained}}, params: {{format: peft, base_model: "{model}"}}}}
"""


def artifact(project, stage):
    with sqlite3.connect(f"file:{project}/.lowbit/results.db?mode=ro", uri=True) as db:
        (path,) = db.execute("SELECT path FROM artifacts JOIN v_stages USING (result_id) WHERE stage = ?", (stage,)).fetchone()
    return project / ".lowbit" / path


def compare(project, model):
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    def load(path):
        return AutoModelForCausalLM.from_pretrained(path, torch_dtype=torch.float32).eval()

    torch.manual_seed(0)
    base = load(model)
    ids = torch.randint(3, base.config.vocab_size, (2, 40))
    with torch.no_grad():
        of_base = base(ids).logits
        of_peft = PeftModel.from_pretrained(base, artifact(project, "peft")).eval()(ids).logits
        of_merged = load(artifact(project, "merge"))(ids).logits
    return (of_peft - of_merged).abs().max().item(), (of_peft - of_base).abs().max().item(), base.config.tie_word_embeddings


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=pathlib.Path)
    parser.add_argument("models", nargs="+", type=pathlib.Path)
    parser.add_argument("--lowbit", default="lowbit")
    args = parser.parse_args()
    records = [{"instruction": f"Tell me about number {i}.", "input": "", "output": f"The number {i} is a fine one."} for i in range(24)]
    status = 0
    for model in args.models:
        project = (args.directory / model.name).resolve()
        project.mkdir(parents=True)
        (project / "lowbit.yaml").touch()
        (project / "records.json").write_text(json.dumps(records))
        (project / "experiment.yaml").write_text(EXPERIMENT.format(model=model.resolve()))
        subprocess.run([args.lowbit, "run", "experiment.yaml"], cwd=project, check=True)
        difference, effect, tied = compare(project, model.resolve())
        print(f"{model.name:<24} tied {tied!s:<6} PEFT - merged {difference:.1e}   PEFT - base {effect:.1e}")
        if difference > 1e-4 or effect < 1e-2:
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())
