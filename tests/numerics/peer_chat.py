#!/usr/bin/env python3
"""Compares lowbit's chat prompts with those that transformers' apply_chat_template renders, and makes the committed prompts in
tests/numerics/data/chat from docs/chat-templates.

The peer comes from PyPI (pip install transformers jinja2), so this is run by hand; the suite reads the committed prompts:

    python3 tests/numerics/peer_chat.py                  # writes the prompts
    python3 tests/numerics/peer_chat.py --check          # renders them again and compares with what is committed
    python3 tests/numerics/peer_chat.py --compare build/release/tests/chat_prompts --conversations 500 [TEMPLATE...]

--compare renders generated conversations by docs/chat-templates and by every TEMPLATE (a published chat_template as a file). Where the
template raises an exception lowbit has to refuse.
"""
import argparse
import json
import pathlib
import random
import subprocess
import sys
import tempfile

import jinja2
import tokenizers
import transformers

HERE = pathlib.Path(__file__).parent
DATA = HERE / "data" / "chat"
TEMPLATES = HERE.parent.parent / "docs" / "chat-templates"
SPECIAL = {"llama-3": ("<|begin_of_text|>", "<|end_of_text|>"), "qwen": (None, "<|im_end|>")}

PARTS = ["2 + 2?", "a", "", " ", "\n", "\t", "\r\n", "\u00a0", "\u3000", "\u200b", "\x1c", "\x1f", "\x85", "\u2028", "\ufeff", "{{ x }}", "{% if %}",
         "{# c #}", "<<SYS>>", "<</SYS>>", "[INST]", "[/INST]", "<s>", "</s>", "<|eot_id|>", "<|im_end|>", "<|start_header_id|>", "\\n", "'", "\"",
         "<b>&amp;</b>", "漢字", "👩‍👩‍👧", "e\u0301", "שלום", "\x00", "line one\n\nline two", "\u180e", "ſ"]


def special_of(template):
    if "im_start" in template:
        return SPECIAL["qwen"]
    return SPECIAL["llama-3"] if "start_header_id" in template else ("<s>", "</s>")


def peer(template):
    bos, eos = special_of(template)
    inner = tokenizers.Tokenizer(tokenizers.models.BPE())
    tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_object=inner, bos_token=bos, eos_token=eos)

    def render(row):
        try:
            return tokenizer.apply_chat_template(row["messages"], chat_template=template, tokenize=False, date_string=row["date"],
                                                 add_generation_prompt=row["add_generation_prompt"])
        except jinja2.exceptions.TemplateError:
            return None

    return render


def content(rng):
    return "".join(rng.choice(PARTS) for _ in range(rng.choice((0, 1, 2, 3, 6))))


def conversation(rng):
    """Turns, at times broken ones; a system message comes first if at all, because some templates drop later ones without a word."""
    messages = [{"role": "system", "content": content(rng)}] if rng.random() < 0.5 else []
    for i in range(rng.choice((1, 1, 2, 3, 4, 5))):
        role = ("user", "assistant")[i % 2] if rng.random() < 0.95 else rng.choice(("user", "assistant"))
        messages.append({"role": role, "content": content(rng)})
    return {"messages": messages, "add_generation_prompt": rng.random() < 0.7, "date": rng.choice(("26 Jul 2024", "01 Feb 2025"))}


def compare(program, paths, n, seed):
    failed = False
    for path in paths:
        template = path.read_text(encoding="utf-8")
        rng = random.Random(seed)
        rows = [conversation(rng) for _ in range(n)]
        with tempfile.TemporaryDirectory() as directory:
            bos, eos = special_of(template)
            config = {"bos_token": bos, "eos_token": {"content": eos}, "chat_template": template}
            (pathlib.Path(directory) / "tokenizer_config.json").write_text(json.dumps(config), encoding="utf-8")
            lines = "".join(json.dumps(r) + "\n" for r in rows)
            run = subprocess.run([program, directory], input=lines, stdout=subprocess.PIPE, encoding="utf-8", check=False)
        if run.returncode != 0:
            print(f"{path.name}: refused")
            failed = True
            continue
        own = [json.loads(line) for line in run.stdout.split("\n")[:-1]]
        render = peer(template)
        wrong, refused = 0, 0
        for row, a in zip(rows, own, strict=True):
            b = render(row)
            refused += b is None
            if a != b:
                wrong += 1
                if wrong <= 2:
                    print(f"  {row}\n    lowbit {a!r}\n    peer   {b!r}")
        failed = failed or wrong > 0
        print(f"{path.name}: {n} conversations, {refused} of them refused, {wrong} mismatches")
    return 1 if failed else 0


def fixtures():
    for path in sorted(TEMPLATES.glob("*.jinja")):
        rng = random.Random(3)
        render = peer(path.read_text(encoding="utf-8"))
        rows = [conversation(rng) for _ in range(20)]
        lines = ",\n".join(json.dumps({**row, "prompt": render(row)}, ensure_ascii=True) for row in rows)
        yield f"{path.stem}.json", f"[{lines}]\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--compare", metavar="PROGRAM")
    parser.add_argument("--conversations", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("template", nargs="*", type=pathlib.Path)
    arguments = parser.parse_args()
    if arguments.compare:
        return compare(arguments.compare, [*sorted(TEMPLATES.glob("*.jinja")), *arguments.template], arguments.conversations, arguments.seed)
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
