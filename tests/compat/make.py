#!/usr/bin/env python3
"""Make the kept graphs of this folder: by the reference's program, so that later versions of ours can be held
against them. They are made once and stay; run this again only to add one.

    make.py REFERENCE_PROGRAM [NAME...]

Each becomes graphs/NAME.tar.xz, and graphs/NAME.json with what the reference exports, answers and counts.
"""
import json
import os
import shutil
import subprocess
import sys
import tarfile

HERE = os.path.dirname(os.path.abspath(__file__))
WORK = "/tmp/omnigraph-compat"  # stands in the graphs: the reference stores absolute paths

TYPES = """node Thing {
    name: String @key
    text: String? @index
    flag: Bool?
    i32: I32? @index
    i64: I64?
    u32: U32?
    u64: U64?
    f32: F32?
    f64: F64?
    day: Date?
    at: DateTime?
    kind: enum(alpha, beta, gamma)?
    body: Blob?
    place: Vector(3)?
    words: [String]?
    numbers: [I32]?
    wide: [U64]?
    parts: [F64]?
    flags: [Bool]?
    days: [Date]?
    times: [DateTime]?
}
node Plain {
    label: String
    weight: F64
}
edge Has: Thing -> Plain @card(0..3) {
    since: Date?
    tags: [String]?
}
edge Next: Thing -> Thing
"""
FULL = {"text": "two\nlines, \"quoted\" and naïve 日本語", "flag": True, "i32": -2147483648, "i64": 9223372036854775807,
        "u32": 4294967295, "u64": 18446744073709551615, "f32": 0.1, "f64": -1.5e300, "day": "1969-12-31",
        "at": "2024-02-29T23:59:59.987-05:00", "kind": "beta", "body": "base64:AAEC/w==", "place": [0.5, -1.25, 3],
        "words": ["a", None, ""], "numbers": [], "wide": [18446744073709551615, None], "parts": [0.1, -0.0], "flags": [True, None, False],
        "days": ["2000-01-01", None], "times": ["1970-01-01T00:00:00.001Z"]}


def records(*rows):
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def thing(key, **data):
    return {"type": "Thing", "data": {"name": key, **data}}


def plain(ident, label, weight):
    return {"type": "Plain", "data": {"id": ident, "label": label, "weight": weight}}


def edge(kind, source, target, **data):
    return {"edge": kind, "from": source, "to": target, "data": data}


READS = [
    "match { $t: Thing } return { $t.name, $t.text, $t.flag, $t.i32, $t.i64, $t.u32, $t.u64, $t.f32, $t.f64, $t.day, $t.at, $t.kind }"
    " order { $t.name }",
    "match { $t: Thing } return { $t.name, $t.body, $t.place, $t.words, $t.numbers, $t.wide, $t.parts, $t.flags, $t.days, $t.times }"
    " order { $t.name }",
    'match { $t: Thing { name: "full" } $t has $p } return { $p.label, $p.weight } order { $p.label }',
    "match { $a: Thing $a next{1,3} $b } return { $a.name, $b.name } order { $a.name, $b.name }",
    "match { $t: Thing not { $t has $p } } return { $t.name } order { $t.name }",
    "match { $t: Thing } return { $t.kind as kind, count($t) as n, sum($t.i32) as s, max($t.text) as m } order { kind }",
    'match { $t: Thing $t.words contains "a" } return { $t.name } order { $t.name }',
    'match { $t: Thing $t.day < date("1970-01-01") } return { $t.name, $t.day } order { $t.name }',
]
FIRST = records(thing("full", **FULL), thing("nothing"), thing("second", text="plain text", i32=5, kind="alpha", f32=16777216, words=["b"]),
                thing("third", i32=7, kind="alpha", day="2024-02-29", place=[1, 2, 3]),
                plain("p1", "one", 1.0), plain("p2", "two", 0.25),
                edge("Has", "full", "p1", id="h1", since="2020-01-01", tags=["x", None]), edge("Has", "full", "p2", id="h2"),
                edge("Next", "full", "second", id="n1"), edge("Next", "second", "third", id="n2"),
                edge("Next", "third", "full", id="n3"), edge("Next", "third", "third", id="n4"))


class Reference:
    def __init__(self, program, graph):
        self.program, self.graph = program, graph

    def run(self, *args):
        run = subprocess.run([self.program, *args], cwd=WORK, capture_output=True, text=True, env=dict(os.environ, NO_COLOR="1"), check=False)
        if run.returncode:
            raise SystemExit(f"{args}: {run.stderr}")
        return run.stdout

    def init(self, schema):
        path = os.path.join(WORK, "schema.pg")
        with open(path, "w", encoding="utf-8") as f:
            f.write(schema)
        self.run("init", "--schema", path, self.graph)

    def load(self, text, mode="overwrite"):
        path = os.path.join(WORK, "data.jsonl")
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        self.run("load", "--data", path, "--mode", mode, self.graph)

    def mutate(self, text, *more):
        self.run("mutate", self.graph, "-e", f"query m() {{ {text} }}", *more)


def empty(graph):
    """Right after init: eight tables without a row or file."""
    graph.init(TYPES)


def types(graph):
    """Every type, null and extremes, one load; with the indexes that the reference builds."""
    graph.init(TYPES)
    graph.load(FIRST)


def history(graph):
    """Merges, appends, updates, deletes with cascade, an overwrite; deletion files and several fragments;
    the last delete leaves the head of `Has` ahead of the manifest."""
    graph.init(TYPES)
    graph.load(FIRST)
    graph.load(records(thing("second", text="replaced"), thing("fourth", i64=-1), edge("Next", "fourth", "full", id="n5")), "merge")
    graph.load(records(plain("p3", "three", 3.5), edge("Has", "second", "p3", id="h3")), "append")
    graph.mutate('update Thing set { i32: 99, text: "changed" } where name = "third"', "--as", "ada")
    graph.mutate('insert Thing { name: "fifth", u64: 1 } insert Next { from: "fifth", to: "fourth" }')
    graph.mutate('delete Has where to = "p2"')
    graph.load(records(edge("Next", "full", "fourth", id="o1"), edge("Next", "fourth", "fifth", id="o2"), edge("Next", "fifth", "third", id="o3")))
    graph.mutate('delete Thing where name = "fifth"')


def many_fragments(graph):
    """A dozen appends of one row each, then a merge that touches them all."""
    graph.init(TYPES)
    graph.load(FIRST)
    for i in range(12):
        graph.load(records(thing(f"row {i:02d}", i32=i, words=[str(i)] * (i % 3))), "append")
    graph.load(records(*[thing(f"row {i:02d}", i32=-i, kind="gamma") for i in range(0, 12, 2)]), "merge")


GRAPHS = {"empty": empty, "types": types, "history": history, "many_fragments": many_fragments}


def pack(name, program):
    shutil.rmtree(WORK, ignore_errors=True)
    os.makedirs(WORK)
    graph = Reference(program, os.path.join(WORK, name + ".omni"))
    GRAPHS[name](graph)
    expected = {
        "export": graph.run("export", graph.graph).splitlines(),
        "tables": {t["table_key"]: t["row_count"] for t in json.loads(graph.run("snapshot", graph.graph, "--json"))["tables"]},
        "queries": [{"text": text, "rows": json.loads(graph.run("query", graph.graph, "-e", f"query q() {{ {text} }}", "--json"))["rows"]}
                    for text in READS],
    }
    with open(os.path.join(HERE, "graphs", name + ".json"), "w", encoding="utf-8") as f:
        json.dump(expected, f, ensure_ascii=False, indent=1)
        f.write("\n")
    with tarfile.open(os.path.join(HERE, "graphs", name + ".tar.xz"), "w:xz", preset=9) as tar:
        tar.add(graph.graph, arcname="graph.omni", filter=anonymous)
    shutil.rmtree(WORK)


def anonymous(info):
    info.uid = info.gid = info.mtime = 0
    info.uname = info.gname = ""
    return info


def main(argv):
    if len(argv) < 2:
        raise SystemExit(__doc__)
    for name in argv[2:] or GRAPHS:
        pack(name, os.path.realpath(argv[1]))


if __name__ == "__main__":
    main(sys.argv)
