#!/usr/bin/env python3
"""Random histories of tables, each step by pylance 6.0.1 or by us: append, delete, update, merge insert, columns, overwrite,
compaction, indexes, restore, branches, cleanup. After each step both read the same rows, and those of a plain model; at the
end every version reads the same on both sides.

    histories.py LANCETABLE LANCETOOL [FIRST..LAST | COUNT]      seeds; a failure prints its seed and steps

Run it with a Python that has pylance 6.0.1; without one it says SKIPPED. OMNIGRAPH_SEEDS says how many, 20 by default.
"""
import datetime
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
import tables

STEPS = 14


def value(r, kind, i):
    if r.random() < 0.15:
        return None
    return {"i64": i * 3 - 7, "u32": i % 1000, "i16": i % 300 - 150, "f32": i / 4, "f64": i * 1e-3, "bool": i % 3 == 0, "date32": i - 50,
            "utf8": r.choice(["", "x", f"t{i % 5}", "ü" * (i % 30), f"unique {i}"]), "large_utf8": "y" * (i % 50),
            "list<utf8>": [None if j == 1 else f"t{j}" for j in range(i % 4)], "list<i64>": list(range(i % 3)),
            "fsl<f32,4>": [i, 0.5, -1, 2], "fsl<f32,80>": [float(j + i) for j in range(80)],
            "struct<a:i32,b:utf8>": {"a": i, "b": f"s{i}"}}[kind]


KINDS = ["i64", "u32", "i16", "f32", "f64", "bool", "date32", "utf8", "large_utf8", "list<utf8>", "list<i64>", "fsl<f32,4>", "fsl<f32,80>",
         "struct<a:i32,b:utf8>"]


def arrow(field, values):
    if pa.types.is_date32(field.type):
        return pa.array(values, pa.int32()).cast(pa.date32())
    return pa.array(values, field.type)


class History:
    """One table: `rows` is the model, key -> n; `kinds` the columns beside id and n."""

    def __init__(self, table_tool, tool, root, seed):
        self.r = random.Random(seed)
        self.t = tables.Driver(table_tool, root, f"h{seed}")
        self.tool, self.root, self.next, self.steps = tool, root, 0, []
        self.kinds = {f"c{i}": self.r.choice(KINDS) for i in range(self.r.randrange(1, 5))}
        self.columns, self.rows, self.states = len(self.kinds), {}, {}

    def dataset(self):
        return lance.dataset(self.t.uri)

    def fields(self):
        return [{"name": "id", "type": "utf8", "nullable": False}, {"name": "n", "type": "i64"}] + [{"name": k, "type": v} for k, v in self.kinds.items()]

    def new_rows(self, count, keys=None):
        out = []
        for i in range(count):
            self.next += 1
            row = {"id": keys[i] if keys else f"k{self.next:06d}", "n": self.next}
            row.update({name: value(self.r, kind, self.next) for name, kind in self.kinds.items()})
            out.append(row)
        return out

    def put(self, rows):
        self.rows.update({row["id"]: row["n"] for row in rows})

    def arrow_table(self, rows, schema):
        return pa.table({f.name: arrow(f, [row.get(f.name) for row in rows]) for f in schema}, schema=schema)

    def some_keys(self, share=0.2):
        keys = sorted(self.rows)
        return self.r.sample(keys, max(1, int(len(keys) * share))) if keys else []

    # ---- steps; each returns what it did, or None when it does not apply

    def append(self, ours):
        rows = self.new_rows(self.r.choice([1, 3, 20, 200]))
        if ours:
            self.t.write({"op": "append", "rows": rows, "fold": self.r.random() < 0.5})
        else:
            lance.write_dataset(self.arrow_table(rows, self.dataset().schema), self.t.uri, mode="append")
        self.put(rows)

    def delete(self, ours):
        keys = self.some_keys()
        if not keys:
            return
        if ours:
            ids = self.t.ids()
            self.t.write({"op": "delete", "delete": [ids[k] for k in keys]})
        else:
            self.dataset().delete("id in (%s)" % ",".join(f"'{k}'" for k in keys))
        for k in keys:
            del self.rows[k]

    def merge(self, ours, share=0.1, fresh=3):
        keys = self.some_keys(share)
        rows = self.new_rows(len(keys), keys) + self.new_rows(fresh)
        if ours:
            ids = self.t.ids()
            self.t.write({"op": "update", "keep": [ids[k] for k in keys], "rows": rows, "fold": self.r.random() < 0.3})
        else:
            source = self.arrow_table(rows, self.dataset().schema)
            # Without the index: with one, a key that was updated before matches twice in theirs.
            builder = self.dataset().merge_insert("id").when_matched_update_all().when_not_matched_insert_all()
            builder.use_index(False).execute(source)
        self.put(rows)

    def update(self, ours):
        if self.rows:
            self.merge(ours, 0.3, 0)

    def evolve(self, ours):
        what = self.r.choice(["add", "fill", "drop", "rename", "retype"])
        name = self.r.choice(sorted(self.kinds)) if self.kinds else None
        self.columns += 1
        new = f"c{self.columns}"
        if what == "add":
            kind = self.r.choice(["i64", "utf8", "f64", "bool"])
            if ours:
                self.t.write({"op": "evolve", "add": [{"name": new, "type": kind}]})
            else:
                self.dataset().add_columns(pa.schema([(new, {"i64": pa.int64(), "utf8": pa.utf8(), "f64": pa.float64(), "bool": pa.bool_()}[kind])]))
            self.kinds[new] = kind
        elif what == "fill":
            if ours:
                slots = self.slots()
                self.t.write({"op": "evolve", "add": [{"name": new, "type": "i64"}], "fill": [{new: i} for i in range(slots)]})
            else:
                self.dataset().add_columns({new: "n * 2"})
            self.kinds[new] = "i64"
        elif name is None:
            return
        elif what == "drop" and len(self.kinds) > 1:
            if ours:
                self.t.write({"op": "evolve", "drop": [name]})
            else:
                self.dataset().drop_columns([name])
            del self.kinds[name]
        elif what == "rename":
            if ours:
                self.t.write({"op": "evolve", "rename": {name: new}})
            else:
                self.dataset().alter_columns({"path": name, "name": new})
            self.kinds = {new if k == name else k: v for k, v in self.kinds.items()}
        elif what == "retype" and self.kinds[name] in ("u32", "i16"):
            if ours:
                slots = self.slots()
                self.t.write({"op": "evolve", "retype": {name: {"name": name, "type": "i64"}}, "fill": [{name: i * 2} for i in range(slots)]})
            else:
                self.dataset().alter_columns({"path": name, "data_type": pa.int64()})
            self.kinds[name] = "i64"

    def slots(self):
        return sum(f.physical_rows for f in self.dataset().get_fragments())

    def overwrite(self, ours):
        if self.r.random() < 0.6:
            return self.append(ours)
        rows = self.new_rows(self.r.choice([1, 50]))
        if ours:
            self.t.write({"op": "overwrite", "rows": rows})
        else:
            lance.write_dataset(self.arrow_table(rows, self.dataset().schema), self.t.uri, mode="overwrite")
        self.rows = {}
        self.put(rows)

    def compact(self, ours):
        if ours:
            self.t.write({"op": "compact", "threshold": self.r.choice([0, -1, 0.5]), "as_update": self.r.random() < 0.5,
                          "target": self.r.choice([0, 50, 500])})
        else:
            self.dataset().optimize.compact_files(num_threads=1)

    def index(self, ours):
        name = self.r.choice(["id", "n"])
        have = [i["name"] for i in self.dataset().list_indices()]
        if ours and have:
            self.t.write({"op": "index", "drop_index": [self.r.choice(have)]})
        elif self.rows:
            self.dataset().create_scalar_index(name, self.r.choice(["BTREE", "BITMAP"]), replace=True)

    def restore(self, ours):
        # Back to a version with the same columns.
        same = [v for v, (rows, kinds) in self.states.items() if kinds == self.kinds]
        if not same:
            return
        version = self.r.choice(same)
        if ours or not self.states[version][0]:
            self.t.write({"op": "restore", "version": version})
        else:
            self.dataset().checkout_version(version).restore()
        self.rows = dict(self.states[version][0])

    def branch(self, ours):
        name = f"b{self.columns}{self.next}"
        if ours:
            self.run_tool("branch", "create", self.t.uri, name)
        else:
            self.dataset().create_branch(name, None)
        side = tables.Driver(self.t.tool, self.root, f"{self.t.name}/tree/{name}")
        rows = self.new_rows(2)
        if self.r.random() < 0.5:
            path = os.path.join(self.root, "side.json")
            with open(path, "w") as f:
                json.dump([{"op": "append", "rows": rows}], f)
            side.run("write", path)
        else:
            at = self.dataset().checkout_version((name, None))
            lance.write_dataset(self.arrow_table(rows, at.schema), at, mode="append")
        at = self.dataset().checkout_version((name, None))
        assert side.dump()["count_rows"] == at.count_rows() == len(self.rows) + 2
        if self.r.random() < 0.5:
            self.run_tool("branch", "delete", self.t.uri, name)
            assert name not in self.dataset().branches.list()

    def cleanup(self, ours):
        if ours:
            self.run_tool("cleanup", "--keep", "3", self.t.uri)
        else:
            self.dataset().cleanup_old_versions(older_than=datetime.timedelta(0))
        kept = {v["version"] for v in self.dataset().versions()}
        self.states = {v: s for v, s in self.states.items() if v in kept}

    def run_tool(self, *args):
        run = subprocess.run([self.tool, *args], capture_output=True, text=True)
        assert run.returncode == 0, (args, run.stderr[-500:])

    # ---- all of it

    def check(self):
        dataset = self.t.check(lineage=False)
        dump = self.t.dump()
        got = dict(zip(dump["columns"]["id"], dump["columns"]["n"]))
        assert got == self.rows and dump["count_rows"] == len(self.rows), (len(got), len(self.rows))
        for key in self.some_keys(0)[:1]:
            assert dataset.to_table(filter=f"id = '{key}'", columns=["n"])["n"].to_pylist() == [self.rows[key]], key
            found = dataset.to_table(filter=f"n = {self.rows[key]}", columns=["id"])["id"].to_pylist()
            assert found == [key], (found, key)
        self.states[dataset.version] = (dict(self.rows), dict(self.kinds))

    def run(self):
        rows = self.new_rows(self.r.choice([0, 1, 30, 300]))
        self.put(rows)
        if self.r.random() < 0.5 or not rows:  # theirs forgets stable row ids when there are no rows
            self.t.write({"op": "create", "fields": self.fields(), "rows": rows})
        else:  # by them, of the schema that ours would have
            self.t.write({"op": "create", "fields": self.fields(), "rows": []})
            schema = self.dataset().schema
            shutil.rmtree(self.t.uri)
            lance.write_dataset(self.arrow_table(rows, schema), self.t.uri, enable_stable_row_ids=True, data_storage_version="2.2")
        self.check()
        names = ["append", "append", "delete", "update", "merge", "merge", "evolve", "evolve", "overwrite", "compact", "compact", "index", "index",
                 "restore", "branch", "cleanup"]
        for _ in range(STEPS):
            name, ours = self.r.choice(names), self.r.random() < 0.5
            ours = ours or not self.rows  # a table that theirs writes without rows has no stable row ids any more
            self.steps.append(("ours " if ours else "theirs ") + name)
            getattr(self, name)(ours)
            self.check()
        for version, (rows, _) in self.states.items():
            assert lance.dataset(self.t.uri, version=version).count_rows() == self.t.dump(version)["count_rows"] == len(rows), version


def seeds_of(text):
    if ".." in text:
        first, last = text.split("..")
        return range(int(first), int(last) + 1)
    return range(1, int(text) + 1)


def main(argv):
    if pylance.is_missing(argv):
        return 77  # meson: skipped
    failed = 0
    seeds = seeds_of(argv[3] if argv[3:] else os.environ.get("OMNIGRAPH_SEEDS", "20"))
    for seed in seeds:
        root = tempfile.mkdtemp(prefix="og-histories-")
        history = History(os.path.abspath(argv[1]), os.path.abspath(argv[2]), root, seed)
        try:
            history.run()
        except Exception as problem:  # pylint: disable=broad-except
            failed += 1
            print(f"FAIL seed {seed}, after {history.steps}: {type(problem).__name__}: {str(problem)[:600]}", flush=True)
        finally:
            shutil.rmtree(root, ignore_errors=True)
    print(f"histories: {len(seeds) - failed} passed, {failed} failed")
    return failed != 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
