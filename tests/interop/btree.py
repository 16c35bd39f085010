#!/usr/bin/env python3
"""BTREE indexes made and brought up to date by `lancetool` and by pylance, in turns, on tables that change.

    btree.py LANCETOOL [--seeds A..B]

After every step both sides look rows up by the index - single values, spans, nulls - and the answers are
those of a scan. Needs pylance 6.0.1 ($OMNIGRAPH_PYLANCE names its Python); else the test says SKIPPED.
"""
import os
import random
import subprocess
import sys
import tempfile


def rerun_with_pylance():
    try:
        import lance  # noqa: F401
    except ImportError:
        python = os.environ.get("OMNIGRAPH_PYLANCE")
        if not python or os.environ.get("BTREE_RERUN"):
            print("SKIPPED: no pylance")
            sys.exit(77)
        os.execve(python, [python] + sys.argv, {**os.environ, "BTREE_RERUN": "1"})


rerun_with_pylance()
import lance  # noqa: E402
import pyarrow as pa  # noqa: E402

KINDS = {"text": pa.string(), "i64": pa.int64(), "u32": pa.uint32(), "f64": pa.float64(), "day": pa.date32()}


def value(rng, kind):
    if rng.random() < 0.1:
        return None
    if kind == "text":
        return rng.choice(["", "a", "ä", "zz"]) + str(rng.randrange(300))
    if kind == "f64":
        return rng.choice([rng.randrange(-50, 50) / 4, 0.0, 1e300, -1e-300])
    number = rng.randrange(0, 300) - (100 if kind in ("i64", "day") else 0)
    return number


def batch(rng, kind, ids):
    values = [value(rng, kind) for _ in ids]
    column = pa.array(values, pa.int32()).cast(pa.date32()) if kind == "day" else pa.array(values, KINDS[kind])
    return pa.table({"id": pa.array(ids, pa.int64()), "v": column})


def raw(kind, v):
    return v.cast(pa.int32()).to_pylist() if kind == "day" else v.to_pylist()


class Case:
    def __init__(self, tool, folder, seed):
        self.rng, self.tool = random.Random(seed), tool
        self.kind = self.rng.choice(list(KINDS))
        self.path = os.path.join(folder, f"t{seed}.lance")
        self.next_id, self.steps = 0, []
        lance.write_dataset(self.rows(self.rng.choice([400, 1000, 9000])), self.path, data_storage_version="2.2",
                            enable_stable_row_ids=True, max_rows_per_file=self.rng.choice([40, 4000]))

    def rows(self, count):
        ids = list(range(self.next_id, self.next_id + count))
        self.next_id += count
        return batch(self.rng, self.kind, ids)

    def table(self):
        return lance.dataset(self.path)

    def ours(self, *arguments):
        run = subprocess.run([self.tool, "index", self.path, *arguments], capture_output=True, text=True)
        if run.returncode:
            raise AssertionError(f"lancetool index {arguments}: {run.stderr}")
        return run.stdout.split()

    def some_ids(self, most):
        return self.rng.sample(range(self.next_id), min(self.next_id, self.rng.randrange(1, most)))

    def step(self):
        rng, kind = self.rng, self.rng.choice(
            ["ours create", "pylance create", "ours update", "append", "delete", "upsert", "update", "compact"])
        self.steps.append(kind)
        has = any(i["name"] == "v_idx" for i in self.table().list_indices())
        if kind == "ours create":
            self.ours("create", "v")
        elif kind == "pylance create":
            self.table().create_scalar_index("v", "BTREE", replace=True)
        elif kind == "ours update" and has:
            self.ours("update", "v_idx")
        elif kind == "append":
            lance.write_dataset(self.rows(rng.choice([1, 30, 500])), self.path, mode="append")
        elif kind == "delete":
            self.table().delete("id in (%s)" % ",".join(map(str, self.some_ids(40))))
        elif kind == "upsert":
            ids = sorted(set(self.some_ids(40)) | set(range(self.next_id, self.next_id + 5)))
            self.next_id += 5
            self.table().merge_insert("id").when_matched_update_all().when_not_matched_insert_all().execute(
                batch(rng, self.kind, ids))
        elif kind == "update":
            self.table().update({"v": "NULL"}, where=f"id % 17 = {rng.randrange(17)}")
        elif kind == "compact":
            self.table().optimize.compact_files(target_rows_per_fragment=rng.choice([100, 100000]))

    def check(self):
        table = self.table()
        if not any(i["name"] == "v_idx" for i in table.list_indices()):
            return 0
        everything = table.to_table(columns=["v"], with_row_id=True, use_scalar_index=False)
        values, ids = raw(self.kind, everything["v"]), everything["_rowid"].to_pylist()
        present = [v for v in values if v is not None]
        probes = [("null", None, None)]
        for _ in range(3):
            low = self.rng.choice(present) if present and self.rng.random() < 0.9 else value(self.rng, self.kind)
            high = self.rng.choice(present) if present else None
            if low is None or high is None:
                continue
            probes += [("value", low, low), ("span", min(low, high), max(low, high))]
        for what, low, high in probes:
            want = sorted(i for v, i in zip(values, ids)
                          if (v is None if what == "null" else v is not None and low <= v <= high))
            bounds = {"null": ["--null"], "value": [f"--value={low}"], "span": [f"--from={low}", f"--to={high}"]}[what]
            got = sorted(map(int, self.ours("find", "v", *bounds)))
            assert got == want, f"ours, {what} {low} {high}: {got[:8]} instead of {want[:8]}"
            literal = {"text": "'{}'", "day": "cast({} as int)", "f64": "{!r}"}.get(self.kind, "{}")
            text = {"null": "v is null", "value": "v = {0}", "span": "v >= {0} and v <= {1}"}[what]
            if self.kind == "day" and what != "null":
                import datetime
                literal = "date '{}'"
                low, high = (datetime.date(1970, 1, 1) + datetime.timedelta(days=x) for x in (low, high))
            condition = text.format(literal.format(low), literal.format(high))
            rows = table.scanner(filter=condition, columns=["id"], with_row_id=True).to_table()
            got = sorted(rows["_rowid"].to_pylist())
            assert got == want, f"pylance, {condition}: {got[:8]} instead of {want[:8]}"
        return len(probes) * 2


def stale(tool, folder):
    """pylance's optimize_indices leaves the entries of rows that were updated in between; the values of rows decide for us."""
    uri = os.path.join(folder, "stale.lance")
    data = pa.table({"id": pa.array(range(2000), pa.int64()), "s": [f"k{i % 50}" for i in range(2000)]})
    table = lance.write_dataset(data, uri, data_storage_version="2.2", enable_stable_row_ids=True)
    table.create_scalar_index("s", "BTREE")
    table.update({"s": "'x'"}, where="id < 100")
    lance.dataset(uri).optimize.optimize_indices()
    rows = lance.dataset(uri).to_table(with_row_id=True).to_pylist()
    for key, count in (("k3", 38), ("x", 100)):
        found = subprocess.run([tool, "index", uri, "find", "s", "--value", key], capture_output=True, text=True, check=True).stdout
        want = sorted(r["_rowid"] for r in rows if r["s"] == key)
        assert len(want) == count and sorted(map(int, found.split())) == want, (key, len(want), len(found.split()))
    checked = subprocess.run([tool, "verify", uri], capture_output=True, text=True)
    assert checked.returncode == 1 and "entries of the" in checked.stderr, checked.stderr
    subprocess.run([tool, "index", uri, "create", "s"], check=True, capture_output=True)
    subprocess.run([tool, "verify", uri], check=True, capture_output=True)
    assert lance.dataset(uri).to_table(filter="s = 'k3'").num_rows == 38


def main():
    tool, seeds = sys.argv[1], "1..24"
    if "--seeds" in sys.argv:
        seeds = sys.argv[sys.argv.index("--seeds") + 1]
    first, last = map(int, seeds.split(".."))
    passed = failed = lookups = 0
    with tempfile.TemporaryDirectory() as folder:
        stale(os.path.abspath(tool), folder)
        for seed in range(first, last + 1):
            case = Case(tool, folder, seed)
            try:
                for _ in range(12):
                    case.step()
                    lookups += case.check()
                passed += 1
            except (AssertionError, OSError, ValueError) as e:
                failed += 1
                print(f"FAILED seed {seed} ({case.kind}), steps {case.steps}: {str(e)[:1500]}")
    print(f"{lookups} lookups")
    print(f"{passed} passed, {failed} failed")
    sys.exit(failed > 0)


main()
