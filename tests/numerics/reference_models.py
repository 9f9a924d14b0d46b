#!/usr/bin/env python3
"""Makes the committed fixtures in tests/numerics/data: seeded random models (LLaMA, Mistral, Qwen2, OPT) in Hugging Face
directories, and what they compute. An independent reference: float64 NumPy, one position at a time, no code shared with the
C++ library.

    python3 tests/numerics/reference_models.py            # writes tests/numerics/data
    python3 tests/numerics/reference_models.py --check    # computes again and compares with what is committed

The models, where they differ from LLaMA:

Mistral     every layer attends within a window: the query at position p sees the keys p - window + 1 .. p.
Qwen2       biases on q, k and v; the window is on only with use_sliding_window, and then on the layers from
            max_window_layers on.
OPT         learned positions, stored from row 2 on (row p + 2 for position p); biases on all linear maps of the layers;
            LayerNorm with eps 1e-5; ReLU; </s> in front of the text. With do_layer_norm_before false (350M) the norms
            follow the residual sums and there is none at the end; with word_embed_proj_dim other than hidden_size two
            maps without bias lead from the embedding into the layers and from the last of them to the tied head.
"""
import argparse
import json
import pathlib
import struct
import sys

import numpy as np

DATA = pathlib.Path(__file__).parent / "data"


# ---------------------------------------------------------------------------------------------- models and their files
def bf16(x):
    """Nearest bfloat16 (ties to even), as float64."""
    bits = np.asarray(x, np.float32).view(np.uint32).astype(np.uint64)
    bits = (bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000
    return bits.astype(np.uint32).view(np.float32).astype(np.float64)


def as_stored(weights, dtype):
    stored = {"BF16": bf16, "F16": lambda x: x.astype(np.float16).astype(np.float64),
              "F32": lambda x: x.astype(np.float32).astype(np.float64)}[dtype]
    return {name: stored(value) for name, value in weights.items()}


def head_dim(config):
    """Mistral and Qwen2 may leave it out."""
    return config.get("head_dim", config["hidden_size"] // config["num_attention_heads"])


def make_weights(config, rng, dtype):
    if config["model_type"] == "opt":
        return make_opt_weights(config, rng, dtype)
    h, f, d = config["hidden_size"], config["intermediate_size"], head_dim(config)
    n, m, v = config["num_attention_heads"], config["num_key_value_heads"], config["vocab_size"]
    weights = {"model.embed_tokens.weight": rng.standard_normal((v, h)) * 0.6,
               "model.norm.weight": 1 + 0.3 * rng.standard_normal(h)}
    for i in range(config["num_hidden_layers"]):
        shapes = {"self_attn.q_proj": (n * d, h), "self_attn.k_proj": (m * d, h), "self_attn.v_proj": (m * d, h),
                  "self_attn.o_proj": (h, n * d), "mlp.gate_proj": (f, h), "mlp.up_proj": (f, h), "mlp.down_proj": (h, f)}
        for name, shape in shapes.items():
            weights[f"model.layers.{i}.{name}.weight"] = rng.standard_normal(shape) * 1.6 / np.sqrt(shape[1])
        for name in ("input_layernorm", "post_attention_layernorm"):
            weights[f"model.layers.{i}.{name}.weight"] = 1 + 0.3 * rng.standard_normal(h)
    if not config["tie_word_embeddings"]:
        weights["lm_head.weight"] = rng.standard_normal((v, h)) * 0.6
    if config["model_type"] == "qwen2":
        for i in range(config["num_hidden_layers"]):
            for name, size in {"q_proj": n * d, "k_proj": m * d, "v_proj": m * d}.items():
                weights[f"model.layers.{i}.self_attn.{name}.bias"] = 0.7 * rng.standard_normal(size)
    return as_stored(weights, dtype)


def make_opt_weights(config, rng, dtype):
    h, f, e = config["hidden_size"], config["ffn_dim"], config["word_embed_proj_dim"]
    weights = {}

    def linear(name, rows, columns, bias=True):
        weights[name + ".weight"] = rng.standard_normal((rows, columns)) * 2.4 / np.sqrt(columns)
        if bias:
            weights[name + ".bias"] = 0.3 * rng.standard_normal(rows)

    def norm(name):
        weights[name + ".weight"] = 1 + 0.3 * rng.standard_normal(h)
        weights[name + ".bias"] = 0.3 * rng.standard_normal(h)

    p = "model.decoder."
    weights[p + "embed_tokens.weight"] = rng.standard_normal((config["vocab_size"], e)) * 0.6
    weights[p + "embed_positions.weight"] = rng.standard_normal((config["max_position_embeddings"] + 2, h))
    if e != h:
        linear(p + "project_in", h, e, bias=False)
        linear(p + "project_out", e, h, bias=False)
    if config["do_layer_norm_before"]:
        norm(p + "final_layer_norm")
    for i in range(config["num_hidden_layers"]):
        layer = f"{p}layers.{i}."
        for name in ("q_proj", "k_proj", "v_proj", "out_proj"):
            linear(layer + "self_attn." + name, h, h)
        linear(layer + "fc1", f, h)
        linear(layer + "fc2", h, f)
        norm(layer + "self_attn_layer_norm")
        norm(layer + "final_layer_norm")
    return as_stored(weights, dtype)


def safetensors_bytes(tensors, dtype):
    header, data = {}, b""
    for name in sorted(tensors):
        array = tensors[name].astype(np.float32)
        raw = ((array.view(np.uint32) >> 16).astype("<u2") if dtype == "BF16" else
               array.astype({"F16": "<f2", "F32": "<f4"}[dtype])).tobytes()
        header[name] = {"dtype": dtype, "shape": list(array.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + data


WORDS = ("tom ann has had gets gives finds loses buys sells red blue big small apple apples box boxes and then with more "
         "than two three four five . , ? how many now left in all").split()


def word_level_tokenizer(special=("<pad>", "<s>", "</s>", "<unk>"), begin="<s>"):
    """Whole words between blanks; `begin` in front."""
    vocab = {w: i for i, w in enumerate(list(special) + WORDS)}
    added = [{"id": vocab[t], "content": t, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False,
              "special": True} for t in special]
    return {"version": "1.0", "truncation": None, "padding": None, "added_tokens": added, "normalizer": None,
            "pre_tokenizer": {"type": "WhitespaceSplit"},
            "post_processor": {"type": "TemplateProcessing",
                               "single": [{"SpecialToken": {"id": begin, "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
                               "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
                               "special_tokens": {begin: {"id": begin, "ids": [vocab[begin]], "tokens": [begin]}}},
            "decoder": None, "model": {"type": "WordLevel", "vocab": vocab, "unk_token": "<unk>"}}


def bpe_tokenizer():
    """SentencePiece-like BPE: byte fallback, U+2581 for blanks, <s> in front."""
    mark = "\u2581"
    pieces = ["<unk>", "<s>", "</s>"] + [f"<0x{b:02X}>" for b in range(256)]
    merges = [(mark, "t"), ("h", "e"), (mark + "t", "he"), ("a", "n"), ("an", "d"), (mark, "and"), ("i", "n"), ("o", "n"),
              ("r", "e"), (mark, "a"), ("e", "r")]
    pieces += [a + b for a, b in merges] + [mark] + list("abcdefghijklmnopqrstuvwxyz.,")
    vocab = {p: i for i, p in enumerate(pieces)}
    added = [{"id": vocab[t], "content": t, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False,
              "special": True} for t in ("<unk>", "<s>", "</s>")]
    return {"version": "1.0", "truncation": None, "padding": None, "added_tokens": added,
            "normalizer": {"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": mark},
                                                               {"type": "Replace", "pattern": {"String": " "}, "content": mark}]},
            "pre_tokenizer": None,
            "post_processor": {"type": "TemplateProcessing",
                               "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
                               "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
                               "special_tokens": {"<s>": {"id": "<s>", "ids": [1], "tokens": ["<s>"]}}},
            "decoder": {"type": "Sequence", "decoders": [{"type": "Replace", "pattern": {"String": mark}, "content": " "},
                                                         {"type": "ByteFallback"}, {"type": "Fuse"},
                                                         {"type": "Strip", "content": " ", "start": 1, "stop": 0}]},
            "model": {"type": "BPE", "dropout": None, "unk_token": "<unk>", "continuing_subword_prefix": None,
                      "end_of_word_suffix": None, "fuse_unk": True, "byte_fallback": True, "vocab": vocab,
                      "merges": [f"{a} {b}" for a, b in merges]}}


# --------------------------------------------------------------------------------------------------- tokens, by the book
def encode(tokenizer, text):
    vocab = tokenizer["model"]["vocab"]
    begin = tokenizer["post_processor"]["single"][0]["SpecialToken"]["id"]
    if tokenizer["model"]["type"] == "WordLevel":
        return [vocab[begin]] + [vocab.get(w, vocab["<unk>"]) for w in text.split()]
    symbols = []
    for c in "\u2581" + text.replace(" ", "\u2581"):
        symbols += [c] if c in vocab else [f"<0x{b:02X}>" for b in c.encode()]
    rank = {tuple(m.split(" ")): i for i, m in enumerate(tokenizer["model"]["merges"])}
    while True:
        best = min(((rank.get(p, len(rank)), i) for i, p in enumerate(zip(symbols, symbols[1:]))), default=(len(rank), 0))
        if best[0] == len(rank):
            return [vocab[begin]] + [vocab[s] for s in symbols]
        symbols[best[1]:best[1] + 2] = [symbols[best[1]] + symbols[best[1] + 1]]


def decode(tokenizer, ids):
    piece = {i: p for p, i in tokenizer["model"]["vocab"].items()}
    special = {t["id"] for t in tokenizer["added_tokens"]}
    pieces = [piece[i] for i in ids if i not in special]
    if tokenizer["model"]["type"] == "WordLevel":
        return " ".join(pieces)
    out, run = "", b""
    for p in pieces + [""]:
        if len(p) == 6 and p.startswith("<0x"):
            run += bytes([int(p[3:5], 16)])
            continue
        if run:
            try:
                out += run.decode()
            except UnicodeDecodeError:
                out += "\ufffd" * len(run)
            run = b""
        out += p.replace("\u2581", " ")
    return out[1:] if out.startswith(" ") else out


# ------------------------------------------------------------------------------------------------------------ the models
class Model:
    """step(token, cache): logits after one more token. cache: per layer a list of (k, v), each [heads, d], grown in place."""

    def __init__(self, config, weights):
        self.c, self.w = config, weights

    def attention(self, q, seen):
        """q: [heads, d]; neighbouring query heads share a key/value head where there are fewer of those."""
        n, d = q.shape
        heads = []
        for j in range(n):
            g = j // (n // len(seen[0][0]))
            s = np.array([q[j] @ keys[g] for keys, _ in seen]) / np.sqrt(d)
            s = np.exp(s - s.max())
            heads.append((s / s.sum()) @ np.array([values[g] for _, values in seen]))
        return np.concatenate(heads)

    def logits(self, ids):
        cache = [[] for _ in range(self.c["num_hidden_layers"])]
        return np.array([self.step(t, cache) for t in ids])

    def nll(self, ids):
        z = self.logits(ids)[:-1]
        z = z - z.max(axis=1, keepdims=True)
        return np.log(np.exp(z).sum(axis=1)) - z[np.arange(len(ids) - 1), ids[1:]]

    def greedy(self, ids, n_new, stop):
        """Answer, and the smallest gap between best and second-best logit on the way."""
        cache = [[] for _ in range(self.c["num_hidden_layers"])]
        for t in ids:
            z = self.step(t, cache)
        answer, gap = [], np.inf
        for _ in range(n_new):
            top = np.sort(z)[-2:]
            gap = min(gap, top[1] - top[0])
            t = int(np.argmax(z))
            if t in stop:
                break
            answer.append(t)
            z = self.step(t, cache)
        return answer, gap


class Llama(Model):
    """And Mistral and Qwen2."""

    def norm(self, x, name):
        return x / np.sqrt(np.mean(x * x) + self.c["rms_norm_eps"]) * self.w[name]

    def frequency(self, f):
        """Llama 3.1's rule by wavelength."""
        s = self.c.get("rope_scaling")
        if s is None:
            return f
        wavelength, context = 2 * np.pi / f, s["original_max_position_embeddings"]
        if wavelength > context / s["low_freq_factor"]:
            return f / s["factor"]
        if wavelength < context / s["high_freq_factor"]:
            return f
        smooth = (context / wavelength - s["low_freq_factor"]) / (s["high_freq_factor"] - s["low_freq_factor"])
        return (1 - smooth) * f / s["factor"] + smooth * f

    def rope(self, x, position):
        """x: [heads, d]; pairs are (i, i + d/2)."""
        d = x.shape[-1]
        angle = position * np.array([self.frequency(self.c["rope_theta"] ** (-i / d)) for i in range(0, d, 2)])
        a, b = x[:, : d // 2], x[:, d // 2:]
        return np.concatenate([a * np.cos(angle) - b * np.sin(angle), b * np.cos(angle) + a * np.sin(angle)], axis=1)

    def window(self, layer):
        """Number of keys that a query sees, its own among them; None: all before it."""
        on = {"llama": False, "mistral": True,
              "qwen2": self.c.get("use_sliding_window") and layer >= self.c.get("max_window_layers", 0)}
        return self.c["sliding_window"] if on[self.c["model_type"]] else None

    def linear(self, name, x):
        return self.w[name + ".weight"] @ x + self.w.get(name + ".bias", 0.0)

    def step(self, token, cache):
        c, w = self.c, self.w
        n, m, d = c["num_attention_heads"], c["num_key_value_heads"], head_dim(c)
        position = len(cache[0])
        x = w["model.embed_tokens.weight"][token].copy()
        for i in range(c["num_hidden_layers"]):
            p = f"model.layers.{i}."
            a = self.norm(x, p + "input_layernorm.weight")
            q = self.rope(self.linear(p + "self_attn.q_proj", a).reshape(n, d), position)
            k = self.rope(self.linear(p + "self_attn.k_proj", a).reshape(m, d), position)
            v = self.linear(p + "self_attn.v_proj", a).reshape(m, d)
            cache[i].append((k, v))
            seen = cache[i][-self.window(i):] if self.window(i) else cache[i]
            x = x + w[p + "self_attn.o_proj.weight"] @ self.attention(q, seen)
            a = self.norm(x, p + "post_attention_layernorm.weight")
            gate = w[p + "mlp.gate_proj.weight"] @ a
            x = x + w[p + "mlp.down_proj.weight"] @ (gate / (1 + np.exp(-gate)) * (w[p + "mlp.up_proj.weight"] @ a))
        head = w["model.embed_tokens.weight" if c["tie_word_embeddings"] else "lm_head.weight"]
        return head @ self.norm(x, "model.norm.weight")


class Opt(Model):
    def norm(self, x, name):
        x = x - x.mean()
        return x / np.sqrt(np.mean(x * x) + 1e-5) * self.w[name + ".weight"] + self.w[name + ".bias"]

    def linear(self, name, x):
        return self.w[name + ".weight"] @ x + self.w[name + ".bias"]

    def step(self, token, cache):
        c, w = self.c, self.w
        n, d = c["num_attention_heads"], c["hidden_size"] // c["num_attention_heads"]
        before, projected = c["do_layer_norm_before"], c["word_embed_proj_dim"] != c["hidden_size"]
        embedding = w["model.decoder.embed_tokens.weight"]
        x = embedding[token]
        if projected:
            x = w["model.decoder.project_in.weight"] @ x
        x = x + w["model.decoder.embed_positions.weight"][len(cache[0]) + 2]
        for i in range(c["num_hidden_layers"]):
            p = f"model.decoder.layers.{i}."
            a = self.norm(x, p + "self_attn_layer_norm") if before else x
            q, k, v = (self.linear(f"{p}self_attn.{t}_proj", a).reshape(n, d) for t in "qkv")
            cache[i].append((k, v))
            x = x + self.linear(p + "self_attn.out_proj", self.attention(q, cache[i]))
            x = x if before else self.norm(x, p + "self_attn_layer_norm")
            a = self.norm(x, p + "final_layer_norm") if before else x
            x = x + self.linear(p + "fc2", np.maximum(self.linear(p + "fc1", a), 0))
            x = x if before else self.norm(x, p + "final_layer_norm")
        if before:
            x = self.norm(x, "model.decoder.final_layer_norm")
        if projected:
            x = w["model.decoder.project_out.weight"] @ x
        return embedding @ x


def model_of(config, weights):
    return (Opt if config["model_type"] == "opt" else Llama)(config, weights)


# -------------------------------------------------------------------------------------------------------------- fixtures
def config_of(vocab_size, tied, dtype, **sizes):
    return {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "attention_bias": False, "mlp_bias": False,
            "bos_token_id": 1, "eos_token_id": 2, "hidden_act": "silu", "max_position_embeddings": 96, "rms_norm_eps": 1e-5,
            "rope_scaling": None, "tie_word_embeddings": tied, "torch_dtype": dtype, "vocab_size": vocab_size, **sizes}


def opt_config(vocab_size, dtype, **sizes):
    return {"architectures": ["OPTForCausalLM"], "model_type": "opt", "_remove_final_layer_norm": False,
            "activation_dropout": 0.0, "activation_function": "relu", "attention_dropout": 0.0, "bos_token_id": 2,
            "dropout": 0.1, "eos_token_id": 2, "init_std": 0.02, "layerdrop": 0.0, "max_position_embeddings": 96,
            "pad_token_id": 1, "prefix": "</s>", "torch_dtype": dtype, "use_cache": True, "vocab_size": vocab_size, **sizes}


def check_windows(config, weights, ids):
    """Refuses a fixture whose last logits would not tell a wrong window from the right one."""
    right = model_of(config, weights).logits(ids)[-3:]
    size = config["sliding_window"]
    wrong = [{"sliding_window": size - 1}, {"sliding_window": size + 1}, {"sliding_window": len(ids)}]
    if config["model_type"] == "qwen2":
        wrong += [{"max_window_layers": config["max_window_layers"] + by} for by in (-1, 1)]
    for change in wrong:
        difference = np.abs(model_of(config | change, weights).logits(ids)[-3:] - right).max()
        if difference < 0.1:
            sys.exit(f"choose another seed: {change} changes the last logits by {difference:.1e} only")


def reference(config, weights, tokenizer, prompts, text):
    model = model_of(config, weights)
    ids = encode(tokenizer, prompts[0])
    long_ids = encode(tokenizer, text)
    if config.get("sliding_window"):
        check_windows(config, weights, ids)
    out = {"text": prompts[0], "ids": ids, "last_logits": model.logits(ids)[-3:].tolist(), "nll": model.nll(ids).tolist(),
           "greedy": []}
    for prompt in prompts:
        answer, gap = model.greedy(encode(tokenizer, prompt), 24, [config["eos_token_id"]])
        if gap < 1e-2 or len(set(answer)) < 8:
            sys.exit(f"choose another seed: smallest gap {gap:.1e}, {len(set(answer))} different tokens")
        out["greedy"].append({"prompt": prompt, "ids": answer, "text": decode(tokenizer, answer)})
    length, windows = 16, []
    for begin in range(0, len(long_ids) - length + 1, length):
        windows.append(model.nll(long_ids[begin:begin + length]))
    # Half-overlapping windows: in all but the first, only the second half is scored.
    overlapping = [model.nll(long_ids[b:b + length])[0 if b == 0 else length // 2 - 1:]
                   for b in range(0, len(long_ids) - length + 1, length // 2)]
    out["perplexity"] = {"text": text, "n_ids": len(long_ids), "context_length": length,
                         "side_by_side": {"nll": [w.sum() for w in windows], "count": sum(map(len, windows)),
                                          "perplexity": float(np.exp(np.concatenate(windows).mean()))},
                         "stride_8": {"count": sum(map(len, overlapping)),
                                      "perplexity": float(np.exp(np.concatenate(overlapping).mean()))}}
    return out


def fixtures():
    """Yields (relative path, bytes)."""
    def text_of(value):  # one top-level key a line
        lines = [f" {json.dumps(k)}: {json.dumps(v, ensure_ascii=False)}" for k, v in value.items()]
        return ("{\n" + ",\n".join(lines) + "\n}\n").encode()

    def numbers(value):  # ten digits, far below every tolerance
        if isinstance(value, float):
            return float(f"{value:.10g}")
        if isinstance(value, dict):
            return {k: numbers(v) for k, v in value.items()}
        return [numbers(v) for v in value] if isinstance(value, (list, tuple)) else value

    def in_one_file(name, config, seed, tokenizer, prompts, text):
        dtype = {"bfloat16": "BF16", "float16": "F16", "float32": "F32"}[config["torch_dtype"]]
        weights = make_weights(config, np.random.default_rng(seed), dtype)
        yield f"{name}/model.safetensors", safetensors_bytes(weights, dtype)
        yield f"{name}/config.json", text_of(config)
        yield f"{name}/tokenizer.json", text_of(tokenizer)
        yield f"{name}/reference.json", text_of(numbers(reference(config, weights, tokenizer, prompts, text)))

    tokenizer = word_level_tokenizer()
    config = config_of(len(tokenizer["model"]["vocab"]), False, "float32", hidden_size=32, intermediate_size=44, head_dim=8,
                       num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2, rope_theta=10000.0)
    weights = make_weights(config, np.random.default_rng(41), "F32")
    words = np.random.default_rng(1).choice(WORDS, 90)
    name = "random-untied"
    halves = {"model-00001-of-00002.safetensors": {k: v for k, v in weights.items() if ".layers.1." not in k and "lm_head" not in k},
              "model-00002-of-00002.safetensors": {k: v for k, v in weights.items() if ".layers.1." in k or "lm_head" in k}}
    for file, tensors in halves.items():
        yield f"{name}/{file}", safetensors_bytes(tensors, "F32")
    yield f"{name}/model.safetensors.index.json", text_of({"metadata": {}, "weight_map": {
        k: file for file, tensors in halves.items() for k in sorted(tensors)}})
    yield f"{name}/config.json", text_of(config)
    yield f"{name}/tokenizer.json", text_of(tokenizer)
    yield f"{name}/reference.json", text_of(numbers(reference(
        config, weights, tokenizer, ["tom has three red apples and ann gives two more .", "how many boxes"], " ".join(words))))

    # Of eight frequencies one is high, two are between, the others low.
    config = config_of(len(tokenizer["model"]["vocab"]), False, "bfloat16", hidden_size=32, intermediate_size=40, head_dim=16,
                       num_hidden_layers=2, num_attention_heads=3, num_key_value_heads=1, rope_theta=500.0)
    config["rope_scaling"] = {"rope_type": "llama3", "factor": 4.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
                              "original_max_position_embeddings": 32}
    yield from in_one_file("random-llama3", config, 35, tokenizer, ["ann buys five big boxes and tom sells two .", "tom finds"],
                           " ".join(words[::-1]))

    tokenizer = bpe_tokenizer()
    config = config_of(len(tokenizer["model"]["vocab"]), True, "bfloat16", hidden_size=24, intermediate_size=40, head_dim=8,
                       num_hidden_layers=3, num_attention_heads=4, num_key_value_heads=2, rope_theta=50000.0)
    yield from in_one_file("random-tied", config, 33, tokenizer, ["the end\u00e9 and on.", "a red hen"],
                           "and then the other man ran on and on, over the red hill, in the rain, and there he ate an apple.")

    # As published: Mistral and Qwen2 without head_dim and rope_scaling, Qwen2 without a word of its biases, OPT in float16.
    tokenizer = word_level_tokenizer()
    size = len(tokenizer["model"]["vocab"])
    prompt = "tom gives ann two small apples and ann sells four big red boxes ."
    config = {"architectures": ["MistralForCausalLM"], "model_type": "mistral", "attention_dropout": 0.0, "bos_token_id": 1,
              "eos_token_id": 2, "hidden_act": "silu", "hidden_size": 32, "initializer_range": 0.02, "intermediate_size": 40,
              "max_position_embeddings": 96, "num_attention_heads": 4, "num_hidden_layers": 2, "num_key_value_heads": 2,
              "rms_norm_eps": 1e-5, "rope_theta": 10000.0, "sliding_window": 5, "tie_word_embeddings": False,
              "torch_dtype": "bfloat16", "use_cache": True, "vocab_size": size}
    words = np.random.default_rng(2).choice(WORDS, 90)
    yield from in_one_file("random-mistral", config, 41, tokenizer, [prompt, "ann has"], " ".join(words))

    config = {"architectures": ["Qwen2ForCausalLM"], "model_type": "qwen2", "attention_dropout": 0.0, "bos_token_id": 1,
              "eos_token_id": 2, "hidden_act": "silu", "hidden_size": 32, "initializer_range": 0.02, "intermediate_size": 40,
              "max_position_embeddings": 96, "max_window_layers": 1, "num_attention_heads": 4, "num_hidden_layers": 3,
              "num_key_value_heads": 2, "rms_norm_eps": 1e-6, "rope_theta": 1000000.0, "sliding_window": 6,
              "tie_word_embeddings": True, "torch_dtype": "bfloat16", "use_cache": True, "use_sliding_window": True,
              "vocab_size": size}
    yield from in_one_file("random-qwen2", config, 55, tokenizer, [prompt, "how many"], " ".join(words[::-1]))

    tokenizer = word_level_tokenizer(("<s>", "<pad>", "</s>", "<unk>"), "</s>")
    config = opt_config(size, "float16", do_layer_norm_before=True, ffn_dim=48, hidden_size=32, num_attention_heads=4,
                        num_hidden_layers=2, word_embed_proj_dim=32)
    yield from in_one_file("random-opt", config, 56, tokenizer, [prompt, "tom buys"], " ".join(words))

    config = opt_config(size, "bfloat16", do_layer_norm_before=False, ffn_dim=40, hidden_size=24, num_attention_heads=3,
                        num_hidden_layers=2, word_embed_proj_dim=16)
    yield from in_one_file("random-opt-350m", config, 261, tokenizer, [prompt, "two boxes"], " ".join(words[::-1]))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    differing = 0
    for path, content in fixtures():
        file = DATA / path
        if check:
            same = file.exists() and file.read_bytes() == content
            differing += not same
            print(("same     " if same else "DIFFERS  ") + path)
        else:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
            print(f"{len(content):7d} {path}")
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
