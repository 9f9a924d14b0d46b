#!/usr/bin/env python3
"""Loads what `lowbit export` wrote with the tools that the formats belong to, and compares logits. Not run by any test: needs
transformers, compressed-tensors, bitsandbytes, peft and, for GPTQ and AWQ, gptqmodel and optimum.

    python3 tests/numerics/peer_formats.py --lowbit build/release/bin/lowbit [--work DIR]

A random LLaMA model is quantized by lowbit and exported. The reference of each row is format hf in float32: the dequantized
weights that lowbit evaluates, computed by transformers in float32 (for gptqmodel, which has no float32, in float16). Beside it
stands what the loader makes of the exported codes. `unpacked` rows are a NumPy unpacker written from the description of the format in
docs/formats.md: weights are compared, largest difference, absolute. The last table has perplexities of the same windows.
"""
import argparse
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import traceback

import numpy as np
import torch
import transformers
from safetensors import safe_open

SIZES = dict(hidden_size=128, intermediate_size=256, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2,
             vocab_size=96, max_position_embeddings=64, tie_word_embeddings=False)
IDS = torch.arange(40).remainder(96).view(2, 20)


def base_model(directory, dtype):
    torch.manual_seed(7)
    model = transformers.LlamaForCausalLM(transformers.LlamaConfig(**SIZES, rope_theta=10000.0, initializer_range=0.2)).to(dtype)
    model.save_pretrained(directory)
    config = json.loads((directory / "config.json").read_text())
    config["torch_dtype"] = config.pop("dtype", "float32")
    config["rope_theta"] = 10000.0
    for key in ("rope_parameters", "pad_token_id"):
        config.pop(key, None)
    (directory / "config.json").write_text(json.dumps(config))
    shutil.copy(pathlib.Path(__file__).parent / "data/random-llama3/tokenizer.json", directory)  # gptqmodel wants one
    (directory / "tokenizer_config.json").write_text('{"tokenizer_class": "PreTrainedTokenizerFast"}')


def tensors_of(directory):
    found = {}
    for file in sorted(directory.glob("*.safetensors")):
        with safe_open(file, "pt") as tensors:
            found |= {name: tensors.get_tensor(name) for name in tensors.keys()}
    return found


def bits(words, b, n):
    """int32 words [.., w] -> [.., n]: a stream of b-bit numbers, least significant first."""
    stream = np.unpackbits(words.astype("<i4").view(np.uint8), axis=-1, bitorder="little")
    return (stream[..., :n * b].reshape(*stream.shape[:-1], n, b) << np.arange(b)).sum(-1)


def unpack_gptq(t, module, config):
    b, shift = config["bits"], 1 if config["checkpoint_format"] == "gptq" else 0
    get = lambda name: t[f"{module}.{name}"].numpy()
    n, m = get("qweight").shape[0] * 32 // b, get("qweight").shape[1]
    codes = bits(np.ascontiguousarray(get("qweight").T), b, n)
    zeros = bits(get("qzeros"), b, m).T + shift
    scales, index = get("scales").astype(np.float32).T, get("g_idx")
    return scales[:, index] * (codes - zeros[:, index])


def unpack_awq(t, module, config):
    order = [0, 4, 1, 5, 2, 6, 3, 7]
    get = lambda name: t[f"{module}.{name}"].numpy()
    columns = lambda words: bits(words, 4, words.shape[1] * 8).reshape(len(words), -1, 8)[:, :, order].reshape(len(words), -1)
    codes, zeros, scales = columns(get("qweight")), columns(get("qzeros")), get("scales").astype(np.float32)
    index = np.arange(len(codes)) // (len(codes) // len(zeros))
    return ((codes - zeros[index]) * scales[index]).T.astype(np.float32)


def unpack_compressed(t, module, config):
    weights = config["config_groups"]["group_0"]["weights"]
    b = weights["num_bits"]
    m, n = t[f"{module}.weight_shape"].tolist()
    codes = bits(t[f"{module}.weight_packed"].numpy(), b, n)
    scales = t[f"{module}.weight_scale"].float().numpy()
    zeros = np.full(scales.shape, 2 ** (b - 1))
    if f"{module}.weight_zero_point" in t:
        zeros = bits(np.ascontiguousarray(t[f"{module}.weight_zero_point"].numpy().T), b, m).T
    index = np.arange(n) // (n // scales.shape[1])
    if f"{module}.weight_g_idx" in t:
        index = t[f"{module}.weight_g_idx"].numpy()
    return (scales[:, index] * (codes - zeros[:, index])).astype(np.float32)


UNPACK = {"gptq": unpack_gptq, "awq": unpack_awq, "compressed-tensors": unpack_compressed}


@torch.no_grad()
def logits(model):
    model.eval()
    device = next(model.parameters()).device
    return model(IDS.to(device)).logits.float().cpu()


def load(directory, dtype=torch.float32, **more):
    return transformers.AutoModelForCausalLM.from_pretrained(directory, dtype=dtype, attn_implementation="eager", **more)


def load_dequantized(directory):
    """transformers 5.23 leaves no room for packed zero points unless weights are dequantized as they are loaded."""
    return load(directory, quantization_config=transformers.CompressedTensorsConfig(dequantize=True))


def round_inputs(model):
    """Rounds what the linears of blocks read as compressed-tensors does: signed 8 bits, steps of max|x| / 127.5 by token."""
    def hook(_, args):
        x = args[0]
        step = x.abs().amax(-1, keepdim=True).clamp(min=torch.finfo(torch.float32).eps) / 127.5
        return (torch.clamp(torch.round(x / step), -128, 127) * step, *args[1:])
    for name, module in model.named_modules():
        if isinstance(module, torch.nn.Linear) and "lm_head" not in name:
            module.register_forward_pre_hook(hook)
    return model


def load_gptqmodel(directory):
    from gptqmodel import BACKEND, GPTQModel
    return GPTQModel.load(str(directory), device="cpu", backend=BACKEND.TORCH, dtype=torch.float16).model


def decompress(tensors, module, config):
    """compressed-tensors itself, without transformers around it."""
    from compressed_tensors.compressors.base import BaseCompressor
    from compressed_tensors.quantization import QuantizationArgs, QuantizationScheme
    group = config["config_groups"]["group_0"]
    scheme = QuantizationScheme(targets=["Linear"], weights=QuantizationArgs(**group["weights"]))
    own = {name[len(module) + 1:]: tensor for name, tensor in tensors.items() if name.startswith(module + ".")}
    own["weight_scale"] = own["weight_scale"].float()
    return BaseCompressor.get_value_from_registry(config["format"]).decompress(own, scheme)["weight"].numpy()


class Bench:
    def __init__(self, lowbit, work):
        self.lowbit, self.work = lowbit, work

    def run(self, *words):
        done = subprocess.run([self.lowbit, *map(str, words)], cwd=self.work, text=True, capture_output=True)
        if done.returncode != 0:
            sys.exit(f"lowbit {' '.join(map(str, words))}\n{done.stdout}{done.stderr}")
        return done.stderr

    def quantized(self, name, base, use, params, more=""):
        file = self.work / f"{name}.yaml"
        file.write_text(f"experiment: {name}\ninputs: {{base: {{type: model/1, path: {base}}}}}\nstages:\n"
                        f"  - {{id: {name}, use: {use}, with: {{model: inputs.base}}, params: {json.dumps(params)}}}\n{more}")
        self.run("run", file)
        return name

    def export(self, source, form, *words):
        out = self.work / f"{source}.{form}.{len(words)}"
        if out.exists():
            return out, []
        notes = self.run("export", source, "--format", form, *words, out)
        return out, [line for line in notes.splitlines() if line.startswith("note: ")]


def compare(bench, source, form, loader):
    reference, _ = bench.export(source, "hf", *(["--allow-loss"] if source.endswith("a8") else []))
    out, _ = bench.export(source, form)
    # gptqmodel computes in 16 bits only: its reference does too.
    expected_model = load(reference, torch.float16 if loader == "gptqmodel" else torch.float32)
    expected = logits(round_inputs(expected_model) if source.endswith("a8") else expected_model)
    try:
        found = logits({"gptqmodel": load_gptqmodel, "transformers, dequantized": load_dequantized}.get(loader, load)(out))
        difference = f"{(found - expected).abs().max().item():.1e}"
    except Exception as problem:  # a loader that cannot run here is a row, not the end
        traceback.print_exc()
        difference = f"not loaded: {type(problem).__name__}: {str(problem).splitlines()[0][:80]}"
    print(f"| {source} | {form} | {loader} | {difference} | {expected.abs().max().item():.1f} |", flush=True)
    config = json.loads((out / "config.json").read_text())["quantization_config"]
    packed, plain = tensors_of(out), tensors_of(reference)
    modules = [name[:-7] for name in plain if "_proj.weight" in name]
    for name, unpack in [("unpacked by NumPy", UNPACK.get(config["quant_method"]) if config.get("format") != "int-quantized" else None),
                         ("compressed-tensors alone", decompress if config["quant_method"] == "compressed-tensors" else None)]:
        if unpack is None:
            continue
        worst = max(np.abs(unpack(packed, module, config) - plain[f"{module}.weight"].numpy()).max() for module in modules)
        print(f"| {source} | {form} | {name}: weights | {worst:.1e} | |", flush=True)


def rounding_inputs(bench, source):
    """A copy of a model of the project that rounds the inputs of its linears to 8 bits, token by token."""
    found = subprocess.run([bench.lowbit, "query", "--json", "SELECT path FROM artifacts JOIN v_stages USING (result_id) "
                            f"WHERE stage = '{source}'"], cwd=bench.work, text=True, capture_output=True, check=True)
    name = f"{source}a8"
    shutil.copytree(bench.work / ".lowbit" / json.loads(found.stdout)[0]["path"], bench.work / name)
    file = bench.work / name / "quantization.json"
    content = json.loads(file.read_text())
    content["activations"] = {"inputs": {"num_bits": 8, "symmetric": True, "strategy": "token"}}
    file.write_text(json.dumps(content))
    return name


def perplexities(bench, sources):
    """Of models as lowbit evaluates them, of the same imported again, and of what transformers loads: on the same windows."""
    bench.run("run", bench.work / "index.yaml")
    windows = next((bench.work / ".lowbit/results").glob("*/windows/**/tokens.safetensors"), None) or \
        next((bench.work / ".lowbit").glob("**/tokens.safetensors"))
    with safe_open(windows, "pt") as tensors:
        ids = tensors.get_tensor("input_ids").long()
    print("| model | format | perplexity: lowbit | lowbit, imported again | transformers |\n| --- | --- | --- | --- | --- |")
    for source, form in sources:
        out, _ = bench.export(source, form)
        back = bench.work / f"{source}.{form}.back"
        bench.run("import", out, back)
        database = json.loads(subprocess.run(
            [bench.lowbit, "query", "--json", f"SELECT path FROM artifacts JOIN v_stages USING (result_id) WHERE stage = '{source}'"],
            cwd=bench.work, text=True, capture_output=True, check=True).stdout)
        values = []
        for directory in (bench.work / ".lowbit" / database[0]["path"], back):
            name = f"ppl{len(values)}_{source}_{form.replace('-', '_')}"
            (bench.work / f"{name}.yaml").write_text(
                f"experiment: {name}\ninputs: {{base: {{type: model/1, path: base}}, text: {{type: text/1, path: text.txt}}, "
                f"quantized: {{type: quantized-model/1, path: {directory}}}}}\nstages:\n"
                "  - {id: windows, use: lowbit.token-windows, with: {text: inputs.text, model: inputs.base}, "
                "params: {variant: peer, context_length: 32, bos: none}}\n"
                f"  - {{id: {name}, use: lowbit.perplexity, with: {{model: inputs.quantized, task: windows.batches}}}}\n")
            bench.run("run", bench.work / f"{name}.yaml")
            found = subprocess.run([bench.lowbit, "query", "--json", f"SELECT value FROM v_results WHERE stage = '{name}' AND metric LIKE "
                                    "'%/perplexity/token@%'"], cwd=bench.work, text=True, capture_output=True, check=True)
            values.append(json.loads(found.stdout)[0]["value"])
        with torch.no_grad():
            found = load(out)(ids, use_cache=False).logits[:, :-1].double()
        values.append(torch.nn.functional.cross_entropy(found.flatten(0, 1), ids[:, 1:].flatten()).exp().item())
        print(f"| {source} | {form} | " + " | ".join(f"{value:.6f}" for value in values) + " |", flush=True)


def adapter(bench):
    """An adapter that PEFT wrote, imported, exported again and loaded by PEFT; and merged into its base by lowbit."""
    import peft
    torch.manual_seed(3)
    model = peft.get_peft_model(load(bench.work / "base"), peft.LoraConfig(
        r=8, lora_alpha=16, target_modules=["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"],
        task_type="CAUSAL_LM"))
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            parameter.data = 0.1 * torch.randn_like(parameter)
    model.save_pretrained(bench.work / "peft")
    expected = logits(model)
    bench.run("import", "peft", "adapter", "--base", "base")
    bench.run("export", "adapter", "--format", "peft", "--base", "base", "--base-model", bench.work / "base", "peft.again")
    bench.run("export", "adapter", "--format", "hf", "--base", "base", "merged")
    again = logits(peft.PeftModel.from_pretrained(load(bench.work / "base"), bench.work / "peft.again"))
    merged = logits(load(bench.work / "merged"))
    for form, found in [("peft", again), ("hf", merged)]:
        print(f"| adapter | {form} | {'PEFT' if form == 'peft' else 'transformers'} | {(found - expected).abs().max().item():.1e} | "
              f"{expected.abs().max().item():.1f} |", flush=True)


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--lowbit", required=True, type=pathlib.Path)
    options.add_argument("--work", type=pathlib.Path)
    options.add_argument("--skip", default="", help="loaders that are not there, with commas: gptqmodel,bitsandbytes")
    given = options.parse_args()
    skip = given.skip.split(",")
    work = given.work or pathlib.Path(tempfile.mkdtemp())
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    torch.set_num_threads(1)
    bench = Bench(given.lowbit.resolve(), work)
    base_model(work / "base", torch.float32)
    print("| model | format | loader | largest difference | largest logit |\n| --- | --- | --- | --- | --- |")
    rtn = lambda **params: params
    for name, params, rows in [
        ("w4g32sym", rtn(num_bits=4, group_size=32, symmetric=True), [("gptq", "gptqmodel"), ("compressed-tensors", "transformers")]),
        ("w4g32asym", rtn(num_bits=4, group_size=32), [("gptq", "gptqmodel"), ("awq", "gptqmodel"), ("compressed-tensors", "transformers, dequantized")]),
        ("w3sym", rtn(num_bits=3, group_size=32, symmetric=True), [("gptq", "gptqmodel")]),
        ("w2g32asym", rtn(num_bits=2, group_size=32), [("gptq-v2", "gptqmodel")]),
        ("w8", rtn(num_bits=8, group_size=-1, symmetric=True), [("gptq", "gptqmodel"), ("compressed-tensors", "transformers")]),
    ]:
        bench.quantized(name, "base", "lowbit.rtn", params)
        for form, loader in rows:
            if loader not in skip:
                compare(bench, name, form, loader)
    compare(bench, rounding_inputs(bench, "w8"), "compressed-tensors", "transformers")

    # Groups formed by the size of activations: a group index.
    fixture = pathlib.Path(__file__).parent / "data/random-llama3/reference.json"
    (work / "text.txt").write_text(json.loads(fixture.read_text())["perplexity"]["text"] * 20)
    (work / "index.yaml").write_text(
        "experiment: index\ninputs: {base: {type: model/1, path: base}, text: {type: text/1, path: text.txt}}\nstages:\n"
        "  - {id: windows, use: lowbit.token-windows, with: {text: inputs.text, model: inputs.base}, "
        "params: {variant: peer, context_length: 32, bos: none}}\n"
        "  - {id: w4index, use: lowbit.gptq, with: {model: inputs.base, calibration: windows.batches}, "
        "params: {num_bits: 4, group_size: 32, symmetric: true, actorder: group}}\n")
    bench.run("run", work / "index.yaml")
    if "gptqmodel" not in skip:
        compare(bench, "w4index", "gptq", "gptqmodel")
    for name, params in [("nf4", {}), ("nf4plain", {"double_quant": False})]:
        bench.quantized(name, "base", "lowbit.nf4", params)
        compare(bench, name, "bitsandbytes", "transformers")
    adapter(bench)
    perplexities(bench, [("w4g32sym", "compressed-tensors"), ("w8", "compressed-tensors"), ("nf4", "bitsandbytes")])


if __name__ == "__main__":
    main()
