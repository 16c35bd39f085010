#!/usr/bin/env python3
"""Open the kept graphs of this folder after moving them, and hold our program against what is recorded beside.

    check.py [--binary PATH]

Each graph is unpacked under a name of its own, then: its export is the recorded one byte for byte, so are
the counts of its tables and the answers to its queries, also from a folder that can't be written; nothing but
derived files is added by reading; writes go on from it, also where a table's head is ahead of the manifest;
and the export loads into a fresh graph from which it comes out the same.
"""
import argparse
import glob
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
BINARY = os.path.join(HERE, "..", "..", "build", "src", "cli", "omnigraph")


class Graph:
    def __init__(self, binary, work, name):
        self.binary, self.work = binary, work
        self.path = os.path.join(work, "moved here.omni")
        with tarfile.open(os.path.join(HERE, "graphs", name + ".tar.xz")) as tar:
            tar.extractall(work)
        os.rename(os.path.join(work, "graph.omni"), self.path)
        with open(os.path.join(HERE, "graphs", name + ".json"), encoding="utf-8") as f:
            self.expected = json.load(f)

    def run(self, *args):
        run = subprocess.run([self.binary, *args], cwd=self.work, capture_output=True, timeout=60, check=False,
                             env=dict(os.environ, NO_COLOR="1", HOME=self.work))
        assert run.returncode == 0, f"{' '.join(args)}: exit {run.returncode}: {run.stderr.decode()}"
        return run.stdout.decode()

    def query(self, text):
        return json.loads(self.run("query", self.path, "-e", f"query q() {{ {text} }}", "--json"))["rows"]

    def mutate(self, text):
        self.run("mutate", self.path, "-e", f"query m() {{ {text} }}")

    def files(self):
        return {f: os.path.getsize(f) for f in glob.glob(self.path + "/**", recursive=True)
                if os.path.isfile(f) and "/_omnigraph/" not in f}


def same(what, got, wanted):
    if got != wanted:
        pairs = zip(got, wanted) if isinstance(got, list) else [(got, wanted)]
        first = next(((g, w) for g, w in pairs if g != w), (len(got), len(wanted)))
        raise AssertionError(f"{what}: {first[0]}, wanted {first[1]}")


def reads(graph):
    before = graph.files()
    same("export", graph.run("export", graph.path).splitlines(), graph.expected["export"])
    tables = json.loads(graph.run("snapshot", graph.path, "--json"))["tables"]
    same("counts", {t["table_key"]: t["row_count"] for t in tables}, graph.expected["tables"])
    for query in graph.expected["queries"]:
        same(query["text"], graph.query(query["text"]), query["rows"])
    same("files after reading", graph.files(), before)


def reads_where_nothing_can_be_written(graph):
    shutil.rmtree(os.path.join(graph.path, "_omnigraph"), ignore_errors=True)
    folders = [d for d, _, _ in os.walk(graph.path)]
    for folder in folders:
        os.chmod(folder, 0o555)
    try:
        reads(graph)
    finally:
        for folder in folders:
            os.chmod(folder, 0o755)


def writes(graph):
    graph.mutate('insert Thing { name: "new", i32: 1, day: date("2024-01-01") } insert Plain { label: "new", weight: 1.0 }')
    graph.mutate('insert Next { from: "new", to: "new" } update Thing set { i32: 2 } where name = "new"')
    same("a row of ours", graph.query('match { $t: Thing { name: "new" } } return { $t.i32, $t.day }'),
         [{"t.i32": 2, "t.day": "2024-01-01"}])
    lines = [l for l in graph.run("export", graph.path).splitlines() if '"new"' not in l]
    same("rows of theirs", lines, [l for l in graph.expected["export"]])
    graph.mutate('delete Thing where name = "new" delete Plain where label = "new"')
    same("export after deleting", graph.run("export", graph.path).splitlines(), graph.expected["export"])
    for edge in ("Has", "Next"):
        graph.mutate(f'delete {edge} where from != "nobody"')
    same("edges after deleting all", [l for l in graph.run("export", graph.path).splitlines() if '"edge"' in l], [])


def reloads(graph):
    data, copy = os.path.join(graph.work, "export.jsonl"), os.path.join(graph.work, "copy.omni")
    with open(data, "w", encoding="utf-8") as f:
        f.write("".join(line + "\n" for line in graph.expected["export"]))
    schema = os.path.join(graph.path, "_schema.pg")
    graph.run("init", "--schema", schema, copy)
    graph.run("load", "--data", data, copy)
    same("export of the copy", graph.run("export", copy).splitlines(), graph.expected["export"])


def main(argv):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--binary", default=BINARY)
    options = parser.parse_args(argv[1:])
    passed = failed = 0
    for archive in sorted(glob.glob(os.path.join(HERE, "graphs", "*.tar.xz"))):
        name = os.path.basename(archive)[:-len(".tar.xz")]
        for check in (reads, reads_where_nothing_can_be_written, reloads, writes):
            work = tempfile.mkdtemp(prefix="og-compat-")
            try:
                check(Graph(os.path.realpath(options.binary), work, name))
                passed += 1
            except AssertionError as failure:
                print(f"FAILED {name}, {check.__name__.replace('_', ' ')}: {failure}")
                failed += 1
            finally:
                shutil.rmtree(work, ignore_errors=True)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
