#!/usr/bin/env python3
"""Random graphs written by our program; pylance 6.0.1 opens, validates, scans and filters every table.

    graph_tables.py [PROGRAM] [--seeds A..B] [--binary PATH]

After each step (loads in every mode, mutations, a run of small commits that folds fragments) every table of
the graph must be at the version that the graph names, validate, hold the rows of our export value by value,
and find each by a filter; tables of the graph itself must open and count. Run it with a Python that has
pylance 6.0.1, or name one in OMNIGRAPH_PYLANCE; without one it says SKIPPED.
"""
import argparse
import base64
import collections
import datetime
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "differential"))

import writes  # noqa: E402
from graphs import Graph  # noqa: E402

import pylance

try:
    import lance
    import pyarrow as pa
except ImportError:
    lance = None

EPOCH = datetime.datetime(1970, 1, 1)


class Tables:
    """One graph of ours and pylance's view of it."""

    def __init__(self, binary, seed, root):
        self.binary, self.root, self.rng = binary, root, random.Random(seed)
        self.coverage, self.files = collections.Counter(), 0
        self.graph = Graph(self.rng, collections.Counter())
        self.path = os.path.join(root, "graph.omni")
        self.types = {t.name: t for t in self.graph.nodes + self.graph.edges}

    def run(self, *args):
        run = subprocess.run([self.binary, *args], cwd=self.root, capture_output=True, text=True, timeout=120, check=False)
        assert run.returncode == 0, f"{' '.join(args)}: {run.stderr}"
        return run.stdout

    def write(self, name, text):
        path = os.path.join(self.root, name)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        return path

    def apply(self, step):
        if isinstance(step, writes.Load):
            self.files += 1
            self.run("load", "--data", self.write(f"load{self.files}.jsonl", step.text), "--mode", step.mode, self.path)
        elif step:
            self.run(*step.arguments(self.path))

    def rows(self):
        """type name -> id -> values, from our export."""
        out = {name: {} for name in self.types}
        for line in self.run("export", self.path).splitlines():
            record = json.loads(line)
            name = record.get("type") or record["edge"]
            values = dict(record["data"])
            if "edge" in record:
                values.update(src=record["from"], dst=record["to"])
            out[name][values["id"]] = values
        return out

    def check(self):
        rows = self.rows()
        for table in json.loads(self.run("snapshot", self.path, "--json"))["tables"]:
            name = table["table_key"].split(":")[1]
            dataset = lance.dataset(os.path.join(self.path, table["table_path"]))
            assert dataset.version == table["table_version"], (name, dataset.version, table["table_version"])
            self.check_table(dataset, self.types[name], rows[name])
        for own in ("__manifest", "_graph_commits.lance", "_graph_commit_actors.lance"):
            dataset = lance.dataset(os.path.join(self.path, own))
            dataset.validate()
            assert dataset.to_table().num_rows == dataset.count_rows()
            self.coverage["tables of the graph"] += 1

    def check_table(self, dataset, type_, wanted):
        dataset.validate()
        assert dataset.data_storage_version == "2.2" and dataset.has_stable_row_ids
        assert dataset.count_rows() == len(wanted), (type_.name, dataset.count_rows(), len(wanted))
        blobs = [p.name for p in type_.properties if p.type.base == "Blob"]
        table = dataset.to_table(columns=[f.name for f in dataset.schema if f.name not in blobs])
        for row in columns_to_rows(table):
            for name, value in row.items():
                same = wanted[row["id"]][name]
                assert value == same, f"{type_.name}.{name} of {row['id']!r}: {value!r}, exported {same!r}"
        self.coverage["rows"] += table.num_rows
        for name in blobs:
            self.check_blobs(dataset, name, wanted)
        self.check_filters(dataset, type_, wanted)
        self.coverage["tables"] += 1
        self.coverage["fragments"] += len(dataset.get_fragments())
        for p in type_.properties:
            self.coverage["values of " + p.type.kind()] += len(wanted)

    def check_blobs(self, dataset, name, wanted):
        scan = dataset.scanner(columns=["id"], with_row_id=True).to_table()
        for ident, row in zip(scan["id"].to_pylist(), scan["_rowid"].to_pylist()):
            text = wanted[ident][name]
            if text is None or text == "base64:":
                continue
            with dataset.take_blobs(name, ids=[row])[0] as blob:
                assert blob.readall() == base64.b64decode(text[len("base64:"):]), (name, ident)

    def check_filters(self, dataset, type_, wanted):
        for ident in self.rng.sample(sorted(wanted), min(2, len(wanted))):
            quoted = ident.replace("'", "''")
            assert dataset.count_rows(filter=f"id = '{quoted}'") == 1, ident
        for p in type_.properties:
            if p.type.base in ("Blob", "Vector") or p.type.listed:
                continue
            nulls = sum(1 for row in wanted.values() if row[p.name] is None)
            assert dataset.count_rows(filter=f"`{p.name}` IS NULL") == nulls, p.name
            if p.type.base in ("I32", "I64", "U32", "U64"):
                small = sum(1 for row in wanted.values() if row[p.name] is not None and row[p.name] < 10)
                assert dataset.count_rows(filter=f"`{p.name}` < 10") == small, p.name


def columns_to_rows(table):
    columns = {}
    for field in table.schema:
        values = table[field.name].combine_chunks() if table.num_rows else table[field.name]
        columns[field.name] = [exported(v, field.type) for v in as_numbers(values)]
    return [dict(zip(columns, row)) for row in zip(*columns.values())]


def as_numbers(values):
    """Dates as days and times as milliseconds; Python's own dates would lose the time of day."""
    if pa.types.is_date32(values.type):
        values = values.cast(pa.int32())
    elif pa.types.is_date64(values.type):
        values = values.cast(pa.int64())
    elif pa.types.is_list(values.type) and values.type.value_type in (pa.date32(), pa.date64()):
        values = values.cast(pa.list_(pa.int32() if values.type.value_type == pa.date32() else pa.int64()))
    return values.to_pylist()


def exported(value, type_):
    """A value as our export spells it."""
    if value is not None and pa.types.is_list(type_):
        return [exported(v, type_.value_type) for v in value]
    if value is None or not pa.types.is_date64(type_):
        return value
    at = EPOCH + datetime.timedelta(milliseconds=value)
    text = at.strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{at.microsecond // 1000:03d}" if at.microsecond else text


def course(tables):
    """Yields after each step, by its name."""
    graph, rng = tables.graph, tables.rng
    tables.run("init", "--schema", tables.write("schema.pg", graph.schema), tables.path)
    yield "init"
    tables.apply(writes.first_load(graph))
    yield "first load"
    steps = (writes.append_load, writes.merge_load, writes.overwrite_load, writes.upserts, writes.edge_deletes, writes.mixed_mutation)
    for make in rng.sample(steps, len(steps)):
        tables.apply(make(graph))
        yield make.__name__
    node = rng.choice(graph.nodes)
    for _ in range(9):
        tables.apply(writes.Load("append", graph.spell([graph.node_record(node)])))
    yield "a run of small commits"
    tables.apply(writes.node_delete(graph))
    yield "node_delete"


def one_seed(binary, seed, coverage):
    root, step = tempfile.mkdtemp(prefix="og-graph-tables-"), "schema"
    try:
        tables = Tables(binary, seed, root)
        for step in course(tables):
            tables.check()
            coverage["step " + step] += 1
        coverage.update(tables.coverage)
        return True
    except Exception as failure:
        if not isinstance(failure, AssertionError):
            traceback.print_exc()
        print(f"FAILED seed {seed} after {step}: {failure}\n    files: {root}\n    again: {__file__} --binary {binary} --seeds {seed}..{seed}")
        root = None
        return False
    finally:
        if root:
            shutil.rmtree(root, ignore_errors=True)


def main(argv):
    if pylance.is_missing(argv):
        return 77  # meson: skipped
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("program", nargs="?", default=os.path.join(HERE, "..", "..", "build", "src", "cli", "omnigraph"))
    parser.add_argument("--binary")
    parser.add_argument("--seeds", default="1..25")
    options = parser.parse_args(argv[1:])
    first, _, last = options.seeds.partition("..")
    seeds, coverage = range(int(first), int(last or first) + 1), collections.Counter()
    passed = sum(one_seed(os.path.realpath(options.binary or options.program), seed, coverage) for seed in seeds)
    print(", ".join(f"{name} {count}" for name, count in sorted(coverage.items())))
    print(f"{passed} passed, {len(seeds) - passed} failed")
    return 0 if passed == len(seeds) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv))
