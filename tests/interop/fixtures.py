#!/usr/bin/env python3
"""Read every version of every Lance fixture, with `lancetable` (which also takes rows in other orders) and
with `lancetool cat`, and compare with expected.json.

    fixtures.py LANCETABLE LANCETOOL [FIXTURE...]

The fixtures are in $OMNIGRAPH_REFERENCE/fixtures/lance; without them the test says SKIPPED.
"""
import hashlib
import json
import os
import subprocess
import sys

def big(value):
    """Blobs over 4096 bytes are recorded by length and digest."""
    if isinstance(value, dict) and len(value.get("hex", "")) > 8192:
        raw = bytes.fromhex(value["hex"])
        return {"len": len(raw), "sha256": hashlib.sha256(raw).hexdigest()}
    return value


def same(name, got, want):
    if got == want:
        return None
    for i, (a, b) in enumerate(zip(got, want)):
        if a != b:
            return f"{name} row {i}: {str(a)[:200]} != {str(b)[:200]}"
    return f"{name}: {len(got)} rows, not {len(want)}"


def compare(dump, snapshot):
    if dump["count_rows"] != snapshot["count_rows"]:
        return f"{dump['count_rows']} rows, not {snapshot['count_rows']}"
    columns = dump["columns"]
    if "columns" in snapshot:
        for name, want in snapshot["columns"].items():
            difference = same(name, [big(v) for v in columns.get(name, [])], want)
            if difference:
                return difference
        return None
    digest = hashlib.sha256()
    for row in zip(*(columns[name] for name in snapshot["column_order"])):
        digest.update((json.dumps(list(row)) + "\n").encode())
    return None if digest.hexdigest() == snapshot["rows_sha256"] else "digest of the rows"


def cat(tool, root, name, branch, version):
    """What `lancetool cat` prints, in the form of a dump; None and its complaint when it fails."""
    command = [tool, "cat", "--row-ids", "--version", str(version), os.path.join(root, name)]
    run = subprocess.run(command + (["--branch", branch] if branch else []), capture_output=True, text=True)
    if run.returncode != 0:
        return None, run.stderr.strip()[-500:] or str(run.returncode)
    rows = [json.loads(line) for line in run.stdout.splitlines()]
    columns = {key: [row[key] for row in rows] for key in (rows[0] if rows else {})}
    return {"count_rows": len(rows), "columns": columns}, None


def check(dumper, tool, root, name):
    with open(os.path.join(root, name, "expected.json")) as f:
        expected = json.load(f)
    count = 0
    for snapshot in expected["snapshots"]:
        branch = snapshot.get("branch")
        path = f"{name}/tree/{branch}" if branch and branch != "main" else name
        where = f"{path} v{snapshot['version']}"
        run = subprocess.run([dumper, "dump", root, path, str(snapshot["version"])], capture_output=True, text=True)
        if run.returncode != 0:
            return f"{where}: {run.stderr.strip()[-500:] or run.returncode}"
        difference = compare(json.loads(run.stdout), snapshot)
        if difference:
            return f"{where}: {difference}"
        printed, complaint = cat(tool, root, name, branch, snapshot["version"])
        difference = complaint or compare(printed, snapshot)
        if difference:
            return f"{where}: lancetool: {difference}"
        count += 1
    run = subprocess.run([dumper, "versions", root, name], capture_output=True, text=True)
    if run.returncode != 0:
        return f"{name}: {run.stderr.strip()}"
    print(f"ok {name} {count} versions")
    return None


def main(argv):
    reference = os.environ.get("OMNIGRAPH_REFERENCE", "")
    root = os.path.join(reference, "fixtures", "lance")
    if not os.path.isdir(root):
        print("SKIPPED: no fixtures ($OMNIGRAPH_REFERENCE)")
        return 77  # meson: skipped
    root = os.path.abspath(root)
    names = argv[3:] or sorted(n for n in os.listdir(root) if os.path.exists(os.path.join(root, n, "expected.json")))
    bad = 0
    for name in names:
        failure = check(argv[1], argv[2], root, name)
        if failure:
            bad += 1
            print("FAIL", failure)
    return bad != 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
