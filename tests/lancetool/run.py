#!/usr/bin/env python3
"""The command line of lancetool, without any other software: what it prints, and its exit codes.

    run.py LANCETOOL
"""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

ROWS = [{"id": "ana", "n": 3, "tags": ["a", None], "day": 19000}, {"id": "ben", "n": None, "tags": [], "day": 19001},
        {"id": "cyr", "n": -7, "tags": None, "day": None}]


class Tool:
    def __init__(self, program):
        self.program = os.path.abspath(program)

    def __call__(self, *args, code=0, stdin=""):
        run = subprocess.run([self.program, *args], capture_output=True, text=True, input=stdin)
        assert run.returncode == code, (args, run.returncode, run.stdout[-500:], run.stderr[-500:])
        assert code == 0 or run.stderr.startswith(("error: ", "problem: ", "not read: ")), run.stderr
        return run.stdout if code == 0 else run.stderr

    def rows(self, *args):
        return [json.loads(line) for line in self("cat", *args).splitlines()]


def usage(tool):
    assert "Commands:" in tool("--help") and tool("--help") == tool("help")
    for verb in re.findall(r"^  ([a-z-]+) +\S", tool("--help").split("Commands:")[1].split("\n\n")[0], re.M):
        text = tool(verb, "--help")
        assert "Usage: lancetool " + verb in text and "Examples:" in text, verb
        assert text == tool("help", verb), verb
    assert re.fullmatch(r"lancetool [0-9.]+\n", tool("--version"))
    for words, complaint in (([], "a command is missing"), (["frob"], "no such command: 'frob'"),
                             (["cat"], "an argument is missing"), (["cat", "a", "b"], "unexpected argument 'b'"),
                             (["cat", "--frob", "a"], "unexpected option '--frob'"),
                             (["cat", "a", "--version"], "a value is missing for '--version'"),
                             (["cat", "--row-ids=1", "a"], "an option takes no value: '--row-ids=1'"),
                             (["cat", "--version=1", "--version", "2", "a"], "an option is given twice"),
                             (["cat", "-x", "a"], "unexpected option '-x'"), (["cat", "nowhere"], "no table at")):
        assert complaint in tool(*words, code=2), (words, complaint)


def tables(tool):
    lines = "".join(json.dumps(row) + "\n" for row in ROWS)
    tool("import", "--schema", "id: utf8!, n: int64, tags: list<utf8>, day: date32", "t.lance", stdin=lines)
    assert tool.rows("t.lance") == ROWS
    assert tool.rows("t.lance", "--columns", "n,id") == [{"n": r["n"], "id": r["id"]} for r in ROWS]
    assert list(tool.rows("t.lance", "--columns=n,id")[0]) == ["n", "id"]
    with_ids = tool.rows("--row-ids", "t.lance/")
    assert [r["_rowid"] for r in with_ids] == [0, 1, 2] and {r["_row_created_at_version"] for r in with_ids} == {1}
    tool("append", "t.lance", stdin='{"id": "dea"}')
    assert len(tool.rows("t.lance")) == 4 and len(tool.rows("--version", "1", "t.lance")) == 3
    tool("tag", "create", "--version", "1", "t.lance", "first")
    tool("branch", "create", "t.lance", "side")
    tool("delete", "--branch", "side", "--ids", "1", "t.lance")
    assert [r["id"] for r in tool.rows("--branch", "side", "t.lance")] == ["ana", "cyr", "dea"]
    assert tool.rows("--version", "first", "t.lance") == ROWS
    for words in (["--columns", "none"], ["--version", "none"], ["--version", "99"], ["--branch", "none"]):
        tool("cat", *words, "t.lance", code=2)
    tool("cat", "--", "t.lance")
    for name in ("main", "side"):
        assert f"branch '{name}' exists" in tool("branch", "create", "t.lance", name, code=2)
    assert "given twice" in tool("cat", "--columns", "id,n,id", "t.lance", code=2)


def racing(tool):
    """Writers that come second go behind those that came first, unless both change the same."""
    tool("import", "--schema", "n: int64", "r.lance", stdin="".join(f'{{"n": {i}}}\n' for i in range(20)))

    def together(*calls):
        runs = [subprocess.Popen([tool.program, *call], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                 text=True) for call, _ in calls]
        for run, (_, text) in zip(runs, calls):
            run.stdin.write(text)
            run.stdin.close()
        return [(run.wait(), run.stderr.read()) for run in runs]

    for i in range(4):
        calls = [(("append", "r.lance"), f'{{"n": {100 + 10 * i + k}}}\n') for k in range(4)]
        calls += [(("delete", "--ids", str(i), "r.lance"), ""), (("delete", "--ids", str(10 + i), "r.lance"), "")]
        assert all(code == 0 for code, _ in together(*calls))
    left = {*range(4, 10), *range(14, 20)} | {100 + 10 * i + k for i in range(4) for k in range(4)}
    assert {r["n"] for r in tool.rows("r.lance")} == left
    # The same rows: one of them is told so, or comes late and finds none; nobody has deleted twice.
    ends = together(*[(("delete", "--ids", "15", "r.lance"), "")] * 4)
    assert [code for code, _ in ends].count(0) == 1, ends
    assert all(code == 0 or "changed the same" in text or "no row has the id" in text for code, text in ends), ends
    assert len(tool.rows("r.lance")) == len(left) - 1
    # An index goes behind appends; two of one name are a conflict.
    calls = [(("append", "r.lance"), '{"n": 500}\n')] * 3 + [(("index", "r.lance", "create", "n"), "")]
    assert all(code == 0 for code, _ in together(*calls))
    ids = {r["_rowid"] for r in tool.rows("--row-ids", "r.lance") if r["n"] == 500}
    assert len(ids) == 3 and set(tool("index", "r.lance", "find", "n", "--value", "500").split()) == {str(i) for i in ids}
    tool("verify", "r.lance")


def names(tool):
    """What other programs could not read is not written."""
    for schema in ("id: utf8, id: int64", "p: struct<a: utf8, b: struct<c: int8, c: int8>>"):
        assert "two columns are named" in tool("import", "--schema", schema, "n.lance", code=2, stdin="{}")
    tool("import", "--schema", '"a column": utf8, p: struct<"in it": int8>', "q.lance", stdin='{"a column": "x"}')
    assert tool.rows("q.lance", "--columns", "a column") == [{"a column": "x"}]
    for name in ("a.b", "_rowid", "_row_created_at_version"):
        assert name in tool("import", "--schema", name + ": utf8", "n.lance", code=2, stdin="{}")
        assert name in tool("add-columns", "t.lance", name + ": utf8", code=2)
        assert name in tool("rename-column", "t.lance", "n", name, code=2)


def overwriting(tool):
    """Other rows, and columns, in the place of all that a table has; on a branch, too."""
    tool("import", "--schema", "id: utf8, n: int64", "o.lance", stdin='{"id": "a", "n": 1}\n{"id": "b"}')
    tool("index", "o.lance", "create", "id")
    tool("branch", "create", "o.lance", "side")
    assert "--overwrite" in tool("import", "--schema", "id: utf8", "o.lance", code=2, stdin="{}")
    assert tool("import", "--overwrite", "o.lance", stdin='{"id": "c", "n": 7}') == "version 3: 1 rows\n"
    assert tool.rows("o.lance") == [{"id": "c", "n": 7}] and tool("index", "o.lance") == ""
    tool("import", "--overwrite", "--schema", "x: float64!", "o.lance", stdin='{"x": 0.5}\n{"x": 1}')
    assert tool.rows("o.lance", "--row-ids")[1]["_rowid"] == 4, "row ids go on"
    assert tool.rows("o.lance", "--version", "1") == [{"id": "a", "n": 1}, {"id": "b", "n": None}]
    tool("import", "--overwrite", "--branch", "side", "o.lance", stdin='{"id": "d"}')
    assert tool.rows("o.lance", "--branch", "side") == [{"id": "d", "n": None}] and len(tool.rows("o.lance")) == 2
    tool("import", "--overwrite", "nowhere.lance", code=2, stdin="{}")
    tool("import", "--overwrite", "--branch", "no", "o.lance", code=2, stdin="{}")
    tool("import", "--branch", "side", "--schema", "id: utf8", "p.lance", code=2, stdin="{}")
    tool("import", "--overwrite", "o.lance", code=1, stdin='{"x": "text"}')
    assert not os.path.exists("nowhere.lance") and len(tool.rows("o.lance")) == 2
    tool("verify", "--all", "o.lance")


def retyping(tool):
    """A column in another type: what does not fit is an error, and nothing is changed."""
    rows = [{"id": 1, "n": 100, "s": "12", "f": 1.5, "l": [1, None]}, {"id": 2, "n": 300, "s": "null", "f": 2, "l": []},
            {"id": 3, "n": None, "s": None, "f": "nan", "l": None}]
    tool("import", "--schema", "id: int64!, n: int64, s: utf8, f: float64, l: list<int32>", "y.lance",
         stdin="".join(json.dumps(r) + "\n" for r in rows))
    tool("index", "y.lance", "create", "n")
    for column, to, said in (("n", "int8", "row 1: the value 300 is no int8"), ("s", "int32", "row 1: the value null is no int32"),
                             ("f", "int8", "row 0: the value 1.5"), ("n", "int64!", "null")):
        assert said in tool("retype-column", "y.lance", column, to, code=1), (column, to)
    for words, code in ((["n", "foo"], 2), (["no", "int8"], 2), (["n", "int8, m: int8"], 2), (["n", "blob"], 3)):
        tool("retype-column", "y.lance", *words, code=code)
    assert tool.rows("y.lance") == rows and "versions: 2: 1..2" in tool("inspect", "y.lance")
    for column, to in (("n", "int16"), ("n", "utf8"), ("n", "uint32"), ("f", "float32"), ("l", "list<int64>"), ("id", "int8")):
        tool("retype-column", "y.lance", column, to)
        assert tool.rows("y.lance") == [dict(r, n=to == "utf8" and r["n"] and str(r["n"]) or r["n"]) for r in rows], (column, to)
    text = tool("inspect", "y.lance")
    assert "id: int8 not null" in text and "n: uint32\n" in text and "l: list<int64>" in text and tool("index", "y.lance") == ""
    tool("delete", "--where", "id = 2", "y.lance")
    tool("retype-column", "y.lance", "s", "int32")  # what is deleted need not fit
    assert [r["s"] for r in tool.rows("y.lance")] == [12, None]
    tool("verify", "--all", "y.lance")


def configs(tool):
    tool("import", "--schema", "id: utf8", "c.lance", stdin="{}")
    for options in ([], ["--schema"], ["--metadata"]):
        assert tool("config", *options, "c.lance") == ""
        tool("config", *options, "c.lance", "a=1", "b=x = y", "empty=")
        assert sorted(tool("config", *options, "c.lance").splitlines()) == ["a=1", "b=x = y", "empty="]
        tool("config", *options, "c.lance", "a=2", "b")
        assert sorted(tool("config", *options, "c.lance").splitlines()) == ["a=2", "empty="]
    assert "a=1" in tool("config", "--version", "2", "c.lance")
    for words, code in ((["=1"], 2), (["a=1", "--version", "1"], 2), (["--schema", "--metadata"], 2), (["lance.auto_cleanup.interval=3"], 3)):
        tool("config", "c.lance", *words, code=code)
    tool("verify", "--all", "c.lance")


def graphs(tool):
    """Tables of a graph are read like others, and changed only with --force."""
    for folder in ("g/__manifest", "g/nodes", "g/edges", "g/other", "alone/nodes"):
        os.makedirs(folder)
    row = '{"id": "ana"}'
    own = ["g/__manifest", "g/_graph_commits.lance", "g/_graph_commit_actors.lance"]
    refused = ["g/nodes/a1", "g/edges/b2"] + own
    for table in refused:
        words = ["import", "--schema", "id: utf8!", table]
        message = tool(*words, code=2, stdin=row)
        assert "belongs to the graph" in message and "--force" in message and "omnigraph" in message, message
        assert not os.path.exists(table + "/_versions")
        tool(*words, "--force", stdin=row)
        assert tool.rows(table) == [{"id": "ana"}]
    for table in ("g/other/c3", "alone/nodes/d4", "g/e5"):
        tool("import", "--schema", "id: utf8!", table, stdin=row)
    table = "g/nodes/a1"
    writes = [["append", table], ["append", "--key", "id", table], ["delete", "--ids", "0", table],
              ["restore", "--version", "1", table], ["import", "--overwrite", table], ["config", table, "a=b"], ["compact", table], ["cleanup", table],
              ["add-columns", table, "n: int64"], ["rename-column", table, "id", "key"], ["retype-column", table, "id", "binary"],
              ["drop-columns", table, "id"],
              ["branch", "create", table, "side"], ["branch", "delete", table, "side"],
              ["tag", "create", table, "first"], ["tag", "delete", table, "first"], ["index", table, "create", "id"],
              ["index", table, "update", "id_idx"], ["index", table, "drop", "id_idx"]]
    for words in writes:
        assert "belongs to the graph" in tool(*words, code=2, stdin=row), words
    os.chdir("g/nodes/a1")
    assert "belongs to the graph" in tool("append", ".", code=2, stdin=row)
    os.chdir("../../..")
    for words in (["inspect", table], ["cat", table], ["verify", table], ["index", table], ["branch", "list", table],
                  ["tag", "list", table]):
        tool(*words)
    assert os.listdir(table + "/_versions") == os.listdir("g/edges/b2/_versions")
    tool("branch", "create", "--force", table, "side")
    assert "belongs to the graph" in tool("append", table + "/tree/side", code=2, stdin=row)
    assert "belongs to the graph" in tool("append", "--branch", "side", table, code=2, stdin=row)
    tool("append", "--force", table, stdin=row)
    assert len(tool.rows(table)) == 2


def complaints(tool):
    """What is said of what is not there, or no table, or no row."""
    for words in (["cat"], ["verify"], ["verify", "--all"], ["inspect"], ["append"], ["compact"], ["index"]):
        near = tool(*words, "--branch", "sid", "t.lance", code=2)
        assert "'t.lance' has no branch 'sid'" in near and "Did you mean 'side'?" in near, (words, near)
    far = tool("cat", "--branch", "nope-nope", "t.lance", code=2)
    assert "no branch 'nope-nope'" in far and "lancetool branch list" in far, far
    for name in ("../../g", "", "a" * 2000, "%2e"):
        assert "no branch" in tool("cat", "--branch", name, "t.lance", code=2), name
    assert "no table at" in tool("cat", "--branch", "side", "nowhere", code=2)
    data = os.path.join("t.lance", "data", os.listdir("t.lance/data")[0])
    for words in (["cat"], ["cat", "--version", "1"], ["verify"], ["verify", "--all"], ["compact"]):
        message = tool(*words, data, code=2)
        assert f"'{os.path.realpath(data)}' is a file" in message and "lancetool inspect" in message, message
    assert os.path.realpath(".") + "/nowhere" in tool("verify", "--all", "nowhere", code=2)
    for text, line in (('{"id": "a"}\n{"id" "b"}\n', 2), ('{"id": "a"}\n\n{"id": "b"', 3), ('{"id": "a"}\n{"no": 1}', 2)):
        with open("bad.jsonl", "w") as f:
            f.write(text)
        for words in (["append", "t.lance"], ["import", "--schema", "id: utf8", "bad.lance"]):
            assert f"bad.jsonl:{line}: " in tool(*words, "bad.jsonl", code=1), text
            assert f"standard input:{line}: " in tool(*words, code=1, stdin=text), text
    assert not os.path.exists("bad.lance/_versions")


def absent(tool):
    """What a word of the command line names and is not there, or there already, is usage."""
    rows = '{"id": "x"}'
    for words in (["append", "t.lance", "no.jsonl"], ["append", "--key", "no", "t.lance"], ["delete", "--ids", "999", "t.lance"],
                  ["delete", "--where", "no = 1", "t.lance"], ["restore", "--version", "99", "t.lance"],
                  ["drop-columns", "t.lance", "no"], ["rename-column", "t.lance", "no", "yes"],
                  ["rename-column", "t.lance", "n", "id"], ["add-columns", "t.lance", "n: int8"],
                  ["index", "t.lance", "create", "no"], ["index", "t.lance", "update", "no"], ["index", "t.lance", "drop", "no"],
                  ["index", "t.lance", "find", "n"], ["index", "t.lance", "create", "n", "--version", "1"],
                  ["branch", "delete", "t.lance", "no"], ["branch", "create", "t.lance", "x", "--version", "99"],
                  ["tag", "delete", "t.lance", "no"], ["tag", "create", "t.lance", "first"],
                  ["import", "--schema", "id: utf8", "t.lance"], ["import", "--schema", "id: utf8", "no/folder/t.lance"]):
        tool(*words, code=2, stdin=rows)


def closed_output(tool):
    """What can't be printed is an error, also of commands that print little."""
    for words in (["cat", "t.lance"], ["inspect", "t.lance"], ["verify", "t.lance"], ["tag", "list", "t.lance"],
                  ["branch", "list", "t.lance"], ["help"]):
        with open("/dev/full", "w") as full:
            run = subprocess.run([tool.program, *words], stdout=full, stderr=subprocess.PIPE, text=True)
        assert run.returncode == 1 and "standard output" in run.stderr, (words, run.returncode, run.stderr)


def looking(tool):
    text = tool("inspect", "t.lance")
    for words in ("version 2 of t.lance", "rows: 4 of 4", "made by Append", "first: version 1",
                  "side: cut from main at version 2", "id: string not null", "tags: list<string>", "day: date32:day"):
        assert words in text, (words, text)
    assert "mini-block" in tool("inspect", "--pages", "t.lance")
    name = os.path.join("t.lance", "data", sorted(os.listdir("t.lance/data"))[0])
    assert "schema:" in tool("inspect", name) and "column 0, page 0: rows 0.." in tool("inspect", name)
    assert "0 problems" in tool("verify", "--all", "t.lance")
    assert "0 problems" in tool("verify", "--branch", "side", "t.lance")


def damage(tool):
    name = os.path.join("t.lance", "data", sorted(os.listdir("t.lance/data"))[0])
    tool("verify", "--sums", "sums", "t.lance")
    with open(name, "rb") as f:
        good = f.read()
    # Each byte of a small file, changed: an error or other values, and in any case another sum.
    for at in range(0, len(good), 7):
        with open(name, "wb") as f:
            f.write(good[:at] + bytes([good[at] ^ 0x10]) + good[at + 1:])
        run = subprocess.run([tool.program, "verify", "--all", "t.lance"], capture_output=True)
        assert run.returncode in (0, 1, 3), (at, run.returncode, run.stderr)
        assert name[len("t.lance/"):] + " is not what" in tool("verify", "--sums", "sums", "t.lance", code=1)
    with open(name, "wb") as f:
        f.write(good[:-1])
    assert name in tool("verify", "t.lance", code=1)
    os.remove(name)
    tool("verify", "t.lance", code=1)
    tool("cat", "t.lance", code=1)
    with open(name, "wb") as f:
        f.write(good)
    assert "all" in tool("verify", "--sums", "sums", "t.lance")


def damaged_index(tool):
    """A BTREE whose files are cut, changed or gone: verify says so and names it, no query answers by it."""
    lines = "".join(f'{{"n": {i % 50}}}\n' for i in range(300))
    tool("import", "--schema", "n: int64", "i.lance", stdin=lines)
    tool("index", "i.lance", "create", "n")
    right = tool("index", "i.lance", "find", "n", "--from", "3", "--to", "5")
    assert "1 segments of BTREE indexes: read" in tool("verify", "i.lance")
    folder = os.path.join("i.lance", "_indices", os.listdir("i.lance/_indices")[0])
    found = 0
    for name in ("page_data.lance", "page_lookup.lance"):
        path = os.path.join(folder, name)
        with open(path, "rb") as f:
            good = f.read()
        for at in [*range(0, len(good), 41), *range(len(good) - 40, len(good), 3)]:
            with open(path, "wb") as f:
                f.write(good[:at] + bytes([good[at] ^ 0x10]) + good[at + 1:])
            run = subprocess.run([tool.program, "verify", "i.lance"], capture_output=True, text=True)
            assert run.returncode in (0, 1, 3), (name, at, run.returncode, run.stderr)
            assert run.returncode == 0 or "n_idx" in run.stderr or folder in run.stderr, (name, at, run.stderr)
            found += run.returncode != 0
            run = subprocess.run([tool.program, "index", "i.lance", "find", "n", "--from", "3", "--to", "5"], capture_output=True)
            assert run.returncode in (0, 1, 3), (name, at, run.returncode, run.stderr)
        with open(path, "wb") as f:
            f.write(good[:len(good) // 2])
        assert "n_idx" in tool("verify", "i.lance", code=1)
        os.remove(path)
        assert "n_idx" in tool("verify", "i.lance", code=1)
        with open(path, "wb") as f:
            f.write(good)
    assert found > 20, found
    assert tool("index", "i.lance", "find", "n", "--from", "3", "--to", "5") == right
    tool("verify", "i.lance")


def main(argv):
    tool = Tool(argv[1])
    folder = tempfile.mkdtemp(prefix="og-lancetool-")
    os.chdir(folder)
    try:
        for case in (usage, tables, racing, names, overwriting, retyping, configs, graphs, complaints, absent, closed_output, looking, damage, damaged_index):
            case(tool)
            print("ok", case.__name__)
    finally:
        os.chdir("/")
        shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
