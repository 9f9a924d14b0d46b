#!/usr/bin/env python3
"""Compares trajectories of lowbit.sft and lowbit.dpo with TRL's trainers over PEFT's LoRA. Needs the packages trl, peft, transformers and
torch; not part of the tests.

    python3 tests/numerics/peer_training.py prepare DIR --model MODEL     # DIR/experiment.yaml with its data
    cd DIR && lowbit run experiment.yaml && lowbit export start --format peft peft --base-model model
    python3 tests/numerics/peer_training.py compare DIR

MODEL is a model/1 of the LLaMA family with a tokenizer of texts. Both sides begin with one adapter (lowbit's, exported), train on the same rows, all of
them in every step, so that no order of data matters, and update with AdamW at a constant rate, in float32 on the CPU. Printed are, for loss and norm of the
gradient, the largest difference over the steps and the mean one, and what TRL allows between its own trainers (tests/invariant of
huggingface/trl, f2cd577: max |difference| and |mean difference|). Exit code 1 when one is larger.
"""
import argparse
import json
import pathlib
import shutil
import sqlite3
import sys

STEPS = 40
RATE = 2e-3
STORIES = [("Once upon a time, there was a little", " girl who liked to play outside.", " car. The end of the car was a car."),
           ("Tom and his dog went to the park.", " They ran and ran until the sun went down.", " No."),
           ("Lily saw a big red ball.", " She asked her mom if she could have it, and her mom said yes.", " The ball was sad and sad."),
           ("One day, a cat found a fish.", " The cat was so happy that it danced.", " Fish fish fish."),
           ("Ben was very tired.", " He went to bed and slept well.", " He ate the bed."),
           ("The bird wanted to fly", " but its wing was hurt, so a boy helped it.", " and it was a park.")]
LOSSES = {"sft": ("sft", {}), "sigmoid": ("dpo", {}), "ipo": ("dpo", {"loss": "ipo"}), "hinge": ("dpo", {"loss": "hinge"}),
          "sigmoid+nll": ("dpo", {"nll_weight": 0.5})}
# (max |difference|, |mean difference|) of loss and of the gradient's norm.
ALLOWED = {"sft": {"loss": (1e-3, 1e-5), "grad_norm": (1e-1, 1e-3)}, "dpo": {"loss": (1e-4, 1e-5), "grad_norm": (1e-2, 1e-3)}}


def stage_of(name):
    return name.replace("+", "-")


def prepare(directory, model):
    directory.mkdir(parents=True)
    shutil.copytree(model, directory / "model")
    for kind, rows in (("sft", [{"prompt": p, "completion": c + "</s>"} for p, c, _ in STORIES]),
                       ("dpo", [{"prompt": p, "chosen": c + "</s>", "rejected": r + "</s>"} for p, c, r in STORIES])):
        (directory / kind).mkdir()
        extra = {"category": None, "type": None, "first_error_step": None, "agreement": None, "at": {}} if kind == "dpo" else {}
        with open(directory / kind / "pairs.jsonl", "w", encoding="utf-8") as out:
            for i, row in enumerate(rows):
                out.write(json.dumps({"item_id": str(i), "problem_id": str(i)} | row | extra) + "\n")
    common = {"steps": STEPS, "batch_size": len(STORIES), "learning_rate": RATE, "lr_schedule": "constant", "warmup_ratio": 0,
              "clip_norm": 1.0}
    stages = [{"id": "start", "use": "lowbit.sft", "with": {"model": "inputs.base", "data": "inputs.sft"},
               "params": {"steps": 1, "learning_rate": 0, "batch_size": len(STORIES), "rank": 4, "alpha": 8}}]
    for name, (kind, params) in LOSSES.items():
        stages.append({"id": stage_of(name), "use": f"lowbit.{kind}", "with": {"model": "start.trained", "data": f"inputs.{kind}"},
                       "params": common | params})
    inputs = {"base": {"type": "model/1", "path": "model"}, "sft": {"type": "sft-pairs/1", "path": "sft"},
              "dpo": {"type": "preference-pairs/1", "path": "dpo"}}
    (directory / "lowbit.yaml").touch()
    (directory / "experiment.yaml").write_text(json.dumps({"experiment": "peer", "inputs": inputs, "seeds": [1], "stages": stages}, indent=1))


def ours(directory, name):
    """Curve by step of loss and gradient norm."""
    db = sqlite3.connect(f"file:{directory}/.lowbit/results.db?mode=ro", uri=True)
    curve = ("SELECT c.value FROM curves c JOIN v_stages s USING (result_id) WHERE s.stage = ? AND c.name = ? ORDER BY c.step")
    return {field: [row[0] for row in db.execute(curve, (stage_of(name), f"train/{field}"))] for field in ("loss", "grad_norm")}


def theirs(directory, name):
    import datasets
    import peft
    import torch
    import transformers
    import trl

    kind, params = LOSSES[name]
    model = transformers.AutoModelForCausalLM.from_pretrained(directory / "model", dtype=torch.float32, attn_implementation="eager")
    model = peft.PeftModel.from_pretrained(model, directory / "peft", is_trainable=True)
    tokenizer = transformers.AutoTokenizer.from_pretrained(directory / "model")
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    fields = ("prompt", "completion") if kind == "sft" else ("prompt", "chosen", "rejected")
    rows = [json.loads(line) for line in (directory / kind / "pairs.jsonl").read_text(encoding="utf-8").splitlines()]
    data = datasets.Dataset.from_list([{field: row[field] for field in fields} for row in rows])
    options = dict(output_dir=str(directory / "trl" / name), max_steps=STEPS, per_device_train_batch_size=len(rows), learning_rate=RATE,
                   lr_scheduler_type="constant", warmup_steps=0, max_grad_norm=1.0, weight_decay=0.0, logging_steps=1, use_cpu=True,
                   bf16=False, fp16=False, gradient_checkpointing=False, report_to="none", save_strategy="no", max_length=None, seed=1,
                   disable_tqdm=True, log_level="error")
    if kind == "sft":
        trainer = trl.SFTTrainer(model=model, args=trl.SFTConfig(**options), train_dataset=data, processing_class=tokenizer)
    else:
        losses = [params.get("loss", "sigmoid")]
        if "nll_weight" in params:
            options["loss_weights"] = [1.0, params["nll_weight"]]
            losses.append("sft")
        trainer = trl.DPOTrainer(model=model, args=trl.DPOConfig(beta=0.1, loss_type=losses, **options), train_dataset=data,
                                 processing_class=tokenizer)
    trainer.remove_callback(transformers.PrinterCallback)
    trainer.train()
    log = [entry for entry in trainer.state.log_history if "loss" in entry]
    return {field: [entry[field] for entry in log] for field in ("loss", "grad_norm")}


def compare(directory):
    import logging

    logging.disable(logging.WARNING)
    failed = False
    print(f"{'':12} {'':10} {'first':>9} {'last':>9} {'max |diff|':>11} {'allowed':>8} {'|mean diff|':>12} {'allowed':>8}")
    for name, (kind, _) in LOSSES.items():
        here, there = ours(directory, name), theirs(directory, name)
        for field in ("loss", "grad_norm"):
            if not len(here[field]) == len(there[field]) == STEPS:
                sys.exit(f"{name}: {len(here[field])} and {len(there[field])} steps instead of {STEPS}")
            apart = [a - b for a, b in zip(here[field], there[field])]
            largest, mean = max(map(abs, apart)), abs(sum(apart) / STEPS)
            allowed = ALLOWED[kind][field]
            failed |= largest > allowed[0] or mean > allowed[1]
            print(f"{name:12} {field:10} {here[field][0]:9.5f} {here[field][-1]:9.5f} {largest:11.1e} {allowed[0]:8.0e} {mean:12.1e} {allowed[1]:8.0e}",
                  flush=True)
    sys.exit(1 if failed else 0)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True, dest="command")
    first = commands.add_parser("prepare")
    first.add_argument("directory", type=pathlib.Path)
    first.add_argument("--model", type=pathlib.Path, required=True)
    commands.add_parser("compare").add_argument("directory", type=pathlib.Path)
    options = parser.parse_args()
    if options.command == "prepare":
        prepare(options.directory, options.model)
    else:
        compare(options.directory.resolve())


if __name__ == "__main__":
    main()
