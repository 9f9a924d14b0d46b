#!/usr/bin/env python3
"""Runs the authors' implementation of GPTQ (IST-DASLab/gptq, a checkout of it) beside lowbit's result: the same model,
the same calibration windows, the same order of linears. Needs torch and transformers from PyPI; not part of the tests.

    python3 tests/numerics/peer_gptq.py --reference GPTQ_CHECKOUT --model MODEL --batches TOKEN_BATCHES \\
        --quantized QUANTIZED_MODEL [--act-order] [--evaluate TOKEN_BATCHES] [--jitter SEED]

MODEL is the full-precision directory, TOKEN_BATCHES a token-batches/1, QUANTIZED_MODEL what `lowbit.gptq` made of both
with scale_dtype float32. Prints, by linear, the share of integers that differ and both layer losses
tr((W-Q)H(W-Q)^T) / tr(WHW^T) under the moments that the reference saw; and both perplexities. --jitter moves the reference's weights
by 1e-7 of their value first: what it then differs from itself is what the last bits decide.
"""
import argparse
import json
import pathlib
import sys

import numpy as np
import torch
from safetensors import safe_open

from peer_models import load_model, perplexity, windows_of

ORDER = [["self_attn.k_proj", "self_attn.v_proj", "self_attn.q_proj"], ["self_attn.o_proj"],
         ["mlp.up_proj", "mlp.gate_proj"], ["mlp.down_proj"]]


class Packed:
    """The integers of a quantized-model/1."""

    def __init__(self, directory):
        self.json = json.loads((directory / "quantization.json").read_text())
        index = json.loads((directory / "model.safetensors.index.json").read_text())["weight_map"]
        self.files = {name: safe_open(directory / name, "pt") for name in set(index.values())}
        self.index = index

    def tensor(self, name):
        return self.files[self.index[name]].get_tensor(name)

    def unpack(self, name, n, bits):
        stream = np.unpackbits(self.tensor(name).numpy(), axis=1, bitorder="little")[:, : n * bits]
        return (stream.reshape(-1, n, bits) << np.arange(bits)).sum(-1)

    def linear(self, module):
        grid = self.json["linears"][module]
        n, bits = grid["in_features"], grid["num_bits"]
        width = n if grid["group_size"] == -1 else grid["group_size"]
        groups = -(-n // width)
        codes = self.unpack(module + ".codes", n, bits)
        scale = self.tensor(module + ".scales").double().numpy()
        zero = np.full_like(scale, 2 ** (bits - 1)) if grid["symmetric"] else self.unpack(module + ".zeros", groups, bits)
        column = self.tensor(module + ".groups").numpy() if grid["actorder"] else np.arange(n) // width
        return codes, scale[:, column] * (codes - zero[:, column])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("reference", "model", "batches", "quantized"):
        parser.add_argument("--" + name, type=pathlib.Path, required=True)
    parser.add_argument("--evaluate", type=pathlib.Path)
    parser.add_argument("--act-order", action="store_true")
    parser.add_argument("--jitter", type=int)
    options = parser.parse_args()
    torch.cuda.synchronize = lambda *_: None  # the reference waits for a device that is not there
    sys.path.insert(0, str(options.reference))
    import gptq
    import quant

    torch.set_num_threads(1)
    model = load_model(options.model)
    if options.jitter is not None:
        torch.manual_seed(options.jitter)
        for parameter in model.parameters():
            parameter.data *= 1 + 1e-7 * torch.randn_like(parameter)
    windows = windows_of(options.batches)
    ours = Packed(options.quantized)
    bits, group, symmetric = (ours.json[k] for k in ("num_bits", "group_size", "symmetric"))
    full = perplexity(model, windows_of(options.evaluate)) if options.evaluate else None
    print(f"{bits} bits, group {group}, {'symmetric' if symmetric else 'asymmetric'}, act-order {options.act_order}, "
          f"{windows.numel()} calibration tokens")
    print(f"{'linear':38} {'differ':>8} {'loss here':>11} {'reference':>11} {'ratio':>7}")
    ratios, mismatches = [], []
    with torch.no_grad():
        for i, block in enumerate(model.model.layers):
            for subset in ORDER:
                modules = {name: block.get_submodule(name) for name in subset}
                solvers, hooks = {}, []
                for name, module in modules.items():
                    solvers[name] = gptq.GPTQ(module)
                    solvers[name].quantizer = quant.Quantizer()
                    solvers[name].quantizer.configure(bits, perchannel=True, sym=symmetric, mse=False)
                    hooks.append(module.register_forward_hook(
                        lambda m, inp, out, name=name: solvers[name].add_batch(inp[0].data, out.data)))
                for window in windows:
                    model(window[None])
                for hook in hooks:
                    hook.remove()
                for name, solver in solvers.items():
                    weight = modules[name].weight.data.double().numpy().copy()
                    moments = solver.H.double().numpy().copy()
                    solver.fasterquant(percdamp=0.01, groupsize=group, actorder=options.act_order)
                    theirs = modules[name].weight.data.double().numpy()
                    _, values = ours.linear(f"model.layers.{i}.{name}")
                    energy = lambda e: np.einsum("ij,jk,ik->", e, moments, e)
                    here, there = energy(weight - values) / energy(weight), energy(weight - theirs) / energy(weight)
                    step = np.abs(weight).max(1, keepdims=True) * 2 / (2 ** bits - 1)
                    differ = (np.abs(values - theirs) > 1e-3 * step).mean()
                    mismatches.append(differ)
                    ratios.append(here / there)
                    print(f"{f'{i}.{name}':38} {differ:8.4f} {here:11.3e} {there:11.3e} {here / there:7.4f}")
                    solver.free()
    print(f"integers that differ: {np.mean(mismatches):.4f}; ratio of losses: mean {np.mean(ratios):.4f}, "
          f"largest {np.max(ratios):.4f}")
    if options.evaluate:
        evaluated = windows_of(options.evaluate)
        theirs = perplexity(model, evaluated)
        for name, parameter in model.named_parameters():
            module = name.removesuffix(".weight")
            if module in ours.json["linears"]:
                parameter.data = torch.tensor(ours.linear(module)[1], dtype=torch.float32)
        here = perplexity(model, evaluated)
        print(f"perplexity: full precision {full:.4f}, reference {theirs:.4f}, here {here:.4f} "
              f"({100 * (here / theirs - 1):+.2f} %)")


if __name__ == "__main__":
    main()
