#!/usr/bin/env python3
"""Compares lowbit's tokenizers with Hugging Face's `tokenizers` on text that is hostile to both, and makes the committed fixtures in
tests/numerics/data/peer-tokenizers: small tokenizer.json files in the form of Qwen2, Mistral 7B and Mistral Nemo and one of rarer
steps, with the ids and texts that the peer gives.

The peer comes from PyPI (pip install tokenizers), so this is run by hand and not by the suite, which reads the fixtures:

    python3 tests/numerics/peer_tokenizers.py                   # writes the fixtures
    python3 tests/numerics/peer_tokenizers.py --check           # computes them again and compares with what is committed
    python3 tests/numerics/peer_tokenizers.py --compare build/release/tests/token_ids --strings 2000 [TOKENIZER...]

--compare asks both for the ids of generated strings and for the texts of those ids: for the fixtures and for every TOKENIZER
(a tokenizer.json). It prints strings, mismatches and seconds, and fails when there is a mismatch. Strings are bytes, not always UTF-8;
the peer gets bytes.decode(errors="replace"). Characters are those of the Unicode version that this Python knows; the peer's and
PCRE2's may be newer or older and then disagree on characters in between, which is why Python should not be newer than 3.11 (14.0).
"""
import argparse
import json
import pathlib
import random
import subprocess
import sys
import time
import unicodedata

import tokenizers

import reference_bpe

HERE = pathlib.Path(__file__).parent
DATA = HERE / "data" / "peer-tokenizers"
N_GOLDEN = 80

QWEN2 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
NEMO = (r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"
        r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*"
        r"|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+")


# --------------------------------------------------------------------------------------------------------------- tokenizers
def added(token_id, content, **flags):
    return {"id": token_id, "content": content, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False,
            "special": False, **flags}


def bpe(vocab, merges, **options):
    return {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": "", "end_of_word_suffix": "",
            "fuse_unk": False, "byte_fallback": False, "ignore_merges": False, "vocab": {t: i for i, t in enumerate(vocab)},
            "merges": merges, **options}


def split(expression):
    return {"type": "Split", "pattern": {"Regex": expression}, "behavior": "Isolated", "invert": False}


def byte_level(**options):
    return {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False, "use_regex": False, **options}


def small_tokenizers():
    """Name and tokenizer.json."""
    licence = (HERE.parent.parent / "LICENSE").read_text(encoding="utf-8")
    text = licence[:4000] + "é e\u0301 한국어 漢字 שלום 👩‍👩‍👧 12345 don't we'll \r\n\n  \t" * 20
    pairs = reference_bpe.learn(text, 200)
    common = {"version": "1.0", "truncation": None, "padding": None, "added_tokens": [], "normalizer": None, "post_processor": None}

    vocab = [*reference_bpe.BYTES.values(), *dict.fromkeys("".join(p) for p in pairs)]
    n = len(vocab)
    merges = [" ".join(p) for p in pairs]
    yield "qwen2", {**common, "normalizer": {"type": "NFC"}, "model": bpe(vocab, merges),
                    "added_tokens": [added(n + i, t, special=True) for i, t in
                                     enumerate(("<|endoftext|>", "<|im_start|>", "<|im_end|>"))],
                    "pre_tokenizer": {"type": "Sequence", "pretokenizers": [split(QWEN2), byte_level()]},
                    "post_processor": byte_level(), "decoder": byte_level()}
    yield "mistral-nemo", {**common, "model": bpe(vocab, [list(p) for p in pairs], ignore_merges=True),
                           "added_tokens": [added(n, "<s>", special=True), added(n + 1, "[INST]", special=True)],
                           "pre_tokenizer": {"type": "Sequence", "pretokenizers": [split(NEMO), byte_level()]},
                           "decoder": byte_level(add_prefix_space=True, use_regex=True)}

    words = reference_bpe.learn(text, 200)
    back = {c: chr(b) for b, c in reference_bpe.BYTES.items() if b < 128}
    ascii_pairs = [("".join(back[c] for c in a).replace(" ", "▁"), "".join(back[c] for c in b).replace(" ", "▁"))
                   for a, b in words if all(c in back for c in a + b)]
    characters = sorted(set("".join(a + b for a, b in ascii_pairs)) | {"▁", "é", "漢", "👩", "\u0301", "\u200d"})
    ascii_pairs += [("▁", "▁"), ("▁▁", "▁▁")]
    special = ["<unk>", "<s>", "</s>", "[INST]", "[/INST]"]
    vocab = [*special, *(f"<0x{b:02X}>" for b in range(256)), *characters, *dict.fromkeys(a + b for a, b in ascii_pairs)]
    vocab = list(dict.fromkeys(vocab))
    sentence_piece = {"model": bpe(vocab, [list(p) for p in ascii_pairs], unk_token="<unk>", fuse_unk=True, byte_fallback=True),
                      "added_tokens": [added(i, t, special=True) for i, t in enumerate(special)]}
    metaspace = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": False}
    decoder = {"type": "Sequence", "decoders": [{"type": "Replace", "pattern": {"String": "▁"}, "content": " "},
                                                {"type": "ByteFallback"}, {"type": "Fuse"},
                                                {"type": "Strip", "content": " ", "start": 1, "stop": 0}]}
    yield "mistral", {**common, **sentence_piece, "pre_tokenizer": metaspace, "decoder": decoder}

    n = len(vocab)
    rare = [added(n, "the", single_word=True), added(n + 1, "<l>", lstrip=True), added(n + 2, "<r>", rstrip=True),
            added(n + 3, "<b>", lstrip=True, rstrip=True, special=True), added(n + 4, " x y", normalized=True),
            added(n + 5, "\u00e9t\u00e9", normalized=True, single_word=True), added(n + 6, "<b><b>")]
    yield "rare-steps", {**common, **sentence_piece, "added_tokens": rare,
                         "normalizer": {"type": "Sequence", "normalizers": [
                             {"type": "NFD"}, {"type": "Replace", "pattern": {"Regex": r"[^\S\n]{2,}"}, "content": " "},
                             {"type": "Replace", "pattern": {"Regex": r"\r\n?"}, "content": "\n"}]},
                         "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
                             {"type": "Digits", "individual_digits": True},
                             {"type": "Split", "pattern": {"Regex": r"[.,;:!?]+$"}, "behavior": "MergedWithPrevious", "invert": False},
                             {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True}]},
                         "decoder": {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": True}}


# -------------------------------------------------------------------------------------------------------------- hostile text
BLANKS = [chr(c) for c in sorted(reference_bpe.WHITE_SPACE)]
MARKS = ["\u0301", "\u0323", "\u0308", "\u0327", "\u0345", "\u20dd", "\u05b0", "\u064b", "\u093c", "\u3099", "\u1dce", "\U0001d16d"]
BASES = list("aeoAscn") + ["é", "Å", "\u212b", "\u1e69", "\u0344", "か", "\u0915", "\u1100", "\u1161", "\u11a8", "가", "\uac01",
                           "\u0958", "\u2126", "\uf900", "\U0002f800", "\ufb1f"]
PARTS = [
    "the", "The", "THE", "don't", "DON'T", "we'll", "I\u017fs", "'\u017f", "it's", "'re", "x y", "été", "e\u0301te\u0301", "a", "Z",
    "\u01c5ungla", "\u02b0", "ǅ", "7", "12345678", "٣٤٥", "१२", "²", "Ⅻ", "①", "½", "Ⓐ", "㊀",
    "👍", "👩‍👩‍👧‍👦", "🏳️‍🌈", "🇩🇪🇫🇷", "👍🏽", "❤️", "\u200d", "\ufe0f", "\U000e0067",
    "漢字仮名", "日本語テキスト", "한국어", "ไทย", "ภาษา", "मनीष", "עברית", "العربية", "\u202eabc\u202c", "\u200f", "\u200e", "\u2067x\u2069", "לְ",
    "\u0000", "\u0001", "\x1b[0m", "\x7f", "\u0085", "\ufeff", "\ufffd", "\ufffe", "\U0010ffff", "\ue000", "\u00ad", "\u180e",
    "▁", "▁▁", "Ġ", "Ċ", "<0x0A>", "<unk>", ".", "...", "!?", "--", "\\n", "/", "\n", "\r\n", "\r", "\t", " ", "  ", "    ", "\n\n",
    "_", "-", "(", "<", "<|", "'", "''", "\"", "€", "ß", "ﬁ", "İ", "ı", "ẞ"]
BROKEN = [b"\x80", b"\xff", b"\xc3", b"\xe2\x82", b"\xf0\x9f", b"\xf0\x9f\x91", b"\xed\xa0\x80", b"\xed\xb0\x80", b"\xc0\xaf", b"\xe0\x80\x80",
          b"\xf4\x90\x80\x80", b"\xf8\x88\x80\x80\x80", b"\xed\xa0\xbd\xed\xb8\x80", b"\xfe"]
ASSIGNED = [c for c in range(0x110000) if unicodedata.category(chr(c)) not in ("Cn", "Cs")]


def piece(rng, tokens):
    kind = rng.randrange(12)
    if kind <= 4:
        return rng.choice(PARTS).encode()
    if kind == 5:
        return (rng.choice(BASES) + "".join(rng.choice(MARKS) for _ in range(rng.randrange(6)))).encode()
    if kind == 6:
        return "".join(rng.choice(BLANKS) for _ in range(rng.randrange(1, 4))).encode()
    if kind == 7 and tokens:
        return rng.choice(tokens).encode()
    if kind == 8:
        return rng.choice(BROKEN)
    if kind == 9:
        return bytes(rng.randrange(256) for _ in range(rng.randrange(1, 5)))
    if kind == 10:
        return "".join(chr(rng.choice(ASSIGNED)) for _ in range(rng.randrange(1, 4))).encode()
    return (rng.choice(PARTS) * rng.randrange(2, 12)).encode()


def hostile(rng, tokens, longest):
    n = rng.choice((1, 2, 3, 5, 8, 13, longest))
    return b"".join(piece(rng, tokens) for _ in range(n))


def strings(file, n, seed, longest=40):
    rng = random.Random(seed)
    tokens = [t["content"] for t in file["added_tokens"]][:50]
    return [b"", b" ", b"\n", b"\x00", *(hostile(rng, tokens, longest) for _ in range(n - 4))]


# ---------------------------------------------------------------------------------------------------------------- the two ways
def peer_answers(file, texts):
    peer = tokenizers.Tokenizer.from_str(json.dumps(file))
    peer.no_truncation()
    for text in texts:
        ids = peer.encode(text.decode(errors="replace"), add_special_tokens=False).ids
        yield {"ids": ids, "text": peer.decode(ids, skip_special_tokens=False)}


def own_answers(program, tokenizer, texts):
    lines = "".join(t.hex() + "\n" for t in texts)
    run = subprocess.run([program, tokenizer], input=lines, stdout=subprocess.PIPE, encoding="utf-8", check=True)
    return [json.loads(line) for line in run.stdout.split("\n")[:-1]]


def every_character():
    """All assigned characters but those for private use, 32 in a string, each between a letter and a digit and beside its own kind."""
    characters = [chr(c) for c in ASSIGNED if unicodedata.category(chr(c)) != "Co"]
    for i in range(0, len(characters), 32):
        yield "".join(f"a{c}1 {c}{c}" for c in characters[i:i + 32]).encode()


def compare(program, paths, n, seed):
    failed = False
    for path in paths:
        file = json.loads(path.read_text(encoding="utf-8"))
        texts = strings(file, n, seed) if n else list(every_character())
        start = time.monotonic()
        own = own_answers(program, path, texts)
        seconds = time.monotonic() - start
        wrong = {"ids": 0, "text": 0}
        for text, a, b in zip(texts, own, peer_answers(file, texts), strict=True):
            for key in wrong:
                if a[key] != b[key]:
                    wrong[key] += 1
                    if wrong[key] <= 3:
                        print(f"  {key} of {text!r}\n    lowbit {a[key]!r}\n    peer   {b[key]!r}")
        failed = failed or any(wrong.values())
        print(f"{path}: {len(texts)} strings, {sum(map(len, texts))} bytes, {wrong['ids']} mismatches of ids, "
              f"{wrong['text']} of decoded text, {seconds:.1f} s")
    return 1 if failed else 0


# ------------------------------------------------------------------------------------------------------------------- fixtures
def fixtures():
    for name, file in small_tokenizers():
        yield f"{name}.json", json.dumps(file, ensure_ascii=True, indent=None, separators=(",", ":")) + "\n"
        texts = strings(file, N_GOLDEN, seed=7, longest=20)
        rows = [{"bytes": t.hex(), **answer} for t, answer in zip(texts, peer_answers(file, texts), strict=True)]
        yield f"{name}.ids.json", "[" + ",\n".join(json.dumps(r, ensure_ascii=True) for r in rows) + "]\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--compare", metavar="PROGRAM")
    parser.add_argument("--strings", type=int, default=2000, help="0: all characters instead")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("tokenizer", nargs="*", type=pathlib.Path)
    arguments = parser.parse_args()
    if arguments.compare:
        own = [p for p in sorted(DATA.glob("*.json")) if not p.name.endswith(".ids.json")]
        return compare(arguments.compare, own + arguments.tokenizer, arguments.strings, arguments.seed)
    DATA.mkdir(parents=True, exist_ok=True)
    for name, text in fixtures():
        if not arguments.check:
            (DATA / name).write_text(text, encoding="utf-8")
        elif (DATA / name).read_text(encoding="utf-8") != text:
            print(f"{name} differs")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
