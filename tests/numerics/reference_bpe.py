#!/usr/bin/env python3
"""Makes the committed fixtures in tests/numerics/data/byte-level: two small byte-level tokenizers, with GPT-2's and with Llama 3's way
to cut words, and the ids they give for texts that are hard on tokenizers. An independent reference: words are cut by walking over
Unicode categories, without regular expressions, and merges are applied one by one; no code shared with the C++ library.

    python3 tests/numerics/reference_bpe.py                        # writes the fixtures
    python3 tests/numerics/reference_bpe.py --check                # computes again and compares with what is committed
    python3 tests/numerics/reference_bpe.py --encode TOKENIZER TEXT   # ids of a file by a byte-level tokenizer.json, one line of
                                                                   # text a line, as the JSON of a list of lists
"""
import argparse
import collections
import functools
import json
import pathlib
import sys
import unicodedata

HERE = pathlib.Path(__file__).parent
DATA = HERE / "data" / "byte-level"

GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
LLAMA3 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
          r"|\s*[\r\n]+|\s+(?!\S)|\s+")

WHITE_SPACE = {*range(0x9, 0xE), 0x20, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F, 0x205F, 0x3000}
CONTRACTIONS = ("'s", "'t", "'re", "'ve", "'m", "'ll", "'d")


# ------------------------------------------------------------------------------------------------------------ cutting words
def is_blank(c):
    return ord(c) in WHITE_SPACE


def is_letter(c):
    return unicodedata.category(c)[0] == "L"


def is_number(c):
    return unicodedata.category(c)[0] == "N"


def is_other(c):
    return not (is_blank(c) or is_letter(c) or is_number(c))


def run(text, start, is_member, most=None):
    """End of the longest run of members from `start`."""
    end = start
    while end < len(text) and is_member(text[end]) and (most is None or end - start < most):
        end += 1
    return end


def contraction(text, start, fold):
    for c in CONTRACTIONS:
        here = text[start:start + len(c)]
        if (here.lower().replace("\u017f", "s") if fold else here) == c:  # U+017F folds to s
            return start + len(c)
    return start


def blanks(text, start):
    """`\\s+(?!\\S)|\\s+`: all of a run of blanks, but the last one before a word."""
    end = run(text, start, is_blank)
    return end if end == len(text) or end - start == 1 else end - 1


def gpt2_word(text, start):
    end = contraction(text, start, fold=False)
    if end > start:
        return end
    for is_member in (is_letter, is_number, is_other):
        begin = start + (text[start] == " ")
        end = run(text, begin, is_member)
        if end > begin:
            return end
    return blanks(text, start)


def llama3_word(text, start):
    end = contraction(text, start, fold=True)
    if end > start:
        return end
    lead = not (text[start] in "\r\n" or is_letter(text[start]) or is_number(text[start]))
    end = run(text, start + lead, is_letter)
    if end > start + lead:
        return end
    end = run(text, start, is_number, most=3)
    if end > start:
        return end
    begin = start + (text[start] == " ")
    end = run(text, begin, is_other)
    if end > begin:
        return run(text, end, lambda c: c in "\r\n")
    end = run(text, start, is_blank)
    lines = [i for i in range(start, end) if text[i] in "\r\n"]
    return lines[-1] + 1 if lines else blanks(text, start)


def cut(text, word):
    pieces, start = [], 0
    while start < len(text):
        end = word(text, start)
        pieces.append(text[start:end])
        start = end
    return pieces


# ------------------------------------------------------------------------------------------------------------------- merges
def byte_characters():
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [b for b in range(256) if b not in printable]
    return {b: chr(b) for b in printable} | {b: chr(256 + i) for i, b in enumerate(others)}


BYTES = byte_characters()


def symbols(word):
    return [BYTES[b] for b in word.encode()]


def merged(parts, pair):
    out, i = [], 0
    while i < len(parts):
        if i + 1 < len(parts) and (parts[i], parts[i + 1]) == pair:
            out.append(parts[i] + parts[i + 1])
            i += 2
        else:
            out.append(parts[i])
            i += 1
    return out


class Tokenizer:
    def __init__(self, file):
        model = file["model"]
        self.vocab = model["vocab"]
        self.rank = {tuple(m.split(" ")) if isinstance(m, str) else tuple(m): i for i, m in enumerate(model["merges"])}
        self.whole_first = model.get("ignore_merges", False)
        text = json.dumps(file["pre_tokenizer"])
        self.word = llama3_word if "{1,3}" in text else gpt2_word
        self.piece = functools.lru_cache(None)(self.piece)

    def piece(self, word):
        parts = symbols(word)
        if self.whole_first and "".join(parts) in self.vocab:
            return [self.vocab["".join(parts)]]
        while len(parts) > 1:
            best = min(zip(parts, parts[1:]), key=lambda pair: self.rank.get(pair, len(self.rank)))
            if best not in self.rank:
                break
            parts = merged(parts, best)
        return [self.vocab[p] for p in parts]

    def encode(self, text):
        return [i for word in cut(text, self.word) for i in self.piece(word)]


def learn(text, n_merges):
    """The most frequent pair, n times; ties to the smaller one."""
    words = collections.Counter(cut(text, llama3_word))
    parts = {w: symbols(w) for w in words}
    merges = []
    for _ in range(n_merges):
        pairs = collections.Counter()
        for w, n in words.items():
            for pair in zip(parts[w], parts[w][1:]):
                pairs[pair] += n
        pair = min(pairs, key=lambda p: (-pairs[p], p))
        merges.append(pair)
        parts = {w: merged(p, pair) for w, p in parts.items()}
    return merges


# ----------------------------------------------------------------------------------------------------------------- fixtures
def tokenizers():
    licence = (HERE.parent.parent / "LICENSE").read_text(encoding="utf-8")
    merges = learn(licence, 160)
    tokens = [*(BYTES[b] for b in range(256)), *("".join(m) for m in merges), "ignored"]  # no merges lead to the last one
    vocab = {t: i for i, t in enumerate(dict.fromkeys(tokens))}
    start, end = len(vocab), len(vocab) + 1
    common = {"version": "1.0", "truncation": None, "padding": None, "normalizer": None}
    special = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    added = [{"id": start, "content": "<|begin|>", **special}, {"id": end, "content": "<|end|>", **special}]
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True}
    model = {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None, "end_of_word_suffix": None,
             "fuse_unk": False, "byte_fallback": False, "vocab": vocab, "merges": [" ".join(m) for m in merges]}
    template = {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<|begin|>", "type_id": 0}},
                                                         {"Sequence": {"id": "A", "type_id": 0}}],
                "pair": [], "special_tokens": {"<|begin|>": {"id": "<|begin|>", "ids": [start], "tokens": ["<|begin|>"]}}}
    yield "gpt2", {**common, "added_tokens": added, "pre_tokenizer": {**byte_level, "use_regex": True},
                   "post_processor": {**byte_level, "use_regex": True}, "decoder": {**byte_level, "use_regex": True}, "model": model}
    yield "llama3", {**common, "added_tokens": added,
                     "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
                         {"type": "Split", "pattern": {"Regex": LLAMA3}, "behavior": "Isolated", "invert": False},
                         {**byte_level, "use_regex": False}]},
                     "post_processor": {"type": "Sequence", "processors": [{**byte_level, "use_regex": True}, template]},
                     "decoder": {**byte_level, "use_regex": True}, "model": {**model, "ignore_merges": True}}


TEXTS = [
    "", " ", "  ", "\n", "\t\n", "a", " a", "  a", "a ", "a  ", "\n\n\n a", " \n \n a  b\n", "\r\n\r\nx", "\u0085\u0085a \u0085 b",
    "You may reproduce and distribute copies of the Work or Derivative Works thereof in any medium.",
    "I'm you're HE'S we'LL they'd it'\u017f 'tis 's'", "ignored ignoredignored ignores", "don't\u2019t",
    "1 12 123 1234 12345.678 \u00bd \u0663\u0664\u0665\u0666 \u2167 \u32bf x2y", "x=7;y==8&&z!=\n\n9...\r\n", "--- *** ###\n### !!!",
    "caf\u00e9 cafe\u0301 na\u00efve \u0130stanbul stra\u00dfe \u1e9e", "\u6f22\u5b57\u4eee\u540d\u4ea4\u3058\u308a\u6587\u3001\u3002\uff11\uff12",
    "\ud55c\uad6d\uc5b4 \u1112\u1161\u11ab", "\u05e9\u05dc\u05d5\u05dd \u0645\u0631\u062d\u0628\u0627 \u200fRTL\u200e",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466 \U0001f3f3\ufe0f\u200d\U0001f308 \U0001f1e9\U0001f1ea\U0001f44d\U0001f3fd",
    "a\u0300\u0301\u0302\u0303 \u0e01\u0e33\u0e49 \u0928\u092e\u0938\u094d\u0924\u0947", "\u00a0nbsp\u2003em\u3000wide\u200bzero\ufeffbom",
    "\x00\x01\x1b[31m\x7f", "a\u180eb \u180e c", "\U0010ffff\uffff\ue000", "a" * 300, " " * 300 + "x", "\n" * 40 + "y", "ab1" * 100, "_" * 70 + "\n\n",
]


def files():
    for name, tokenizer in tokenizers():
        yield f"{name}.json", tokenizer
        reference = Tokenizer(tokenizer)
        yield f"{name}.ids.json", [{"text": t, "ids": reference.encode(t)} for t in TEXTS]


def content(value):
    if isinstance(value, list):
        return ("[\n" + ",\n".join(" " + json.dumps(v) for v in value) + "\n]\n").encode()
    return ("{\n" + ",\n".join(f" {json.dumps(k)}: {json.dumps(v, ensure_ascii=False)}" for k, v in value.items()) + "\n}\n").encode()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--encode", nargs=2, metavar=("TOKENIZER", "TEXT"))
    arguments = parser.parse_args()
    if arguments.encode:
        tokenizer = Tokenizer(json.loads(pathlib.Path(arguments.encode[0]).read_text(encoding="utf-8")))
        lines = pathlib.Path(arguments.encode[1]).read_text(encoding="utf-8").split("\n")
        print(json.dumps([tokenizer.encode(line) for line in lines]))
        return 0
    differing = 0
    DATA.mkdir(parents=True, exist_ok=True)
    for name, value in files():
        file, new = DATA / name, content(value)
        if arguments.check:
            same = file.exists() and file.read_bytes() == new
            differing += not same
            print(("same     " if same else "DIFFERS  ") + name)
        else:
            file.write_bytes(new)
            print(f"{len(new):7d} {name}")
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
