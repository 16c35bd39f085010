"""Stored files that are cut short, or whose bits flipped.

Each is either harmless (the same answers) or an error that names the file; a flip in plain values can't be
seen in this format and may change a value. Never a crash, a hang, or gigabytes of memory: run it
with a sanitizer's build too. Writes on a damaged graph fail or succeed, and lose no other row.
"""
import collections
import os
import random
import re
import shutil
import struct

from graphs import Graph, expect, people

QUERIES = [
    'query key() { match { $p: Person { name: "person-00007" } } return { $p.age, $p.tags, $p.face } }',
    'query hop() { match { $p: Person { name: "person-00007" } $p knows $q } return { $q.name } }',
    "query group() { match { $p: Person } return { $p.mood, count($p) as n } }",
]


class Damaged:
    """A graph with every kind of stored file, what its queries answer, and a copy of it to damage."""

    def __init__(self, graph, records):
        """`records`: of the graph, by their number. The exports of long ones are left out."""
        self.graph, self.exports = graph, records is people
        done = graph.load(records(400))
        assert done.code == 0, done
        graph.mutate("query q() { delete Person where age = 11 }")
        graph.mutate('query q() { update Person set { note: "new" } where age = 12 }')
        answers = [graph.query(q) for q in QUERIES for _ in range(3)]
        assert all(a.code == 0 for a in answers), answers
        self.expected = [a.out for a in self.answers_of(graph)]
        self.folder = os.path.join(graph.scratch, "damaged")
        self.copy = Graph(graph.binary, self.folder, graph.scratch)
        shutil.copytree(graph.folder, self.folder)

    def files(self):
        found = []
        for place, _, names in os.walk(self.graph.folder):
            found += [os.path.relpath(os.path.join(place, n), self.graph.folder) for n in names]
        return sorted(found)

    def read(self, name):
        with open(os.path.join(self.graph.folder, name), "rb") as f:
            return f.read()

    def put(self, name, content):
        with open(os.path.join(self.folder, name), "wb") as f:
            f.write(content)

    def restore(self):
        shutil.rmtree(self.folder)
        shutil.copytree(self.graph.folder, self.folder)

    def answers_of(self, graph):
        export = [graph.run("export", graph.folder)] if self.exports else []
        return export + [graph.query(q) for q in QUERIES]

    def undamaged(self):
        return [a.out for a in self.answers_of(self.graph)] == self.expected


def many(_):
    """So many short records that a key directory and a topology are worth saving beside the graph."""
    names = [f"person-{i:05d}" for i in range(40_000)]
    nodes = [{"type": "Person", "data": {"name": n, "age": i % 90}} for i, n in enumerate(names)]
    edges = [{"edge": "Knows", "from": n, "to": names[(i * 7919 + k) % len(names)], "data": {"id": f"k{i}-{k}"}}
             for i, n in enumerate(names) for k in range(2)]
    return nodes + edges


def named(result, name):
    """The error names the damaged file; a manifest that reads well but says something else is known by
    its table."""
    if "/_versions/" in name and re.search(r"(node|edge):\w+|(nodes|edges)/\w+|__manifest", result.err):
        return True
    base = os.path.basename(name)
    return base in result.err or (base == "__schema_state.json" and "_schema.pg" in result.err)


def judge(d, name, where):
    """What became of the answers: 'harmless', 'refused' (and the error names the file) or 'changed'."""
    verdict = "harmless"
    for result, expected in zip(d.answers_of(d.copy), d.expected):
        if result.code != 0:
            assert result.code == 1, result
            assert named(result, name), f"{name} {where}: the error does not say where: {result}"
            verdict = "refused"
        elif result.out != expected and verdict == "harmless":
            verdict = "changed"
    return verdict


def try_writes(d):
    """They may be refused; what they acknowledge is there, when the graph can still be read."""
    load = d.copy.load([{"type": "Person", "data": {"name": "after"}}])
    add = d.copy.mutate('query q() { insert Person { name: "inserted" } }')
    change = d.copy.mutate('query q() { update Person set { age: 1 } where name = "person-00003" }')
    assert all(r.code in (0, 1) for r in (load, add, change))
    seen = d.copy.run("export", d.folder)
    for result, name in ((load, b'"after"'), (add, b'"inserted"')):
        assert result.code != 0 or seen.code != 0 or name in seen.out, f"{name} was acknowledged and is gone"


def truncated(pattern, must_refuse, records=people):
    def case(graph):
        d = Damaged(graph, records)
        counts = collections.Counter()
        for name in d.files():
            if not re.search(pattern, name):
                continue
            content = d.read(name)
            for length in sorted({0, 1, len(content) // 2, len(content) - 17, len(content) - 1}):
                if length < 0 or length >= len(content):
                    continue
                d.put(name, content[:length])
                verdict = judge(d, name, f"cut to {length} of {len(content)}")
                assert verdict != "changed", f"{name} cut to {length}: wrong answers"
                counts[verdict] += 1
                try_writes(d)
                d.restore()
        assert counts["refused" if must_refuse else "harmless"] > 0, counts
        assert d.undamaged()
        return dict(counts)
    return case


def regions(name, content):
    """(region, first byte, end) of a file."""
    size = len(content)
    if name.endswith(".lance") and size >= 40:
        columns, offsets, globals_at = struct.unpack_from("<QQQ", content, size - 40)
        if columns <= offsets <= globals_at <= size - 40:
            first = struct.unpack_from("<Q", content, globals_at)[0] if size - 40 - globals_at >= 16 else columns
            first = min(first, columns)
            return [("pages", 0, first), ("global buffers", first, columns), ("column metadata", columns, offsets),
                    ("offset tables", offsets, size - 40), ("footer", size - 40, size)]
    if name.endswith(".manifest") and size >= 16:
        message = struct.unpack_from("<Q", content, size - 16)[0]
        if message <= size - 16:
            return [("transaction", 0, message), ("manifest", message, size - 16), ("footer", size - 16, size)]
    return [("content", 0, size)]


def spread(r, begin, end, count):
    """`count` places in [begin, end), one in each equal part; all when there are fewer."""
    if end - begin <= count:
        return range(begin, end)
    step = (end - begin) / count
    return [min(end - 1, int(begin + step * (i + r.random()))) for i in range(count)]


def flipped(pattern, may_change, records=people):
    """One bit at a time, spread over each region of each file. `may_change`: regions whose flips may
    give other values, as nothing in the format checks them (a constant column's value stands in its
    metadata)."""
    def case(graph):
        r = random.Random(int(os.environ.get("OMNIGRAPH_SEED", "1")))
        per_region = int(os.environ.get("OMNIGRAPH_FLIPS", "12"))
        d = Damaged(graph, records)
        counts, changed = collections.Counter(), []
        for name in d.files():
            if not re.search(pattern, name):
                continue
            content = d.read(name)
            for region, begin, end in regions(name, content):
                for at in spread(r, begin, end, per_region):
                    bit = r.randrange(8)
                    bad = bytearray(content)
                    bad[at] ^= 1 << bit
                    d.put(name, bytes(bad))
                    verdict = judge(d, name, f"{region} byte {at} bit {bit}")
                    counts[verdict] += 1
                    if verdict == "changed" and region not in may_change:
                        changed.append(f"{name} {region} byte {at} bit {bit}")
                    if r.random() < 0.1:
                        try_writes(d)
                        d.restore()
                    else:
                        d.put(name, content)
        assert not changed, f"{len(changed)} of {counts} gave wrong answers: {changed[:10]}"
        assert sum(counts.values()) > 0, "no such file"
        assert d.undamaged()
        return dict(counts)
    return case


def deleted_derived(graph):
    """Derived files may vanish at any time."""
    d = Damaged(graph, people)
    shutil.rmtree(os.path.join(d.folder, "_omnigraph"))
    assert judge(d, "_omnigraph", "gone") == "harmless"
    d.copy.still_works()


def damaged_directory(graph):
    """Every block of the saved key directories is wrong: they are made anew, in the midst of a query."""
    d = Damaged(graph, many)
    found = 0
    for name in d.files():
        if "_omnigraph/directory" not in name:
            continue
        content = bytearray(d.read(name))
        for at in range(4096, len(content), 4096):
            content[at] ^= 1
        d.put(name, bytes(content))
        found += 1
    assert found > 0
    assert judge(d, "_omnigraph/directory", "every block") == "harmless"
    d.copy.still_works()


def missing_data_file(graph):
    d = Damaged(graph, people)
    refused = 0
    for name in d.files():
        if "/data/" in name and name.startswith(("nodes/", "edges/")):
            os.remove(os.path.join(d.folder, name))
            refused += judge(d, name, "gone") == "refused"
            d.restore()
    assert refused > 0
    expect(graph.run("export", os.path.join(graph.scratch, "none")), "no graph")


KINDS = [
    # files, is a cut seen, regions where a flip may change values, records
    ("data_file", r"^(nodes|edges)/.*/data/", True, ("pages", "column metadata")),
    ("deletion_file", r"/_deletions/", True, ("content",)),
    ("table_manifest", r"^(nodes|edges)/.*\.manifest$", True, ("manifest",)),
    ("graph_manifest", r"^__manifest/", True, ("pages",)),
    ("commit_tables", r"^_graph_commit", False, ()),
    ("derived", r"^_omnigraph/", False, (), many),
    ("schema", r"schema", True, ()),
]


def add_to(runner):
    for kind, pattern, must_refuse, may_change, *records in KINDS:
        runner.add("truncated_" + kind, truncated(pattern, must_refuse, *records))
        runner.add("flipped_" + kind, flipped(pattern, may_change, *records))
    runner.add("deleted_derived", deleted_derived)
    runner.add("damaged_directory", damaged_directory)
    runner.add("missing_data_file", missing_data_file)
