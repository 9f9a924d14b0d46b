#!/usr/bin/env python3
"""What bitsandbytes makes of a few matrices, for tests/numerics/nf4_test.cpp. Not run by any test: it needs bitsandbytes.

    python3 tests/numerics/peer_nf4.py > tests/numerics/data/nf4-bitsandbytes.json

The matrices come from a linear congruential generator that the test has too, so that only the results are kept.
"""

import json

import bitsandbytes
import bitsandbytes.functional as F
import torch


def values(n, seed):
    """Sums of four uniform numbers around 0, exact in fp32."""
    state, out = seed, []
    for _ in range(n):
        total = 0
        for _ in range(4):
            state = (state * 1103515245 + 12345) % 2**31
            total += state >> 15
        out.append((total - 2 * 65536) / 65536)
    return out


def packed(tensor):
    return tensor.contiguous().numpy().tobytes().hex()


cases = []
for rows, columns, block_size, seed, zeros in [
        (33, 70, 64, 1, 0), (17, 71, 64, 2, 128), (60, 150, 32, 3, 0), (16, 40, 128, 4, 0)]:
    w = torch.tensor(values(rows * columns, seed), dtype=torch.float32).reshape(rows, columns)
    w *= (torch.arange(rows) % 4 + 1)[:, None] / 2
    w.view(-1)[64:64 + zeros] = 0
    codes, plain = F.quantize_4bit(w, blocksize=block_size, compress_statistics=False, quant_type="nf4")
    _, nested = F.quantize_4bit(w, blocksize=block_size, compress_statistics=True, quant_type="nf4")
    cases.append({
        "rows": rows, "columns": columns, "block_size": block_size, "seed": seed, "zeros": zeros,
        "codes": packed(codes), "absmax": packed(plain.absmax), "nested_codes": packed(nested.absmax),
        "nested_absmax": packed(nested.state2.absmax), "offset": packed(nested.offset.reshape(1)),
        "first_values": packed(F.dequantize_4bit(codes, nested).reshape(-1)[:64]),
    })
print(json.dumps({"bitsandbytes": bitsandbytes.__version__,
                  "codebook": packed(plain.code), "dynamic_map": packed(nested.state2.code), "cases": cases}, indent=1))
