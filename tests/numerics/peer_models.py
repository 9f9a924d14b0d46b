"""What the comparisons with reference implementations share: reading what lowbit wrote, and a perplexity by transformers."""
import math

import torch
import transformers
from safetensors.torch import load_file


def load_model(directory):
    """In float32, with attention as the papers' code has it."""
    return transformers.AutoModelForCausalLM.from_pretrained(directory, dtype=torch.float32, attn_implementation="eager").eval()


def windows_of(directory):
    """[rows, tokens] of a token-batches/1."""
    return load_file(directory / "tokens.safetensors")["input_ids"].long()


def tensors_of(directory):
    """All tensors of a model's directory by name."""
    tensors = {}
    for file in sorted(directory.glob("*.safetensors")):
        tensors |= load_file(file)
    return tensors


@torch.no_grad()
def perplexity(model, windows, batch=8):
    """exp of the mean over all tokens but each row's first; logits in float32, what follows in float64. `batch`: rows at once."""
    nll = 0.0
    for rows in windows.split(batch):
        logits = model(rows, use_cache=False).logits[:, :-1].double()
        nll += torch.nn.functional.cross_entropy(logits.flatten(0, 1), rows[:, 1:].flatten(), reduction="sum").item()
    return math.exp(nll / (windows.numel() - len(windows)))
