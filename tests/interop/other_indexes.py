#!/usr/bin/env python3
"""Indexes of every kind that pylance 6.0.1 makes, on a table that `lancetool` then changes: after each append, update, delete, change of
columns, compaction, restore and branch pylance asks every question by index and by scan, and both must answer the same.

    other_indexes.py LANCETOOL

Run it with a Python that has pylance 6.0.1; without one it says SKIPPED.
"""
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile

import pylance

try:
    import lance
    import pyarrow as pa
except ImportError:
    lance = None

R = random.Random(3)
SIZE = 16
SCALAR = {"id": "BTREE", "cat": "BITMAP", "tags": "LABEL_LIST", "text": "INVERTED", "n": "ZONEMAP", "f": "BLOOMFILTER", "word": "NGRAM"}
VECTOR = {"v1": "IVF_FLAT", "v2": "IVF_PQ", "v3": "IVF_HNSW_SQ"}
WORDS = ("apple", "pear", "plum", "quince", "cherry")


def row(i, word=None):
    vector = [round(R.random(), 3) for _ in range(SIZE)]
    return {"id": i, "cat": f"c{i % 7}", "tags": [f"t{i % 5}", "all"], "text": f"{word or WORDS[i % 5]} number {i}", "n": i * 3, "f": i / 4,
            "word": f"{word or WORDS[i % 5]}{i % 11}", "v1": vector, "v2": vector, "v3": vector}


def schema():
    vector = pa.list_(pa.float32(), SIZE)
    return pa.schema([("id", pa.int64()), ("cat", pa.string()), ("tags", pa.list_(pa.string())), ("text", pa.string()), ("n", pa.int64()),
                      ("f", pa.float64()), ("word", pa.string())] + [(name, vector) for name in VECTOR])


def ids(table):
    return sorted(table["id"].to_pylist())


def check(uri, step, branch=None):
    """Which indexes are left."""
    dataset = lance.dataset(uri).checkout_version((branch, None)) if branch else lance.dataset(uri)
    dataset.validate()
    for question in ("id = 17", "id > 990", "cat = 'c3'", "array_has(tags, 't2')", "n > 2900", "n = 51", "f = 4.25", "f = 0.5",
                     "contains(word, 'uince')", "word = 'plum4'", "id = 100000", "cat = 'new'", "id = 3 or n = 9"):
        by_index = ids(dataset.to_table(filter=question, columns=["id"]))
        by_scan = ids(dataset.scanner(filter=question, columns=["id"], use_scalar_index=False).to_table())
        assert by_index == by_scan, (step, question, by_index, by_scan)
    live = {r["id"]: r for r in dataset.to_table().to_pylist()}
    for word in ("quince", "mango", "apple"):
        found = dataset.to_table(full_text_query={"columns": ["text"], "query": word}, columns=["id"]) if any(
            i["fields"] == ["text"] for i in dataset.list_indices()) else None
        wanted = sorted(i for i, r in live.items() if word in r["text"])
        assert found is None or ids(found) == wanted, (step, word, ids(found), wanted)
    for name in VECTOR:
        target = live[max(live)][name] if name in live[max(live)] else None
        found = dataset.to_table(nearest={"column": name, "q": target, "k": 3, "nprobes": 8, "refine_factor": 20}, columns=["id", name])
        assert len(set(found["id"].to_pylist())) == 3, (step, name, found["id"])
        assert max(live) == found["id"].to_pylist()[0], (step, name, found["id"])
        for r in found.to_pylist():  # live rows, as they are now
            assert live[r["id"]][name] == r[name], (step, name, r["id"])
    return {i["name"] for i in dataset.list_indices()}


def make(uri):
    dataset = lance.write_dataset(pa.Table.from_pylist([row(i) for i in range(1000)], schema=schema()), uri, data_storage_version="2.2",
                                  enable_stable_row_ids=True)  # one fragment: in more, their zone maps answer wrongly by themselves
    for column, kind in SCALAR.items():
        dataset.create_scalar_index(column, kind)
    for column, kind in VECTOR.items():
        dataset.create_index(column, kind, num_partitions=2, **({"num_sub_vectors": 4} if kind == "IVF_PQ" else {}))
    return {f"{name}_idx" for name in [*SCALAR, *VECTOR]}


def steps():
    """name, words for lancetool, its input, indexes that may go."""
    lines = lambda rows: "".join(json.dumps(r) + "\n" for r in rows)
    places = {"n_idx", "f_idx"}  # zone maps and bloom filters speak of places in fragments
    by_row = {f"{name}_idx" for name in [*SCALAR, *VECTOR]} - {"id_idx"}
    yield "append", ["append", "t"], lines(row(i, "mango") for i in range(1000, 1010)), set()
    yield "delete", ["delete", "--where", "cat = 'c5'", "t"], "", set()
    yield "delete more", ["delete", "--where", "n < 90", "t"], "", set()
    yield "add a column", ["add-columns", "t", "note: utf8"], "", set()
    yield "rename a column", ["rename-column", "t", "note", "remark"], "", set()
    yield "drop a column", ["drop-columns", "t", "remark"], "", set()
    yield "compact", ["compact", "--all-deletions", "--target-rows", "400", "t"], "", places
    yield "append again", ["append", "t"], lines(row(i) for i in range(1010, 1030)), set()
    yield "index", ["index", "t", "create", "cat", "--name", "another"], "", set()
    yield "restore", ["restore", "--version", "11", "t"], "", {"another"}
    yield "update", ["append", "--key", "id", "t"], lines(row(i, "mango") for i in (101, 500, 999, 2000)), by_row
    yield "update again", ["append", "--key", "id", "t"], lines(row(i, "pear") for i in (101, 1001)), by_row
    yield "compact again", ["compact", "--all-deletions", "t"], "", places


def main(argv):
    if pylance.is_missing(argv):
        return 77  # meson: skipped
    folder, tool = tempfile.mkdtemp(prefix="og-indexes-"), os.path.abspath(argv[1])
    try:
        uri = os.path.join(folder, "t")
        had = make(uri)
        assert check(uri, "made") == had
        for step, words, given, may_go in steps():
            run = subprocess.run([tool, *words], cwd=folder, input=given, capture_output=True, text=True)
            assert run.returncode == 0, (step, run.stderr)
            left = check(uri, step)
            assert had - left <= may_go, (step, had - left)
            had = left
            subprocess.run([tool, "verify", "t"], cwd=folder, capture_output=True, check=True)
            print(f"{step}: {len(left)} indexes")
        subprocess.run([tool, "branch", "create", "t", "side"], cwd=folder, capture_output=True, check=True)
        subprocess.run([tool, "delete", "--branch", "side", "--where", "cat = 'c1'", "t"], cwd=folder, capture_output=True, check=True)
        check(uri, "branch", "side")
        assert "id_idx" in had, "a BTREE outlives everything"
    finally:
        shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
