#!/usr/bin/env python3
"""lowbit beside Hugging Face transformers on one model: both measured in turn, a process each, and the ratios of their rates.
Needs what tests/bench/peer_transformers_speed.py needs; not part of the tests.

    python3 tests/bench/beside_transformers.py build/release/tests/model_speed_bench DIR --threads 2 [--layers N ...]

A row is the median over the turns; ratio is lowbit's rate over that of transformers, above 1 where lowbit is faster. "of the
product" is the share of a plain fp32 product's rate, measured by lowbit's side in every turn, that lowbit's arithmetic of the
row comes to (in decoding the weights come from memory for each step, and the share cannot be large).
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys

PEER = pathlib.Path(__file__).with_name("peer_transformers_speed.py")


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("directory", type=pathlib.Path)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--layers", type=int, default=16)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--dtypes", default="fp32,bf16", type=lambda text: text.split(","))
    parser.add_argument("--context", type=int, default=2048)
    parser.add_argument("--perplexity-batches", default="1,4", type=lambda text: [int(n) for n in text.split(",")])
    parser.add_argument("--new", type=int, default=128)
    parser.add_argument("--clock", choices=["wall", "cpu"], default="wall", help="as of the peer")
    parser.add_argument("--generate-batches", default="1,32", type=lambda text: [int(n) for n in text.split(",")])
    return parser.parse_args()


def operations_per_token(config, attended):
    """Multiplications and additions of one token that sees `attended` keys, output matrix included."""
    h, f, d = config["hidden_size"], config["intermediate_size"], config["head_dim"]
    n, m = config["num_attention_heads"] * d, config["num_key_value_heads"] * d
    block = 2 * h * (2 * n + 2 * m) + 6 * h * f + 4 * attended * n
    return config["num_hidden_layers"] * block + 2 * h * config["vocab_size"]


def rates(line):
    """Name of the row -> tokens per second."""
    def value(prefix):
        return next(v for k, v in line.items() if k.startswith(prefix))
    if line["what"] == "perplexity":
        return {"perplexity": value("tokens_per_s")}
    return {"generate": value("tokens_per_s"), "decode": value("decode_tokens_per_s")}


def main():
    args = parse_arguments()
    common = ["--threads", str(args.threads), "--rounds", "1", "--context", str(args.context), "--new", str(args.new),
              "--clock", args.clock]
    environment = os.environ | {"OMP_NUM_THREADS": str(args.threads), "OPENBLAS_NUM_THREADS": str(args.threads),
                                "OMP_WAIT_POLICY": "passive"}

    def measure(command):
        done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=False)
        if done.returncode != 0:
            sys.exit(f"{command[0]} ended with {done.returncode}")
        return [json.loads(line) for line in done.stdout.splitlines()]

    peer = [sys.executable, str(PEER), str(args.directory), "--layers", str(args.layers), *common]

    def work(perplexity, generation):
        return ["--perplexity-batches", str(perplexity), "--generate-batches", str(generation)]

    measure(peer + ["--only-write", "--perplexity-batches", str(max(args.perplexity_batches)),
                    "--generate-batches", str(max(args.generate_batches))])
    config = json.loads((args.directory / "config.json").read_text())
    jobs = [(p, 0) for p in args.perplexity_batches if p] + [(0, g) for g in args.generate_batches if g]
    print(f"{'':24} {'dtype':>5} {'batch':>5} {'ours':>10} {'transformers':>13} {'ratio':>6} {'of the product':>15}")
    for dtype in args.dtypes:
        for perplexity, generation in jobs:
            rows, shares, losses = {}, {}, {"lowbit": None, "transformers": None}
            for _ in range(args.turns):
                theirs = measure(peer + ["--dtypes", dtype] + work(perplexity, generation))
                ours = measure([str(args.program), "--directory", str(args.directory), "--dtypes", dtype,
                                *common, *work(perplexity, generation)])
                limit = next(line["gflop_per_s"] for line in ours if line.get("what") == "product") * 1e9
                for side, lines in (("lowbit", ours), ("transformers", theirs)):
                    line = next(line for line in lines if line.get("what") in ("perplexity", "generate"))
                    losses[side] = line.get("mean_nll")
                    for name, rate in rates(line).items():
                        rows.setdefault(name, {"lowbit": [], "transformers": []})[side].append(rate)
                        if side == "lowbit":
                            operations = operations_per_token(config, args.context / 2 if perplexity else 192)
                            shares.setdefault(name, []).append(rate * operations / limit)
            for name, sides in rows.items():
                lowbit, transformers = (statistics.median(sides[s]) for s in ("lowbit", "transformers"))
                ratio = statistics.median(a / b for a, b in zip(sides["lowbit"], sides["transformers"]))
                print(f"{name + ', tokens per s':24} {dtype:>5} {perplexity or generation:>5} {lowbit:>10.2f} "
                      f"{transformers:>13.2f} {ratio:>6.2f} {statistics.median(shares[name]):>14.0%}", flush=True)
            if losses["lowbit"] is not None and abs(losses["lowbit"] - losses["transformers"]) > 2e-3 * losses["transformers"]:
                sys.exit(f"the losses differ: {losses}")


if __name__ == "__main__":
    main()
