#!/usr/bin/env python3
"""Lance tables, ours and pylance's, side by side: scans, random rows, writing, size, memory.

    lance.py LANCEBENCH [--rows N] [--runs N] [--keep FOLDER]

LANCEBENCH is tests/tools/lancebench of a build; the Python must have pylance 6.0.1. Every value is
summed on both sides, and the sums must agree. Runs alternate between the two programs; what is printed are
medians of wall and of CPU time (the second means something also on a busy machine), and ratios theirs / ours:
above 1 ours is faster. Pages are warm.
"""
import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile

# The folder of this file stands first in the path, and would be found as "lance".
sys.path = [p for p in sys.path if os.path.realpath(p or ".") != os.path.dirname(os.path.realpath(__file__))]

COLUMNS = {"ints": ("rows", ["a"]), "small ints": ("rows", ["b"]), "strings": ("rows", ["s"]),
           "all three": ("rows", ["a", "b", "s"]), "vectors": ("vectors", ["v"]),
           "ids": ("kinds", ["i"]), "keys": ("kinds", ["k"]), "words": ("kinds", ["w"]), "floats": ("kinds", ["f"]),
           "prices": ("kinds", ["p"]), "booleans": ("kinds", ["t"]), "nullable": ("kinds", ["n"]), "lists": ("kinds", ["l"])}

# Runs in a process of its own, as LANCE_CPU_THREADS is read once.
THEIRS = r'''
import json, resource, sys, time
import lance, numpy as np, pyarrow as pa, pyarrow.compute as pc
what, uri, args = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
def total(a):
    if pa.types.is_list(a.type):
        return total(a.flatten())
    if pa.types.is_boolean(a.type):
        return float(pc.sum(a).as_py())
    if a.null_count:
        a = pc.fill_null(a, 0)
    if pa.types.is_string(a.type):
        return float(pc.sum(pc.binary_length(a)).as_py())
    if pa.types.is_fixed_size_list(a.type):
        return float(np.sum(a.flatten().to_numpy(), dtype=np.float32)) if len(a) else 0.0
    return float(np.sum(a.to_numpy()))
def cpu():
    u = resource.getrusage(resource.RUSAGE_SELF)
    return u.ru_utime + u.ru_stime
runs = []
if what == "write":
    table = lance.dataset(uri).to_table(columns=args["columns"])
for i in range(args["repeats"]):
    ds = lance.dataset(uri)
    t, c, s = time.perf_counter(), cpu(), 0.0
    if what == "scan":
        for batch in ds.to_batches(columns=args["columns"]):
            s += sum(total(column) for column in batch.columns)
    elif what == "take":
        taken = ds.take(args["rows"], columns=args["columns"])
        s = sum(total(chunk) for column in taken.columns for chunk in column.chunks)
    else:
        lance.write_dataset(table, args["new"], mode="overwrite", data_storage_version="2.2", enable_stable_row_ids=True)
    runs.append({"seconds": time.perf_counter() - t, "cpu": cpu() - c, "sum": s})
print(json.dumps({"runs": runs, "peak_kb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss}))
'''


def make(root, rows):
    import lance
    import numpy as np
    import pyarrow as pa
    words = ["alpha", "bravo", "charlie", "delta", "echo", "foxtrot", "golf", "hotel"]
    for part in range(10):
        r = np.random.default_rng(part)
        n = rows // 10
        texts = pa.array([f"user {x} of {words[x & 7]}" for x in r.integers(0, 1 << 20, n)])
        table = pa.table({"a": r.integers(0, 1 << 40, n), "b": np.cumsum(r.integers(0, 9, n)), "s": texts})
        lance.write_dataset(table, os.path.join(root, "rows"), mode="append" if part else "create",
                            data_storage_version="2.2", enable_stable_row_ids=True)
    for part in range(2):
        r = np.random.default_rng(50 + part)
        n = rows // 10
        offsets = pa.array(np.concatenate([[0], np.cumsum(r.integers(0, 9, n))]).astype(np.int32))
        table = pa.table({
            "i": np.arange(part * n, (part + 1) * n),
            "k": pa.array([f"{x:032x}" for x in np.sort(r.integers(0, 1 << 62, n))]),
            "w": pa.array([words[x] for x in r.integers(0, 8, n)]), "f": r.standard_normal(n),
            "p": r.integers(1, 20000, n) / 100, "t": r.random(n) < 0.3,
            "n": pa.array(r.integers(0, 1 << 16, n), mask=r.random(n) < 0.2),
            "l": pa.ListArray.from_arrays(offsets, pa.array(r.integers(0, 1000, offsets[-1].as_py())))})
        lance.write_dataset(table, os.path.join(root, "kinds"), mode="append" if part else "create",
                            data_storage_version="2.2", enable_stable_row_ids=True)
    vectors = np.random.default_rng(99).random((rows // 30, 256), dtype=np.float32)
    lance.write_dataset(pa.table({"v": pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), 256)}),
                        os.path.join(root, "vectors"), data_storage_version="2.2", enable_stable_row_ids=True)


def ours(bench, *args):
    run = subprocess.run([bench, *map(str, args)], capture_output=True, text=True, check=True)
    return json.loads(run.stdout)


def theirs(what, threads, uri, **args):
    env = dict(os.environ, LANCE_CPU_THREADS=str(threads))
    run = subprocess.run([sys.executable, "-c", THEIRS, what, uri, json.dumps(args)], capture_output=True, text=True,
                         check=True, env=env)
    return json.loads(run.stdout.splitlines()[-1])


def line(name, us, them, rows):
    def median(runs, key):
        return statistics.median(run[key] for run in runs)
    wall = median(us, "seconds"), median(them, "seconds")
    cpu = median(us, "cpu"), median(them, "cpu")
    print(f"{name:28} {wall[0] * 1e3:9.1f} ms {wall[1] * 1e3:9.1f} ms {wall[1] / wall[0]:7.2f}   cpu "
          f"{cpu[0] * 1e3:9.1f} ms {cpu[1] * 1e3:9.1f} ms {cpu[1] / max(cpu[0], 1e-6):7.2f}   "
          f"{rows / wall[0] / 1e6:8.1f} M rows/s", flush=True)


def scans(bench, root, runs):
    for threads in (1, 2):
        for name, (table, columns) in COLUMNS.items():
            us, them = [], []
            for _ in range(runs):
                us += ours(bench, "scan", root, table, threads, 1, *columns)
                them += theirs("scan", threads, os.path.join(root, table), columns=columns, repeats=1)["runs"]
            assert abs(us[0]["sum"] - them[0]["sum"]) <= 1e-3 * abs(them[0]["sum"]), (name, us[0], them[0])
            line(f"scan {name}, {threads} threads", us, them, us[0]["rows"])


def takes(bench, root, rows, runs):
    picked, seed = [], 7
    for _ in range(1000):
        seed = (seed * 6364136223846793005 + 1442695040888963407) % 2 ** 64
        picked.append((seed >> 33) % rows)
    for name, (table, columns) in COLUMNS.items():
        if table != "rows":
            continue
        us, them = [], []
        for _ in range(runs):
            us += ours(bench, "take", root, table, 1000, 3, *columns)
            them += theirs("take", 2, os.path.join(root, table), columns=columns, rows=picked, repeats=3)["runs"]
        assert us[0]["sum"] == them[0]["sum"], (name, us[0], them[0])
        line(f"take 1000, {name}", us, them, 1000)


def size_of(folder):
    return sum(os.path.getsize(os.path.join(at, name)) for at, _, names in os.walk(folder) for name in names)


def writes(bench, root, runs):
    for name, (table, columns) in COLUMNS.items():
        for threads in (1, 2):
            us, them = [], []
            for _ in range(max(1, runs // 2)):
                for folder in ("ours", "theirs"):
                    shutil.rmtree(os.path.join(root, folder), ignore_errors=True)
                us += ours(bench, "write", root, table, "ours", threads, *columns)
                them += theirs("write", threads, os.path.join(root, table), columns=columns, repeats=1,
                               new=os.path.join(root, "theirs"))["runs"]
            line(f"write {name}, {threads} threads", us, them, us[0]["rows"])
        sizes = size_of(os.path.join(root, "ours")), size_of(os.path.join(root, "theirs"))
        print(f"{'size ' + name:28} {sizes[0]:12} {sizes[1]:12} {sizes[1] / sizes[0]:7.3f}")


def memory(bench, root):
    for name, (table, columns) in COLUMNS.items():
        run = subprocess.run(["/usr/bin/time", "-f", "%M", bench, "scan", root, table, "2", "1", *columns],
                             capture_output=True, text=True, check=True)
        peak = int(run.stderr.split()[-1])
        other = theirs("scan", 2, os.path.join(root, table), columns=columns, repeats=1)["peak_kb"]
        print(f"{'peak memory, scan ' + name:34} {peak / 1024:8.1f} MiB {other / 1024:8.1f} MiB {other / peak:7.2f}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("lancebench")
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--keep", help="a folder for the tables, used again when it has them")
    parser.add_argument("--columns", help="of these, by name, with commas between", default=",".join(COLUMNS))
    parser.add_argument("--only", choices=["scans", "takes", "writes", "memory"])
    args = parser.parse_args()
    for name in set(COLUMNS) - set(args.columns.split(",")):
        del COLUMNS[name]
    root = args.keep or tempfile.mkdtemp(prefix="og-lance-bench-")
    try:
        if not os.path.isdir(os.path.join(root, "vectors")):
            make(root, args.rows)
        print(f"{'':28} {'ours':>12} {'pylance':>12} {'ratio':>7}")
        if args.only in (None, "scans"):
            scans(args.lancebench, root, args.runs)
        if args.only in (None, "takes"):
            takes(args.lancebench, root, args.rows, args.runs)
        if args.only in (None, "writes"):
            writes(args.lancebench, root, args.runs)
        if args.only in (None, "memory"):
            memory(args.lancebench, root)
    finally:
        if not args.keep:
            shutil.rmtree(root, ignore_errors=True)


if __name__ == "__main__":
    main()
