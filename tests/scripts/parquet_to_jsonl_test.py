"""Parquet to JSONL, with a stand-in for pyarrow that reads JSON instead of Parquet, and without pyarrow."""

import json
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "parquet-to-jsonl"

# What the script uses of pyarrow.parquet; a "Parquet file" is a JSON object of columns here.
STAND_IN = '''
import json

class ParquetFile:
    def __init__(self, path):
        with open(path, encoding="utf-8") as file:
            self._columns = json.load(file)
        self.schema_arrow = type("Schema", (), {"names": list(self._columns)})

    def iter_batches(self, columns=None):
        if columns is None:
            rows = [dict(zip(self._columns, values)) for values in zip(*self._columns.values())]
            for begin in range(0, len(rows), 2):
                yield Column(rows[begin:begin + 2])
            return
        values = self._columns[columns[0]]
        for begin in range(0, len(values), 2):
            yield type("Batch", (), {"column": lambda self, i, part=values[begin:begin + 2]: Column(part)})()

class Column(list):
    def to_pylist(self):
        return list(self)
'''


class Converted(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.root = Path(self.directory.name)
        (self.root / "pyarrow").mkdir()
        (self.root / "pyarrow" / "__init__.py").write_text("")
        (self.root / "pyarrow" / "parquet.py").write_text(STAND_IN)

    def tearDown(self):
        self.directory.cleanup()

    def parquet(self, name, **columns):
        (self.root / name).write_text(json.dumps(columns))
        return name

    def run_script(self, *arguments):
        ended = subprocess.run([sys.executable, "-B", str(SCRIPT), "--out", "rows.jsonl", *arguments], cwd=self.root, text=True,
                               env={**os.environ, "PYTHONPATH": str(self.root)}, capture_output=True, check=False)
        return ended.returncode, ended.stdout + ended.stderr

    def left(self):
        return sorted(path.name for path in self.root.glob("rows.jsonl*"))

    def test_whole_rows_keep_all_columns(self):
        rows = self.parquet("a", instruction=["What is $1$?", "“q”", "z"], responses=[[], ["One."], ["a", "b"]], answer=["1", None, "2"])
        self.assertEqual(self.run_script("--rows", rows), (0, "3 rows\n"))
        written = [json.loads(line) for line in (self.root / "rows.jsonl").read_text(encoding="utf-8").splitlines()]
        self.assertEqual(written, [{"instruction": "What is $1$?", "responses": [], "answer": "1"},
                                   {"instruction": "“q”", "responses": ["One."], "answer": None},
                                   {"instruction": "z", "responses": ["a", "b"], "answer": "2"}])

    def test_whole_rows_and_one_column_exclude_each_other(self):
        code, _ = self.run_script("--rows", "--column", "x", self.parquet("a", x=["1"]))
        self.assertEqual(code, 2)

    def test_rows_are_written_unchanged_in_the_order_of_the_files(self):
        second = self.parquet("b", text=["", " = Title = \n", "“—”\u2028\t\\"], other=[1, 2, 3])
        first = self.parquet("a", text=["first"])
        self.assertEqual(self.run_script(first, second), (0, "4 rows\n"))
        lines = (self.root / "rows.jsonl").read_bytes().decode().split("\n")
        self.assertEqual([json.loads(line) for line in lines[:-1]],
                         [{"text": text} for text in ["first", "", " = Title = \n", "“—”\u2028\t\\"]])
        self.assertEqual(lines[-1], "")
        self.assertEqual(self.left(), ["rows.jsonl"])

    def test_a_column_of_another_name_becomes_text(self):
        self.assertEqual(self.run_script("--column", "sentence", self.parquet("ptb", sentence=["N years"])), (0, "1 rows\n"))
        self.assertEqual((self.root / "rows.jsonl").read_text(), '{"text": "N years"}\n')

    def test_a_file_without_the_column_is_refused_and_nothing_is_left(self):
        self.assertEqual(self.run_script(self.parquet("ptb", sentence=["x"], id=[1])), (1,
                         "error: `ptb` has no column `text`\n  = note: its columns are sentence, id\n"
                         "  = help: name the column of the texts with --column\n"))
        self.assertEqual(self.left(), [])

    def test_a_row_without_a_text_is_refused(self):
        self.assertEqual(self.run_script(self.parquet("a", text=["x", "y", None])), (1,
                         "error: row 2 of `a` is no text\n  = note: its `text` is None\n"
                         "  = help: name a column of texts with --column\n"))
        self.assertEqual(self.left(), [])

    def test_a_file_that_is_not_there_is_named(self):
        code, text = self.run_script("absent.parquet")
        self.assertEqual(code, 1)
        self.assertTrue(text.startswith("error: cannot read `absent.parquet`\n"), text)
        self.assertEqual(self.left(), [])

    def test_who_has_no_pyarrow_is_told_how_to_get_it(self):
        (self.root / "pyarrow" / "parquet.py").unlink()
        self.assertEqual(self.run_script(self.parquet("a", text=["x"])), (3,
                         "error: this needs pyarrow, which this Python does not have\n"
                         f"  = note: the Python is {sys.executable}\n"
                         "  = help: python3 -m venv venv && venv/bin/pip install pyarrow, then run this script with "
                         "venv/bin/python\n"))


if __name__ == "__main__":
    unittest.main()
