#!/usr/bin/env python3
"""Put bugs into a copy of the engine on purpose, one at a time, and see whether the simulator finds them.

    bugs.py [--most SEEDS] [--starts N] [NAME...]
    bugs.py --fit

Each bug is a change of the source, written here as what stands there and what comes in its place; one that does
not fit the source any more is an error. Each is looked for five times, from different first seeds (--starts); printed are
the seeds until it was found and their median. Exit code 0: each was found, with a median below 500.
"""
import argparse
import os
import re
import shutil
import statistics
import subprocess
import sys

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
STARTS = tuple(range(1000001, 10000001, 1000000))

# What a build of indexes that is moved says that it covers.
COVER_ALL = """static og_status cover_all(og_lance_write *write, og_lance_table *onto, og_error *err)
{
    OG_AUTO_BUF packed = OG_BUF_INIT;
    og_table__u32s ids = {0};
    for (uint32_t f = 0; f < onto->fragment_count; f++)
        if (!og_vec_push(&ids, (uint32_t)onto->fragments[f].id))
            return og_error_nomem(err);
    bool ok = og_table__roaring_encode(ids.items, ids.len, &packed);
    og_vec_deinit(&ids);
    uint8_t *copy = ok ? og_arena_copy(write->arena, packed.ptr, packed.len) : NULL;
    for (size_t i = 0; copy != NULL && i < write->new_indices.len; i++)
        OG_PB_SET(write->new_indices.items[i], fragment_bitmap, og_table__binary(copy, packed.len));
    return copy != NULL ? OG_OK : og_error_nomem(err);
}

"""

# name: [(file, what stands there, what comes in its place), ...]
BUGS = {
    "published before the tables are committed": [
        ("src/graph/commit.c", "    OG_TRY(take_tables(r, err));\n    OG_TRY(og_graph__sync_names(r, err));\n", ""),
        ("src/graph/commit.c", "    c->slots_held = 0;\n    memcpy(out->commit_id",
         "    OG_TRY(take_tables(r, err));\n    OG_TRY(og_graph__sync_names(r, err));\n    c->slots_held = 0;\n    memcpy(out->commit_id")],
    "operation not named in the table manifest": [
        ("src/graph/commit.c", "        {OG_STR(\"og.op\"), og_str_of(c->op.id)},\n", "")],
    "fsync left out": [
        ("src/graph/commit_slots.c", "    og_status s = r->store->ops->sync(r->store, r->names.items, r->names.len, err);",
         "    og_status s = OG_OK;\n    (void)err;")],
    "lost acknowledgement taken as failure": [
        ("src/graph/commit_slots.c", "        if (s != OG_EXISTS && s != OG_UNKNOWN)\n            return s;",
         "        if (s == OG_UNKNOWN)\n            return OG_IO;\n        if (s != OG_EXISTS)\n            return s;")],
    "stale pin accepted": [
        ("src/graph/commit_publish.c", "        if (pin == NULL || pin->version != move->expected_version)\n            return og_graph__stale(",
         "        if (pin == NULL)\n            return og_graph__stale(")],
    "conflict reported before the abort is published": [
        ("src/graph/txn.c", "    og_error abort_error;\n", "    og_error abort_error;\n    if (txn != NULL)\n        return cause;\n")],
    "cleanup without its fence": [
        ("src/graph/fence.c", "    og_status s = OG_OK;\n", "    og_status s = OG_OK;\n    if (repo != NULL)\n        return OG_OK;\n"),
        ("src/lance/table/cleanup.c", "now_us - OG_LANCE_STRAY_US", "now_us - 0")],
    "a helper forgets what the operation had read": [
        ("src/graph/resolve.c", ".read_count = v->reads.len,", ".read_count = 0,")],
    "index segment kept over a rebase": [
        ("src/lance/table/rebase.c", "    OG_TRY(renumber_all(write, err));\n    write->state = OG_TABLE__OPEN;\n",
         "    OG_TRY(renumber_all(write, err));\n    OG_TRY(cover_all(write, onto, err));\n    write->state = OG_TABLE__OPEN;\n"),
        ("src/lance/table/rebase.c", "static og_status move(og_lance_write *write,", COVER_ALL + "static og_status move(og_lance_write *write,")],
    "probe trusted over a lost slot": [
        ("src/graph/commit_publish.c", "        OG_TRY(check_reads(c, newest, err));\n", "        (void)check_reads;\n")],
    "row id reused after a restore": [
        ("src/graph/restore.c", "                                      .min_next_row_id = above.next_row_id,\n", ""),
        ("src/graph/restore.c", "    OG_TRY(og_graph__slot_open(repo, pin, above.head, &base, err));",
         "    OG_TRY(og_graph__slot_open(repo, pin, pin->version, &base, err));")],
}


def copy_tree(to):
    if os.path.exists(to):
        shutil.rmtree(to)
    shutil.copytree(ROOT, to, ignore=shutil.ignore_patterns("b-*", "build", ".git"))


def changed(text, path, old, new):
    if text.count(old) != 1:
        raise SystemExit(f"{path} has changed: it does not hold this once:\n{old}")
    return text.replace(old, new)


def read(tree, path):
    with open(os.path.join(tree, path), encoding="utf-8") as f:
        return f.read()


def put_in(tree, changes):
    for path, old, new in changes:
        text = changed(read(tree, path), path, old, new)
        with open(os.path.join(tree, path), "w", encoding="utf-8") as f:
            f.write(text)


def check_fit():
    """Could each still be put in?"""
    for changes in BUGS.values():
        texts = {path: read(ROOT, path) for path, _, _ in changes}
        for path, old, new in changes:
            texts[path] = changed(texts[path], path, old, new)


def take_out(tree, changes):
    for path in {path for path, _, _ in changes}:
        shutil.copy2(os.path.join(ROOT, path), os.path.join(tree, path))
        os.utime(os.path.join(tree, path))


def seeds_until_found(program, start, most):
    run = subprocess.run([program, "--seeds", f"{start}..{start + most - 1}", "--first", "--jobs", "1"], capture_output=True, text=True)
    passed = int(re.search(r"sim: (\d+) passed, (\d+) failed", run.stdout).group(1))
    return passed + 1 if run.returncode else None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--most", type=int, default=2000, help="seeds to look through (default 2000)")
    parser.add_argument("--starts", type=int, default=5, choices=range(1, len(STARTS) + 1), metavar="N",
                        help=f"first seeds to look from (default 5, at most {len(STARTS)})")
    parser.add_argument("--fit", action="store_true", help="only see whether each fits the source")
    parser.add_argument("names", nargs="*", help="only these")
    options = parser.parse_args()
    if options.fit:
        return check_fit()
    tree = os.path.join(ROOT, "b-bugs", "tree")
    build = os.path.join(ROOT, "b-bugs", "build")
    copy_tree(tree)
    for changes in BUGS.values():  # newer than what an interrupted run has built of them
        take_out(tree, changes)
    if not os.path.exists(os.path.join(build, "build.ninja")):
        subprocess.run(["meson", "setup", build, tree], check=True, stdout=subprocess.DEVNULL)
    missed = 0
    for name, changes in BUGS.items():
        if options.names and name not in options.names:
            continue
        put_in(tree, changes)
        subprocess.run(["ninja", "-j2", "-C", build, "sim/sim"], check=True, stdout=subprocess.DEVNULL)
        found = [seeds_until_found(os.path.join(build, "sim", "sim"), start, options.most) for start in STARTS[:options.starts]]
        take_out(tree, changes)
        middle = statistics.median(n if n is not None else options.most + 1 for n in found)
        good = middle < 500
        missed += not good
        print(f"{'found ' if good else 'MISSED'} {name}: {', '.join(str(n) if n else 'not' for n in found)}; median {middle:g}", flush=True)
    print(f"bugs: {(len(options.names) or len(BUGS)) - missed} passed, {missed} failed")
    sys.exit(missed > 0)


if __name__ == "__main__":
    main()
