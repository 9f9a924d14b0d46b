#!/usr/bin/env python3
"""What Hugging Face transformers takes on the CPU for a model of Llama-3.2-1B's shape with random weights, on files that
lowbit reads too. Needs the packages transformers, torch, safetensors and tokenizers; not part of the tests.

    python3 tests/bench/peer_transformers_speed.py DIR --threads 2

DIR is written unless there is a model in it (2.5 GB): config.json, model.safetensors in bf16, a tokenizer.json that knows
whole words (w3 is token 3), text.txt of as many tokens as the largest perplexity batch, prompts.txt of a prompt a line. The
same options give the same files. Then one JSON line per measurement, medians over the rounds; first the versions.

perplexity  one batch through the model and the losses of its tokens. The output matrix is applied to 256 positions at a
            time: all logits of four windows of 2048 tokens would be 4 GB in fp32, and transformers' own loss copies them.
generate    greedy, never stopped early. tokens_per_s counts the new tokens over the whole call, prefill included;
            decode_tokens_per_s those after the first over the time beyond a call for one token.

With fewer layers than 16 the rates are of that smaller model and are named so (tokens_per_s_of_1_layer): embedding and
output matrix, a fifth of the whole model, weigh more in them.
"""
import argparse
import json
import os
import pathlib
import platform
import statistics
import sys
import time

N_LAYERS = 16
BOS = 128000


def parse_arguments():
    def numbers(text):
        return [int(n) for n in text.split(",")]

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=pathlib.Path)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--layers", type=int, default=N_LAYERS)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--dtypes", default="bf16,fp32", type=lambda text: text.split(","))
    parser.add_argument("--context", type=int, default=2048, help="tokens of a perplexity window")
    parser.add_argument("--perplexity-batches", default=[1, 4], type=numbers, metavar="N,N", help="windows; 0: none")
    parser.add_argument("--prompt", type=int, default=128, help="tokens, the first among them")
    parser.add_argument("--new", type=int, default=128, help="tokens generated, at least 2")
    parser.add_argument("--generate-batches", default=[1, 32], type=numbers, metavar="N,N", help="prompts; 0: none")
    parser.add_argument("--clock", choices=["wall", "cpu"], default="wall",
                        help="time that passes, or processor time of all threads: with one thread, for busy machines")
    parser.add_argument("--only-write", action="store_true")
    return parser.parse_args()


args = parse_arguments()
# Read by the runtime when torch is loaded.
os.environ["OMP_NUM_THREADS"] = str(args.threads)

import safetensors.torch  # noqa: E402
import tokenizers  # noqa: E402
import torch  # noqa: E402
import transformers  # noqa: E402

DTYPES = {"bf16": torch.bfloat16, "fp32": torch.float32}


def config_of(layers):
    return {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "attention_bias": False, "mlp_bias": False,
            "bos_token_id": BOS, "eos_token_id": BOS + 1, "head_dim": 64, "hidden_act": "silu", "hidden_size": 2048,
            "initializer_range": 0.02, "intermediate_size": 8192, "max_position_embeddings": 131072,
            "num_attention_heads": 32, "num_hidden_layers": layers, "num_key_value_heads": 8, "rms_norm_eps": 1e-5,
            "rope_scaling": {"factor": 32.0, "high_freq_factor": 4.0, "low_freq_factor": 1.0,
                             "original_max_position_embeddings": 8192, "rope_type": "llama3"},
            "rope_theta": 500000.0, "tie_word_embeddings": True, "torch_dtype": "bfloat16", "use_cache": True,
            "vocab_size": 128256}


def write_weights(config, file):
    generator = torch.Generator().manual_seed(1)
    h, f, d = config["hidden_size"], config["intermediate_size"], config["head_dim"]
    n, m = config["num_attention_heads"] * d, config["num_key_value_heads"] * d
    tensors = {}

    def matrix(name, rows, columns):
        tensors[name] = torch.empty(rows, columns).normal_(0, config["initializer_range"], generator=generator).bfloat16()

    matrix("model.embed_tokens.weight", config["vocab_size"], h)
    tensors["model.norm.weight"] = torch.ones(h, dtype=torch.bfloat16)
    for i in range(config["num_hidden_layers"]):
        p = f"model.layers.{i}."
        for name, rows, columns in (("self_attn.q_proj", n, h), ("self_attn.k_proj", m, h), ("self_attn.v_proj", m, h),
                                    ("self_attn.o_proj", h, n), ("mlp.gate_proj", f, h), ("mlp.up_proj", f, h),
                                    ("mlp.down_proj", h, f)):
            matrix(f"{p}{name}.weight", rows, columns)
        for name in ("input_layernorm", "post_attention_layernorm"):
            tensors[f"{p}{name}.weight"] = torch.ones(h, dtype=torch.bfloat16)
    safetensors.torch.save_file(tensors, file, metadata={"format": "pt"})


def tokenizer_of(config):
    special = {"<s>": BOS, "</s>": BOS + 1, "<unk>": BOS + 2}
    names = {i: t for t, i in special.items()}
    vocab = {names.get(i, f"w{i}"): i for i in range(config["vocab_size"])}
    begin = {"SpecialToken": {"id": "<s>", "type_id": 0}}
    return {"version": "1.0", "truncation": None, "padding": None,
            "added_tokens": [{"id": i, "content": t, "single_word": False, "lstrip": False, "rstrip": False,
                              "normalized": False, "special": True} for t, i in special.items()],
            "normalizer": None, "pre_tokenizer": {"type": "WhitespaceSplit"},
            "post_processor": {"type": "TemplateProcessing", "single": [begin, {"Sequence": {"id": "A", "type_id": 0}}],
                               "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
                               "special_tokens": {"<s>": {"id": "<s>", "ids": [BOS], "tokens": ["<s>"]}}},
            "decoder": None, "model": {"type": "WordLevel", "vocab": vocab, "unk_token": "<unk>"}}


def write_files(directory):
    directory.mkdir(parents=True, exist_ok=True)
    config, file = config_of(args.layers), directory / "config.json"
    if file.exists() and json.loads(file.read_text()) != config:
        sys.exit(f"{file} is of another model; choose another directory, or --layers as it was")
    if not file.exists():
        write_weights(config, directory / "model.safetensors")
        (directory / "tokenizer.json").write_text(json.dumps(tokenizer_of(config)))
        file.write_text(json.dumps(config, indent=1) + "\n")  # last: it says that the others are whole
    generator = torch.Generator().manual_seed(2)

    def words(count):  # one token comes from the tokenizer: the first
        return " ".join(f"w{i}" for i in torch.randint(0, BOS, (count - 1,), generator=generator).tolist())

    if max(args.perplexity_batches) > 0:
        (directory / "text.txt").write_text(words(args.context * max(args.perplexity_batches)) + "\n")
    prompts = [words(args.prompt) for _ in range(max(args.generate_batches))]
    (directory / "prompts.txt").write_text("".join(p + "\n" for p in prompts))


def median_seconds(work, warm_up):
    """And the times of all rounds."""
    clock = time.process_time if args.clock == "cpu" else time.perf_counter
    warm_up()
    times = []
    for _ in range(args.rounds):
        start = clock()
        work()
        times.append(clock() - start)
    return statistics.median(times), [round(t, 4) for t in times]


@torch.inference_mode()
def token_losses(model, ids):
    """[rows, positions - 1] in nats, fp32."""
    hidden = model.model(ids, use_cache=False).last_hidden_state[:, :-1]
    parts = []
    for begin in range(0, hidden.shape[1], 256):
        logits = model.lm_head(hidden[:, begin:begin + 256]).float()
        targets = ids[:, begin + 1:begin + 1 + logits.shape[1]]
        parts.append(torch.nn.functional.cross_entropy(logits.transpose(1, 2), targets, reduction="none"))
    return torch.cat(parts, 1)


@torch.inference_mode()
def generate(model, ids, n_new):
    out = model.generate(ids, attention_mask=torch.ones_like(ids), do_sample=False, min_new_tokens=n_new,
                         max_new_tokens=n_new, eos_token_id=None, pad_token_id=BOS + 1)
    if out.shape[1] != ids.shape[1] + n_new:
        sys.exit(f"asked for {n_new} tokens, got {out.shape[1] - ids.shape[1]}")


def main():
    if args.new < 2 or set(args.dtypes) - set(DTYPES):
        sys.exit(f"--new is at least 2, --dtypes of {', '.join(DTYPES)}")
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    torch.set_num_threads(args.threads)
    write_files(args.directory)
    if args.only_write:
        return
    named = "" if args.layers == N_LAYERS else f"_of_{args.layers}_layer{'s' if args.layers > 1 else ''}"
    tokenizer = tokenizers.Tokenizer.from_file(str(args.directory / "tokenizer.json"))
    prompts = [tokenizer.encode(line).ids for line in (args.directory / "prompts.txt").read_text().splitlines()]
    print(json.dumps({"transformers": transformers.__version__, "torch": torch.__version__, "threads": torch.get_num_threads(),
                      "machine": platform.machine(), "instructions": torch.backends.cpu.get_cpu_capability()}), flush=True)
    for dtype in args.dtypes:
        model = transformers.AutoModelForCausalLM.from_pretrained(args.directory, dtype=DTYPES[dtype]).eval()
        model.generation_config.eos_token_id = None
        common = {"dtype": dtype, "layers": args.layers, "threads": torch.get_num_threads(),
                  "attention": model.config._attn_implementation}
        for batch in filter(None, args.perplexity_batches):
            ids = tokenizer.encode((args.directory / "text.txt").read_text()).ids
            windows = torch.tensor(ids)[:batch * args.context].view(batch, args.context)
            losses = []
            seconds, all_seconds = median_seconds(lambda: losses.append(token_losses(model, windows)),
                                                  lambda: token_losses(model, windows[:, :64]))
            print(json.dumps({"what": "perplexity", **common, "batch": batch, "context": args.context,
                              "mean_nll": round(losses[-1].double().mean().item(), 6), "seconds": all_seconds,
                              "tokens_per_s" + named: round(windows.numel() / seconds, 2)}), flush=True)
        for batch in filter(None, args.generate_batches):
            ids = torch.tensor(prompts[:batch])
            first, _ = median_seconds(lambda: generate(model, ids, 1), lambda: generate(model, ids[:, :8], 2))
            seconds, all_seconds = median_seconds(lambda: generate(model, ids, args.new), lambda: None)
            print(json.dumps({"what": "generate", **common, "batch": batch, "prompt": args.prompt, "new": args.new,
                              "seconds": all_seconds, "first_token_seconds": round(first, 4),
                              "tokens_per_s" + named: round(batch * args.new / seconds, 2),
                              "decode_tokens_per_s" + named: round(batch * (args.new - 1) / (seconds - first), 2)}), flush=True)
        del model


if __name__ == "__main__":
    main()
