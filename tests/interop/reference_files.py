#!/usr/bin/env python3
"""Which versions of the file format the reference's program makes: every data and index file of a graph of its, after loads, mutations,
a branch and a change of schema. All are 2.2, and `lancetool verify --all` reads them.

    reference_files.py LANCETOOL

The program comes from $OMNIGRAPH_REFERENCE; without it the test says SKIPPED.
"""
import collections
import os
import shutil
import struct
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "differential"))

from programs import SKIPPED, Program, find_reference  # noqa: E402

SCHEMA = """
node Person {
  name: String @key
  bio: String? @index
  born: Date?
  at: DateTime?
  scores: [F64]?
  photo: Blob?
  v: Vector(8)? @index
}
edge Knows: Person -> Person {
  since: I32?
}
"""
QUERIES = """
query change($name: String, $bio: String) {
  update Person set { bio: $bio } where name = $name
}
query remove($name: String) {
  delete Person where name = $name
}
"""


def rows(first, count):
    for i in range(first, first + count):
        yield ('{"type": "Person", "data": {"name": "p%d", "bio": "some words about %d", "born": "2020-01-0%d", "scores": [%d, 0.5], '
               '"v": [%s], "photo": "base64:%s"}}\n' % (i, i, i % 9 + 1, i, ", ".join([str(i / 8)] * 8), "QUJD" * 40000 if i % 9 == 0 else "QUI="))
    for i in range(first, first + count - 1):
        yield '{"edge": "Knows", "from": "p%d", "to": "p%d", "data": {"since": %d}}\n' % (i, i + 1, i)


def write(folder, name, text):
    with open(os.path.join(folder, name), "w") as f:
        f.write(text)
    return name


def versions(graph):
    """(major, minor) -> files; a footer ends in both numbers and "LANC", 0.3 is how 2.0 was written."""
    found = collections.defaultdict(list)
    for folder, _, names in os.walk(graph):
        for name in names:
            path = os.path.join(folder, name)
            if name.endswith((".manifest", ".txn")) or os.path.getsize(path) < 8:
                continue
            with open(path, "rb") as f:
                f.seek(-8, os.SEEK_END)
                tail = f.read()
            if tail[4:] == b"LANC":
                found[struct.unpack("<HH", tail[:4])].append(os.path.relpath(path, graph))
    return found


def datasets(graph):
    for folder, names, _ in os.walk(graph):
        if "_versions" in names:
            yield folder


def main(argv):
    reference = find_reference()
    if reference is None:
        print("SKIPPED: no program of the reference ($OMNIGRAPH_REFERENCE)")
        return SKIPPED
    folder = tempfile.mkdtemp(prefix="og-reference-files-")
    try:
        run = Program("reference", reference, folder)
        write(folder, "q.gq", QUERIES)
        for words in (["init", "--schema", write(folder, "s.pg", SCHEMA), "g.omni"],
                      ["load", "--data", write(folder, "a.jsonl", "".join(rows(0, 200))), "g.omni"],
                      ["load", "--data", write(folder, "b.jsonl", "".join(rows(150, 100))), "--mode", "merge", "g.omni"],
                      ["mutate", "--query", "q.gq", "--name", "change", "--params", '{"name": "p7", "bio": "other"}', "g.omni"],
                      ["mutate", "--query", "q.gq", "--name", "remove", "--params", '{"name": "p8"}', "g.omni"],
                      ["schema", "apply", "--schema", write(folder, "t.pg", SCHEMA.replace("Date?", "Date?\n  note: String?")), "g.omni"],
                      ["branch", "create", "--uri", "g.omni", "--from", "main", "side"],
                      ["load", "--data", write(folder, "c.jsonl", "".join(rows(300, 50))), "--mode", "merge", "--branch", "side", "g.omni"],
                      ["optimize", "g.omni"]):
            result = run.run(*words)
            assert result.code == 0, (words, result.err)
        found = versions(os.path.join(folder, "g.omni"))
        assert set(found) == {(2, 2)}, {v: names[:5] for v, names in found.items()}
        kinds = {name.split("/")[-3] for name in found[2, 2]}
        assert "_indices" in kinds and len(found[2, 2]) > 40, (kinds, len(found[2, 2]))
        tables = list(datasets(os.path.join(folder, "g.omni")))
        for table in tables:
            check = subprocess.run([argv[1], "verify", "--all", table], capture_output=True, text=True)
            assert check.returncode == 0, (table, check.stderr)
        print(f"{len(found[2, 2])} files of {len(tables)} tables")
    finally:
        shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
