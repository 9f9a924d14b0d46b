#!/usr/bin/env python3
"""Compares lowbit.awq with the functions of its reference, mit-han-lab/llm-awq. Needs the packages transformers and torch
and a checkout of the reference; not part of the tests.

    python3 tests/numerics/peer_awq.py prepare DIR [--model MODEL]      # DIR/model, DIR/tokens and DIR/experiment.yaml
    cd DIR && lowbit run experiment.yaml                                 # lowbit.awq on them
    python3 tests/numerics/peer_awq.py compare DIR --reference CHECKOUT

prepare: windows sampled from the model itself, 64 of 64 tokens; without --model, of a random LLaMA without shared value heads,
four channels of whose residual stream its norms enlarge. compare reads the result from DIR/.lowbit.

The reference's auto_scale_block, apply_scale, auto_clip_block, apply_clip and pseudo_quantize_tensor are imported from the
checkout and run on the CPU in float32, block by block on the same windows; its CUDA extension, which packing alone needs, is
replaced by an empty module, and `.cuda()` does nothing. Differences that remain: it rounds with steps in float32, lowbit with
steps as stored.

For each linear: the mean squared output error relative to the output's mean square, on all calibration tokens, theirs and
ours, both with the scales taken back; the share of codes that differ (`itself`: between the reference and the reference on
weights that were moved by 1e-7 of their value; a clipped range is symmetric about 0, so that its zero point lies on the boundary
of two whole numbers, and the last bit decides); the share of ranges (row and group) whose step differs
by more than 0.2 %, which is another clip. For each group with a scale: the largest relative difference of scales, and both
exponents. At the end the perplexities of the model, of theirs and of ours, all computed by transformers in float32, on 256 more
windows sampled from the model.
"""
import argparse
import collections
import copy
import hashlib
import importlib
import json
import pathlib
import shutil
import sqlite3
import sys
import types

import torch
import transformers
from safetensors.torch import load_file, save_file

from peer_models import load_model, perplexity, tensors_of

HERE = pathlib.Path(__file__).parent
GROUPS = {"self_attn.q_proj": 0, "self_attn.o_proj": 1, "mlp.gate_proj": 2, "mlp.down_proj": 3}


def reference(directory):
    """The modules auto_scale, auto_clip and quantizer, without the packages around them."""
    for name in ("awq", "awq.quantize", "awq.utils"):
        package = types.ModuleType(name)
        package.__path__ = [str(directory.joinpath(*name.split(".")))]
        sys.modules[name] = package
    sys.modules["awq_inference_engine"] = types.ModuleType("awq_inference_engine")
    bloom = importlib.import_module("transformers.models.bloom.modeling_bloom")
    if not hasattr(bloom, "BloomGelu"):
        bloom.BloomGelu = torch.nn.GELU
    torch.nn.Module.cuda = lambda self, *_: self
    torch.Tensor.cuda = lambda self, *_: self
    torch.cuda.empty_cache = lambda: None
    return [importlib.import_module("awq.quantize." + name) for name in ("auto_scale", "auto_clip", "quantizer")]


def unpacked(packed, bits, n):
    """Codes of rows of packed bytes, as docs/artifacts.md has them."""
    bit = (packed.long().unsqueeze(-1) >> torch.arange(8)) & 1
    bit = bit.flatten(1)[:, : n * bits].view(packed.shape[0], n, bits)
    return (bit << torch.arange(bits)).sum(-1)


class Ours:
    def __init__(self, directory):
        self.tensors = tensors_of(directory)
        self.description = json.loads((directory / "quantization.json").read_text())

    def linear(self, name):
        """codes [m, n], steps [m, G], values [m, n]"""
        entry = self.description["linears"][name]
        n, bits = entry["in_features"], entry["num_bits"]
        steps = self.tensors[name + ".scales"].float()
        width = n if entry["group_size"] == -1 else entry["group_size"]
        group = torch.arange(n) // width
        codes = unpacked(self.tensors[name + ".codes"], bits, n)
        zeros = unpacked(self.tensors[name + ".zeros"], bits, steps.shape[1])
        return codes, steps, steps[:, group] * (codes - zeros[:, group])


class Catcher(torch.nn.Module):
    """Stands for the first block and keeps what it is called with."""

    def __init__(self, block):
        super().__init__()
        self.block, self.hidden, self.kwargs = block, None, None

    def __getattr__(self, name):
        try:
            return super().__getattr__(name)
        except AttributeError:
            return getattr(self._modules["block"], name)

    def forward(self, hidden, **kwargs):
        self.hidden, self.kwargs = hidden, kwargs
        raise StopIteration


def first_of(x):
    return x[0] if isinstance(x, tuple) else x


class Scales:
    """By what a block's linears were multiplied: columns, and rows divided by."""

    def __init__(self, linears):
        self.columns = {name: torch.ones(m.in_features) for name, m in linears.items()}
        self.rows = {name: torch.ones(m.out_features) for name, m in linears.items()}

    def set(self, producer, readers, s):
        for name in readers:
            self.columns[name] = s
        if producer in self.rows:
            self.rows[producer] = s


def scale(mean, exponent):
    s = mean.pow(exponent).clamp(min=1e-4)
    return s / (s.max() * s.min()).sqrt()


def exponent_of(scales, mean):
    """The i / 20 to which these scales belong."""
    distance = [(scale(mean, i / 20) / scales - 1).abs().max().item() for i in range(20)]
    best = min(range(20), key=distance.__getitem__)
    if distance[best] > 1e-3:
        sys.exit(f"these scales belong to no exponent: the nearest, {best / 20}, is {distance[best]:.2g} away")
    return best / 20


EXPERIMENT = """experiment: peer
inputs:
  model: {type: model/1, path: model}
  tokens: {type: token-batches/1, path: tokens}
stages:
  - id: quantize
    use: lowbit.awq
    with: {model: inputs.model, calibration: inputs.tokens}
    params: {num_bits: 3, group_size: 32, scale_dtype: float32}
"""


def random_model(directory):
    torch.manual_seed(1)
    config = transformers.LlamaConfig(
        vocab_size=180, hidden_size=128, intermediate_size=256, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=4, head_dim=32, max_position_embeddings=128, tie_word_embeddings=False, initializer_range=0.1)
    model = transformers.LlamaForCausalLM(config)
    for layer in model.model.layers:
        for norm in (layer.input_layernorm, layer.post_attention_layernorm):
            norm.weight.data = (0.3 * torch.randn(128)).exp()
            norm.weight.data[10:14] *= 20
    model.save_pretrained(directory)
    shutil.copy(HERE / "data/random-untied/tokenizer.json", directory)
    # As lowbit reads it: transformers 5 writes RoPE's base elsewhere.
    written = json.loads((directory / "config.json").read_text())
    written["rope_theta"] = written.pop("rope_parameters", {"rope_theta": 10000.0})["rope_theta"]
    (directory / "config.json").write_text(json.dumps(written))


@torch.no_grad()
def prepare(directory, source):
    directory.mkdir(parents=True)
    target = directory / "model"
    if source:
        shutil.copytree(source, target)
    else:
        random_model(target)
    model = load_model(target)
    torch.manual_seed(0)
    sampled = model.generate(torch.full((320, 1), model.config.bos_token_id), do_sample=True, top_k=0, max_new_tokens=63,
                             min_new_tokens=63, pad_token_id=0)
    ids, held_out = sampled[:64].contiguous(), sampled[64:].contiguous()
    save_file({"input_ids": held_out}, directory / "held_out.safetensors")
    (directory / "tokens").mkdir()
    save_file({"input_ids": ids.to(torch.int32)}, directory / "tokens/tokens.safetensors")
    tokenizer = hashlib.sha256((target / "tokenizer.json").read_bytes()).hexdigest()
    (directory / "tokens/batches.json").write_text(json.dumps(
        {"vocab_size": model.config.vocab_size, "tokenizer_sha256": tokenizer, "variant": "sampled", "source_sha256": None,
         "rule": "sampled from the model", "bos": "each"}))
    (directory / "experiment.yaml").write_text(EXPERIMENT)


def result_of(directory):
    """The quantized model that the last run left, and the curve of its exponents."""
    database = sqlite3.connect(directory / ".lowbit/results.db")
    result, path = database.execute("SELECT result_id, path FROM artifacts WHERE port = 'quantized' ORDER BY result_id DESC").fetchone()
    curve = database.execute("SELECT step, value FROM curves WHERE result_id = ? AND name = 'weights/awq_ratio'", (result,))
    return directory / ".lowbit" / path, dict(curve)


def run_reference(modules, block, kwargs, inputs, bits, width):
    """Scales and clips the block in place. Returns its scales, and each linear's codes, steps and values."""
    auto_scale, auto_clip, quantizer = modules
    q_config = {"zero_point": True, "q_group_size": width}
    inputs = {name: x.clone() for name, x in inputs.items()}
    scales = auto_scale.auto_scale_block(block, dict(kwargs), bits, q_config, inputs)
    auto_scale.apply_scale(block, scales, input_feat_dict=inputs)
    auto_clip.apply_clip(block, auto_clip.auto_clip_block(block, bits, q_config, inputs))
    rounded = {}
    for name, m in block.named_modules():
        if isinstance(m, torch.nn.Linear):
            values, steps, zeros = quantizer.pseudo_quantize_tensor(m.weight.data, n_bit=bits, get_scale_zp=True, **q_config)
            group = torch.arange(m.in_features) // (m.in_features if width == -1 else width)
            rounded[name] = torch.round(values / steps[:, group] + zeros[:, group]).long(), steps, values
    return scales, rounded


@torch.no_grad()
def compare(directory, checkout):
    modules = reference(checkout)
    model = load_model(directory / "model")
    quantized, curve = result_of(directory)
    ours = Ours(quantized)
    stored = tensors_of(directory / "model")
    bits, width = ours.description["num_bits"], ours.description["group_size"]
    tokens = load_file(directory / "tokens/tokens.safetensors")
    held_out = load_file(directory / "held_out.safetensors")["input_ids"]
    full = perplexity(model, held_out)
    my_model = copy.deepcopy(model)
    my_state = {name: t.float() for name, t in ours.tensors.items() if name in my_model.state_dict()}
    if "attention_mask" in tokens and not tokens["attention_mask"].all():
        sys.exit("the reference knows no padding: give windows without it")

    blocks = model.model.layers
    first = blocks[0]
    catcher = blocks[0] = Catcher(first)
    try:
        model(tokens["input_ids"].long(), use_cache=False)
    except StopIteration:
        pass
    blocks[0] = first
    hidden, kwargs = catcher.hidden, catcher.kwargs

    print(f"{'':34} {'itself':>8} {'codes':>8} {'ranges':>8} {'loss, theirs':>13} {'ours':>9} {'ratio':>7}")
    sums = collections.Counter()
    for index, block in enumerate(blocks):
        linears = {name: m for name, m in block.named_modules() if isinstance(m, torch.nn.Linear)}
        inputs = {}
        hooks = [m.register_forward_hook(lambda _, x, __, name=name: inputs.update({name: x[0].detach().clone()}))
                 for name, m in linears.items()]
        following = first_of(block(hidden, **kwargs))
        for hook in hooks:
            hook.remove()
        original = {name: m.weight.detach().clone() for name, m in linears.items()}
        observed = {name: x.flatten(0, 1) for name, x in inputs.items()}
        moments = {name: x.T @ x / len(x) for name, x in observed.items()}
        means = {name: x.abs().mean(0) for name, x in observed.items()}

        jittered = copy.deepcopy(block)
        for m in jittered.modules():
            if isinstance(m, torch.nn.Linear):
                m.weight.data *= 1 + 1e-7 * torch.randn(m.weight.shape)
        _, again = run_reference(modules, jittered, kwargs, inputs, bits, width)
        scales, rounded = run_reference(modules, block, kwargs, inputs, bits, width)

        prefix = f"model.layers.{index}."
        theirs, my_scales = Scales(linears), Scales(linears)
        for producer, readers, s in scales:
            exponent, mean = exponent_of(s, means[readers[0]]), means[readers[0]]
            mine = curve[4 * index + GROUPS[readers[0]]]
            theirs.set(producer, readers, s)
            my_scales.set(producer, readers, scale(mean, mine))
            norm = prefix + producer + ".weight"
            note = ""
            if norm in ours.tensors:
                before = stored[norm].float()
                ok = before != 0  # nothing can be divided by a norm's weight of 0
                taken = before[ok] / ours.tensors[norm].float()[ok]
                note = f", scales differ by {(taken / s[ok] - 1).abs().max():.1e}"
            print(f"{prefix + readers[0]:34} exponent {exponent:.2f}, ours {mine:.2f}{note}")
            sums["groups"] += 1
            sums["same"] += mine == exponent
        for name, m in linears.items():
            codes, steps, values = rounded[name]
            my_codes, my_steps, my_values = ours.linear(prefix + name)

            def loss(q, by):
                e = q * by.rows[name].unsqueeze(1) / by.columns[name] - original[name]
                return (((e @ moments[name]) * e).sum() / ((original[name] @ moments[name]) * original[name]).sum()).item()
            their_loss, my_loss = loss(values, theirs), loss(my_values, my_scales)
            itself = (codes != again[name][0]).float().mean().item()
            differ = (codes != my_codes).float().mean().item()
            other = ((my_steps / steps - 1).abs() > 2e-3).float().mean().item()
            sums["linears"] += 1
            sums["itself"] += itself * codes.numel()
            sums["codes"] += differ * codes.numel()
            sums["n"] += codes.numel()
            sums["ranges"] += other * steps.numel()
            sums["n_ranges"] += steps.numel()
            sums["theirs"] += their_loss
            sums["ours"] += my_loss
            my_state[prefix + name + ".weight"] = my_values
            m.weight.data = values
            print(f"{prefix + name:34} {itself:8.2%} {differ:8.2%} {other:8.2%} {their_loss:13.6f} {my_loss:9.6f} {my_loss / their_loss:7.4f}")
        hidden = following
    print(f"{'all':34} {sums['itself'] / sums['n']:8.2%} {sums['codes'] / sums['n']:8.2%} {sums['ranges'] / sums['n_ranges']:8.2%} "
          f"{sums['theirs'] / sums['linears']:13.6f} {sums['ours'] / sums['linears']:9.6f} {sums['ours'] / sums['theirs']:7.4f}")
    print(f"{sums['same']} of {sums['groups']} exponents are the same")
    my_model.load_state_dict(my_state, strict=False)
    theirs, mine = perplexity(model, held_out), perplexity(my_model, held_out)
    print(f"perplexity: full precision {full:.4f}, theirs {theirs:.4f}, ours {mine:.4f} ({mine / theirs - 1:+.2%})")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    first = commands.add_parser("prepare")
    first.add_argument("directory", type=pathlib.Path)
    first.add_argument("--model", type=pathlib.Path)
    second = commands.add_parser("compare")
    second.add_argument("directory", type=pathlib.Path)
    second.add_argument("--reference", type=pathlib.Path, required=True)
    arguments = parser.parse_args()
    if arguments.command == "prepare":
        prepare(arguments.directory, arguments.model)
    else:
        compare(arguments.directory, arguments.reference)


if __name__ == "__main__":
    main()
