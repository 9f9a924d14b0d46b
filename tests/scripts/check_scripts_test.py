"""The check scripts find what they are for, in small trees written here, and are content with a clean one."""

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"


class CheckScript(unittest.TestCase):
    script = ""

    def check(self, files):
        """Runs the script on a tree {path: text}; returns (exit code, output)."""
        with tempfile.TemporaryDirectory() as root:
            for name, text in files.items():
                path = Path(root) / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
            done = subprocess.run([sys.executable, "-B", SCRIPTS / self.script, root], text=True, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, check=False)
        return done.returncode, done.stdout

    def assert_found(self, files, *lines):
        """These lines and no others are reported."""
        code, output = self.check(files)
        found = output[: output.rfind("error: ")].splitlines()
        self.assertEqual((code, found), (1, list(lines)), output)

    def assert_clean(self, files):
        code, output = self.check(files)
        self.assertEqual(code, 0, output)


class Layering(CheckScript):
    script = "check_layering.py"

    def test_allowed_arrows_pass(self):
        self.assert_clean({
            "core/base/result.h": "#include <vector>\n#include <nlohmann/json.hpp>\n",
            "core/domain/stage.h": '#include "base/result.h"\n',
            "core/graph/plan.cpp": '#include "graph/plan.h"\n#include "domain/stage.h"\n#include "base/result.h"\n',
            "core/graph/plan.h": "",
            "core/sdk/include/lowbit/plugin_abi.h": "#include <stdint.h>\n",
            "core/plugin/library.cpp": "#include <lowbit/plugin_abi.h>\n#include <boost/dll/shared_library.hpp>\n",
            "core/spec/CMakeLists.txt": "lowbit_add_room(spec SOURCES a.cpp PUBLIC lowbit::domain PRIVATE yaml-cpp)\n",
            "plugins/rtn/plugin.cpp": '#include <lowbit/plugin_abi.h>\n#include <torch/torch.h>\n#include "rtn.h"\n',
            "plugins/rtn/rtn.h": "",
        })

    def test_an_include_against_the_arrows_is_found(self):
        self.assert_found(
            {"core/domain/stage.h": '#pragma once\n#include "graph/plan.h"\n', "core/graph/plan.h": ""},
            "core/domain/stage.h:2: domain may not use core/graph/plan.h: it may use base")

    def test_the_sdk_stands_alone(self):
        self.assert_found(
            {"core/sdk/include/lowbit/job.hpp": '#include "base/result.h"\n', "core/base/result.h": ""},
            "core/sdk/include/lowbit/job.hpp:1: sdk may not use core/base/result.h: it may use nothing")

    def test_a_link_against_the_arrows_is_found(self):
        self.assert_found(
            {"core/report/CMakeLists.txt": "lowbit_add_room(report\n  SOURCES a.cpp\n  PUBLIC lowbit::domain lowbit::exec)\n"},
            "core/report/CMakeLists.txt:3: report may not use lowbit::exec: it may use base, domain")

    def test_a_plugin_sees_the_sdk_only(self):
        self.assert_found(
            {"plugins/rtn/plugin.cpp": '#include "base/result.h"\n', "core/base/result.h": ""},
            "plugins/rtn/plugin.cpp:1: a plugin may not use core/base/result.h: plugins see sdk and each other only")

    def test_libtorch_is_found_anywhere_in_core(self):
        self.assert_found(
            {"core/exec/run.cpp": "#include <torch/torch.h>\n",
             "core/exec/CMakeLists.txt": "lowbit_add_room(exec SOURCES run.cpp PRIVATE ${TORCH_LIBRARIES})\n"},
            "core/exec/CMakeLists.txt:1: ${TORCH_LIBRARIES} may not be linked here: only in no room: libtorch lives in "
            "plugins only",
            "core/exec/run.cpp:1: <torch/torch.h> may not be used here: only in plugins")

    def test_a_library_stays_in_its_room(self):
        self.assert_found(
            {"core/graph/plan.cpp": "#include <yaml-cpp/yaml.h>\n"},
            "core/graph/plan.cpp:1: <yaml-cpp/yaml.h> may not be used here: only in core/spec")

    def test_a_public_header_shows_no_library_even_through_another_header(self):
        self.assert_found(
            {"core/spec/reader.h": '#include "spec/document.h"\n', "core/spec/document.h": "#include <yaml-cpp/yaml.h>\n",
             "core/cli/run.cpp": '#include "spec/reader.h"\n'},
            "core/spec/document.h:1: <yaml-cpp/yaml.h> may not be used here: other rooms include this header")

    def test_a_private_header_may_show_its_library(self):
        self.assert_clean({"core/spec/document.h": "#include <yaml-cpp/yaml.h>\n",
                           "core/spec/reader.cpp": '#include "spec/document.h"\n'})

    def test_a_library_is_linked_privately(self):
        self.assert_found(
            {"core/spec/CMakeLists.txt": "lowbit_add_room(spec SOURCES a.cpp PUBLIC yaml-cpp)\n"},
            "core/spec/CMakeLists.txt:1: yaml-cpp has to be PRIVATE: it is nobody's business but spec's")

    def test_pure_rooms_touch_no_file(self):
        self.assert_found(
            {"core/graph/plan.cpp": "#include <fstream>\n#include <unistd.h>\n"},
            "core/graph/plan.cpp:1: <fstream> may not be used here: graph is pure functions",
            "core/graph/plan.cpp:2: <unistd.h> may not be used here: graph is pure functions")

    def test_the_documented_table_says_the_same(self):
        self.assert_found(
            {"docs/architecture.md": "| `sdk` | plugins | nothing | |\n| `graph` | plans | base, store | |\n"},
            "docs/architecture.md:2: graph may use base, domain, says this script")

    def test_an_unknown_library_an_unknown_room_and_a_missing_header_are_found(self):
        self.assert_found(
            {"core/exec/CMakeLists.txt": "", "core/exec/run.cpp": '#include <zmq/zmq.hpp>\n#include "run.h"\n',
             "core/magic/a.h": ""},
            "core/exec/run.cpp:1: <zmq/zmq.hpp> belongs to no library that this script knows: add it to LIBRARIES",
            'core/exec/run.cpp:2: "run.h" is no header of this tree: paths start below core/, and other people\'s headers '
            "stand in <>",
            "core/magic/a.h:1: `magic` is no room of core/: add it to docs/architecture.md and to this script")

    def test_a_header_that_cmake_writes_counts_as_there(self):
        self.assert_clean({"core/domain/CMakeLists.txt": "lowbit_embed(lowbit_domain names.h FILES names.txt)\n",
                           "core/domain/names.cpp": '#include "names.h"\n'})


class OrphanTests(CheckScript):
    script = "check_orphan_tests.py"

    def test_tests_that_are_built_pass(self):
        self.assert_clean({
            "tests/CMakeLists.txt": "add_subdirectory(unit)\nadd_subdirectory(scripts)\n",
            "tests/unit/CMakeLists.txt": "lowbit_add_test(unit SOURCES a_test.cpp deep/b_test.cpp LINK lowbit::base)\n",
            "tests/unit/a_test.cpp": 'const auto cases = source_dir() / "tests/cases/graph";\n',
            "tests/unit/deep/b_test.cpp": "",
            "tests/cases/graph/a.case": "",
            "tests/scripts/CMakeLists.txt": "foreach(test IN ITEMS c_test.py)\nendforeach()\n",
            "tests/scripts/c_test.py": "",
        })

    def test_an_unlisted_test_is_found(self):
        self.assert_found(
            {"tests/CMakeLists.txt": "# lowbit_add_test(a SOURCES a_test.cpp)\n", "tests/a_test.cpp": ""},
            "tests/a_test.cpp: no CMakeLists.txt that tests/CMakeLists.txt leads to names it")

    def test_a_directory_that_no_one_adds_is_found(self):
        self.assert_found(
            {"tests/CMakeLists.txt": "", "tests/unit/CMakeLists.txt": "lowbit_add_test(unit SOURCES a_test.cpp)\n",
             "tests/unit/a_test.cpp": ""},
            "tests/unit/a_test.cpp: no CMakeLists.txt that tests/CMakeLists.txt leads to names it")

    def test_cases_without_a_program_are_found(self):
        self.assert_found(
            {"tests/CMakeLists.txt": "lowbit_add_test(a SOURCES a_test.cpp)\n",
             "tests/a_test.cpp": 'const char* cases = "cases/graphics";\n', "tests/cases/graph/a.case": ""},
            'tests/cases/graph: holds cases, but no test program names "cases/graph"')


class Errors(CheckScript):
    script = "check_errors.py"
    CLEAN = {"core/spec/a.cpp": 'error("LB1001", "what");\n', "docs/errors.md": "## LB1001 a title\n",
             "tests/a_test.cpp": "error[LB1001]: what\n"}

    def test_an_explained_and_tested_code_passes(self):
        self.assert_clean(self.CLEAN)

    def test_a_code_without_entry_or_test_is_found(self):
        self.assert_found(
            {**self.CLEAN, "core/spec/b.cpp": '\nerror("LB1002", "what");\n'},
            "core/spec/b.cpp:2: LB1002 has no entry `## LB1002` in docs/errors.md",
            "core/spec/b.cpp:2: LB1002 is mentioned by no test")

    def test_an_entry_that_nothing_raises_is_found(self):
        self.assert_found(
            {**self.CLEAN, "docs/errors.md": "## LB1001\n\n## LB1003\n"},
            "docs/errors.md:3: LB1003 is explained, but nothing raises it")

    def test_two_entries_for_one_code_are_found(self):
        self.assert_found(
            {**self.CLEAN, "docs/errors.md": "## LB1001\n## LB1001\n"},
            "docs/errors.md:2: LB1001 is explained a second time")


class Published(CheckScript):
    script = "check_published.py"
    HEAD = "table,row,column,value,unit,certain,note\n"
    FILE = "experiments/paper/published.csv"
    PAPER = HEAD + "1,RTN W4,WikiText2,8.5,perplexity,yes,\n1,RTN W2,WikiText2,1.9E3,perplexity,no,the row is damaged\n"

    def test_printed_figures_pass(self):
        self.assert_clean({self.FILE: self.PAPER + '2,OmniQuant,"Average, gain",1.47,points,yes,\n2,Atom,C4,NaN,perplexity,yes,\n'})

    def test_what_is_no_printed_figure_is_found(self):
        self.assert_found(
            {self.FILE: self.PAPER + "1,RTN W4,WikiText2,8.6,perplexity,yes,\n1,RTN W3,C4,-,perplexity,yes,\n1,RTN W3,PIQA,766,percent,yes,\n"},
            f"{self.FILE}:4: the cell of line 2 again",
            f"{self.FILE}:5: `-` is no printed number",
            f"{self.FILE}:6: 766 percent")

    def test_a_row_that_does_not_say_what_it_is_is_found(self):
        self.assert_found(
            {self.FILE: self.HEAD + "1,RTN,,8.5,perplexity,yes,\n1,RTN,C4,8.5,ppl,no,\n1,RTN,PTB,8.5,perplexity,column uncertain,x\n1,RTN,2,8.5\n"},
            f"{self.FILE}:2: table, row or column is empty",
            f"{self.FILE}:3: the unit `ppl` is none of GiB, fraction, percent, perplexity, points",
            f"{self.FILE}:3: not certain, and no note says why",
            f"{self.FILE}:4: `certain` is yes or no, not `column uncertain`",
            f"{self.FILE}:5: 4 fields, not 7")
        self.assert_found({self.FILE: "row,value\n"}, f"{self.FILE}:1: the columns are not {self.HEAD.strip()}")

    def test_figures_are_looked_for_in_a_text(self):
        with tempfile.TemporaryDirectory() as root:
            figures, text = Path(root) / "published.csv", Path(root) / "paper.txt"
            figures.write_text(self.PAPER, encoding="utf-8")
            for paper, expected in (("RTN 4 8.5\nRTN 2 1.9E3.\n", 0), ("RTN 4 18.5\nRTN 2 1.9E3\n", 1), ("8.51 1.9E3", 1), ("51.248.50 1.9E3 8.5", 0)):
                text.write_text(paper, encoding="utf-8")
                done = subprocess.run([sys.executable, "-B", SCRIPTS / self.script, root, "--text", text, figures], text=True,
                                      stdout=subprocess.PIPE, check=False)
                self.assertEqual(done.returncode, expected, done.stdout)

    def test_those_of_this_repository_pass(self):
        done = subprocess.run([sys.executable, "-B", SCRIPTS / self.script], text=True, stdout=subprocess.PIPE, check=False)
        self.assertEqual(done.returncode, 0, done.stdout)


if __name__ == "__main__":
    unittest.main()
