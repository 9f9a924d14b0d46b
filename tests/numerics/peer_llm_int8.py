#!/usr/bin/env python3
"""Compares lowbit.llm-int8 with bitsandbytes, whose authors are the paper's. Needs the packages transformers, torch and bitsandbytes;
not part of the tests.

    python3 tests/numerics/peer_llm_int8.py --model MODEL --test WINDOWS --thresholds 6 3 1.5

MODEL is a model/1 of the LLaMA family, WINDOWS a token-batches/1 without padding. Every linear but the output matrix becomes a
Linear8bitLt, which multiplies as on a GPU: integers for most columns, floating point for those with outliers, found window by window. It
rounds inputs to float16 first. Printed are the perplexities at full precision and for each threshold, to be compared with what
lowbit.perplexity reports of what lowbit.llm-int8 made of MODEL with that `outlier_threshold`.
"""
import argparse
import logging
import pathlib

import bitsandbytes
import torch

from peer_models import load_model, perplexity, windows_of


def in_8_bits(model, threshold):
    for name, module in list(model.named_modules()):
        if not isinstance(module, torch.nn.Linear) or name == "lm_head":
            continue
        linear = bitsandbytes.nn.Linear8bitLt(
            module.in_features, module.out_features, bias=False, has_fp16_weights=False, threshold=threshold
        )
        linear.weight = bitsandbytes.nn.Int8Params(
            module.weight.data.clone(), requires_grad=False, has_fp16_weights=False
        )
        parent, _, last = name.rpartition(".")
        setattr(model.get_submodule(parent), last, linear.to("cpu").eval())
    return model


@torch.no_grad()
def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=pathlib.Path, required=True)
    parser.add_argument("--test", type=pathlib.Path, required=True)
    parser.add_argument("--thresholds", type=float, nargs="+", default=[6.0])
    args = parser.parse_args()
    logging.disable(logging.WARNING)
    ids = windows_of(args.test)
    print(f"full precision  {perplexity(load_model(args.model), ids, batch=1):.4f}")
    for threshold in args.thresholds:
        print(f"threshold {threshold:<4}  {perplexity(in_8_bits(load_model(args.model), threshold), ids, batch=1):.4f}")


if __name__ == "__main__":
    main()
