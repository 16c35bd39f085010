#!/usr/bin/env python3
"""Operations of pylance 6.0.1 that were begun before a commit of ours: it must understand our transaction, and judge the pair as
docs/dev/lance.md section 7 says; what it then commits we read. The same pairs in unit tests, the other way round, take
the same table for ours.

    conflicts.py LANCETOOL

Run it with a Python that has pylance 6.0.1; without one it says SKIPPED.
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile

import pylance

try:
    import lance
    import pyarrow as pa
    from lance.fragment import write_fragments
    from lance.optimize import Compaction
except ImportError:
    lance = None


def rows(first, count):
    return pa.table({"id": pa.array(range(first, first + count), pa.int64()), "n": pa.array(range(count), pa.int64())})


# What ours does, by lancetool; the rows it touches are those that theirs touch where the name says so.
OURS = {
    "append": (["append", "t.lance"], '{"id": 100, "n": 1}\n'),
    "delete same": (["delete", "--where", "id = 7", "t.lance"], ""),
    "delete other": (["delete", "--where", "id = 17", "t.lance"], ""),
    "update same": (["append", "--key", "id", "t.lance"], '{"id": 7, "n": 70}\n'),
    "compact": (["compact", "t.lance"], ""),
    "add": (["add-columns", "t.lance", "extra: int64"], ""),
    "drop": (["drop-columns", "t.lance", "n"], ""),
    "rename": (["rename-column", "t.lance", "n", "m"], ""),
    "index": (["index", "t.lance", "create", "id"], ""),
    "restore": (["restore", "--version", "1", "t.lance"], ""),
}
# Theirs, against those in order: '.' committed behind ours, R "please retry", X incompatible.
THEIRS = {
    "append": ".........X",
    "delete": ".R.RRR...X",
    "merge": "RRRRRRXX.X",
    "project": ".....RRR.X",
    "overwrite": "..........",
    "restore": "..........",
    "rewrite": ".RRRRR..RX",
}


def prepare(kind, dataset, uri):
    """A function that commits what was begun on `dataset`."""
    operation = None
    if kind == "append":
        operation = lance.LanceOperation.Append(write_fragments(rows(200, 2), uri, data_storage_version="2.2"))
    elif kind == "delete":
        fragment = dataset.get_fragments()[0]
        operation = lance.LanceOperation.Delete([fragment.delete("id = 7")], [], "id = 7")
    elif kind == "merge":
        added = [f.merge_columns({"more": "n * 2"}) for f in dataset.get_fragments()]
        operation = lance.LanceOperation.Merge([f for f, _ in added], added[0][1])
    elif kind == "project":
        operation = lance.LanceOperation.Project(lance.schema.LanceSchema.from_pyarrow(pa.schema([("id", pa.int64())])))
    elif kind == "overwrite":
        operation = lance.LanceOperation.Overwrite(rows(0, 1).schema, write_fragments(rows(200, 2), uri, data_storage_version="2.2"))
    elif kind == "restore":
        operation = lance.LanceOperation.Restore(1)
    if operation is not None:
        return lambda: lance.LanceDataset.commit(uri, operation, read_version=dataset.version, enable_stable_row_ids=True)
    plan = Compaction.plan(dataset, options={"target_rows_per_fragment": 1000})
    done = [task.execute(dataset) for task in plan.tasks]
    return lambda: Compaction.commit(dataset, done)


def meet(tool, kind, name, folder):
    uri = os.path.join(folder, "t.lance")
    shutil.rmtree(uri, ignore_errors=True)
    lance.write_dataset(rows(0, 10), uri, data_storage_version="2.2", enable_stable_row_ids=True)
    dataset = lance.write_dataset(rows(10, 10), uri, mode="append")
    commit = prepare(kind, dataset, uri)
    words, text = OURS[name]
    subprocess.run([tool, *words], cwd=folder, input=text, text=True, check=True, capture_output=True)
    try:
        commit()
    except Exception as e:
        text = str(e).lower()
        # A merge that misses a fragment is refused before the rules are asked.
        return "R" if "retry" in text or "merge operation" in text else "X" if "incompatible" in text else text
    theirs = lance.dataset(uri).to_table().to_pylist()
    read = subprocess.run([tool, "cat", "t.lance"], cwd=folder, text=True, check=True, capture_output=True).stdout
    assert [json.loads(line) for line in read.splitlines()] == theirs, (kind, name)
    subprocess.run([tool, "verify", "t.lance"], cwd=folder, check=True, capture_output=True)
    return "."


def compactions_of_other_fragments(tool, folder):
    """Theirs of the two small fragments, behind ours of the two with deletions: both are done."""
    uri = os.path.join(folder, "beside.lance")
    dataset = lance.write_dataset(rows(0, 120), uri, data_storage_version="2.2", enable_stable_row_ids=True, max_rows_per_file=60)
    for first in (120, 130):
        dataset = lance.write_dataset(rows(first, 10), uri, mode="append")
    dataset.delete("id < 120 and id % 4 = 0")
    dataset = lance.dataset(uri)
    whole = lambda: {r["id"]: r for r in lance.dataset(uri).scanner(columns=["id", "n", "_rowid", "_row_last_updated_at_version"]).to_table().to_pylist()}
    before = whole()
    small = [f.metadata for f in dataset.get_fragments()[2:]]
    plan = Compaction.plan(dataset, options={"target_rows_per_fragment": 50, "materialize_deletions": False})
    done = [task.execute(dataset) for task in plan.tasks if [f.id for f in task.fragments] == [f.id for f in small]]
    assert len(done) == 1, plan
    run = subprocess.run([tool, "compact", "--target-rows", "5", "beside.lance"], cwd=folder, capture_output=True, text=True, check=True)
    assert "2 fragments became 18" in run.stdout, run.stdout
    Compaction.commit(dataset, done)
    assert len(lance.dataset(uri).get_fragments()) == 19 and whole() == before
    subprocess.run([tool, "verify", "beside.lance"], cwd=folder, check=True, capture_output=True)


def main(argv):
    if pylance.is_missing(argv):
        return 77  # meson: skipped
    folder, tool, bad = tempfile.mkdtemp(prefix="og-conflicts-"), os.path.abspath(argv[1]), 0
    try:
        for kind, expected in THEIRS.items():
            got = [meet(tool, kind, name, folder) for name in OURS]
            for name, want, is_ in zip(OURS, expected, got):
                if want != is_:
                    bad += 1
                    print(f"{kind} behind our {name}: {is_}, not {want}")
            print(kind, "".join(g if len(g) == 1 else "?" for g in got))
        compactions_of_other_fragments(tool, folder)
    finally:
        shutil.rmtree(folder)
    print(f"conflicts: {len(THEIRS) * len(OURS) - bad} as expected, {bad} not")
    return bad != 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
