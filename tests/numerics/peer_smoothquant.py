#!/usr/bin/env python3
"""Compares lowbit.smoothquant with the authors' code. Needs the packages transformers and torch and a checkout of
mit-han-lab/smoothquant; not part of the tests.

    python3 tests/numerics/peer_smoothquant.py --authors CHECKOUT --model MODEL --calibration WINDOWS --test WINDOWS
        --ours QUANTIZED --alpha 0.5 [--bmm]

MODEL is a model/1 of the LLaMA family, WINDOWS are token-batches/1 without padding, QUANTIZED is what lowbit.smoothquant made of
them with 8 bits, by channel and token (directories of artifacts). The authors' get_act_scales, smooth_lm and quantize_model run on
the same model and windows in float32; their data loader is given our windows. Printed are the largest differences of the smoothed
norms, relative, of the rounded weights, in steps of their grids, and the share of weights that differ by more than a thousandth of a
step; and the perplexities of the test windows: at full precision, theirs, and theirs with our weights put in the place of
theirs. The last is to be compared with what lowbit.perplexity reports of QUANTIZED.
"""
import argparse
import importlib.util
import json
import pathlib
import sys
import types

import torch

from peer_models import load_model, perplexity, tensors_of, windows_of


def module_of_authors(checkout, name):
    spec = importlib.util.spec_from_file_location(name, checkout / "smoothquant" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Windows:
    """Rows of token ids in the place of a data set of texts: each row's text is its number."""

    def __init__(self, directory):
        self.ids = windows_of(directory)

    def shuffle(self, seed):
        return self

    def __len__(self):
        return len(self.ids)

    def __getitem__(self, i):
        return {"text": i}

    def tokenizer(self, text, **_):
        return types.SimpleNamespace(input_ids=self.ids[text : text + 1])


@torch.no_grad()
def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("authors", "model", "calibration", "test", "ours"):
        parser.add_argument(f"--{name}", type=pathlib.Path, required=True)
    parser.add_argument("--alpha", type=float, required=True)
    parser.add_argument("--bmm", action="store_true", help="QUANTIZED was made with quantize_bmm_inputs")
    args = parser.parse_args()

    sys.modules["datasets"] = types.ModuleType("datasets")
    sys.modules["datasets"].load_dataset = lambda *_, **__: Windows(args.calibration)
    calibration, smooth, fake_quant = (
        module_of_authors(args.authors, name) for name in ("calibration", "smooth", "fake_quant"))
    calibration.tqdm = lambda x: x

    model = load_model(args.model)
    windows, test = Windows(args.calibration), windows_of(args.test)
    print(f"full precision: perplexity {perplexity(model, test):.6f}")
    scales = calibration.get_act_scales(model, windows.tokenizer, None, num_samples=len(windows), seq_len=windows.ids.shape[1])
    smooth.smooth_lm(model, scales, args.alpha)
    print(f"authors, smoothed: perplexity {perplexity(model, test):.6f}")
    steps = {name: m.weight.abs().amax(-1, keepdim=True) / 127 for name, m in model.model.named_modules()
             if isinstance(m, torch.nn.Linear)}
    model = fake_quant.quantize_model(model, "per_channel", "per_token", args.bmm)
    print(f"authors, rounded: perplexity {perplexity(model, test):.6f}")

    tensors = tensors_of(args.ours)
    linears = json.loads((args.ours / "quantization.json").read_text())["linears"]
    worst, n_apart, n = 0.0, 0, 0
    for name, step in steps.items():
        module = model.model.get_submodule(name)
        grid = linears[f"model.{name}"]
        assert grid["num_bits"] == 8 and grid["symmetric"] and grid["group_size"] == -1
        ours = (tensors[f"model.{name}.codes"].float() - 128) * tensors[f"model.{name}.scales"].float()
        apart = (ours - module.weight).abs() / step
        worst, n_apart, n = max(worst, apart.max().item()), n_apart + (apart > 1e-3).sum().item(), n + apart.numel()
        module.weight.copy_(ours)
    norms = 0.0
    for name, theirs in model.model.named_parameters():
        if "layernorm" not in name:
            continue
        ours = tensors[f"model.{name}"].float()
        norms = max(norms, ((ours - theirs).abs() / theirs.abs().clamp_min(1e-30)).max().item())
        theirs.copy_(ours)
    print(f"norms: {norms:.1e} apart; weights: {worst:.1e} steps apart, {n_apart} of {n} by more than 1e-3")
    print(f"authors' code with our weights: perplexity {perplexity(model, test):.6f}")


if __name__ == "__main__":
    main()
