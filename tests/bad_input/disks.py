"""Folders that can't be written, and disks that are full at each step of a write."""
import os
import shutil
import subprocess

from folders import reading_commands, writing_commands
from graphs import Graph, Skip, expect, people, refusing, small_disk
from records import START


def moved_to(graph, place):
    folder = os.path.join(place, "g.omni")
    shutil.copytree(graph.folder, folder)
    return Graph(graph.binary, folder, graph.scratch)


def read_only_folder(graph):
    graph.load(START)
    before = graph.export()
    with small_disk(graph.scratch, 8192) as place:
        g = moved_to(graph, place)
        subprocess.run(["mount", "-o", "remount,ro", place], check=True)
        for args in reading_commands(g, g.folder):
            g.ok(*args)
        for args in writing_commands(g, g.folder):
            expect(g.run(*args), "Read-only file system", g.folder)
        expect(g.run("init", "--schema", os.path.join(g.scratch, "schema.pg"), os.path.join(place, "new")),
               "Read-only file system")
        subprocess.run(["mount", "-o", "remount,rw", place], check=True)
        assert g.export() == before
        g.still_works()


def folder_without_permission(graph):
    if os.geteuid() == 0 and not os.environ.get("OMNIGRAPH_TEST_NAMESPACE") or os.access("/etc/shadow", os.R_OK):
        raise Skip("permissions do not hold for root")
    graph.load(START)
    with refusing(graph):
        os.chmod(graph.folder, 0o500)
        for place, folders, _ in os.walk(graph.folder):
            for name in folders:
                os.chmod(os.path.join(place, name), 0o500)
        for args in writing_commands(graph, graph.folder):
            expect(graph.run(*args), "Permission denied")
        for place, folders, _ in os.walk(graph.folder):
            os.chmod(place, 0o700)


def free_kib(place):
    at = os.statvfs(place)
    return at.f_bavail * at.f_frsize // 1024


def leave_free(place, kib):
    """A ballast file that leaves so much free."""
    with open(os.path.join(place, "ballast"), "wb") as f:
        f.write(bytes(max(0, free_kib(place) - kib) * 1024))


def check_full(graph, write):
    """`write(graph)` with 0, 4, 8 KiB free and so on until it succeeds: each failure says that the disk is
    full, changes nothing, and goes away with its cause."""
    with small_disk(graph.scratch, 8192) as place:
        g = moved_to(graph, place)
        clean = os.path.join(graph.scratch, "clean")
        shutil.copytree(g.folder, clean)
        before = g.export()
        failures = 0
        for kib in range(0, 4096, 4):
            shutil.rmtree(g.folder)
            shutil.copytree(clean, g.folder)
            leave_free(place, kib)
            done = write(g)
            if done.code == 0:
                os.remove(os.path.join(place, "ballast"))
                g.still_works()
                assert failures > 0
                return f"failed at {failures} points"
            failures += 1
            expect(done, "No space left on device", g.folder)
            assert g.export() == before, f"{kib} KiB free: the graph changed"
            os.remove(os.path.join(place, "ballast"))
            assert g.export() == before, f"{kib} KiB free: the graph changed"
            g.still_works()
    raise AssertionError("it never succeeded")


def full_disk_load(graph):
    graph.load(people(60))
    more = [r for r in people(40, seed=2)]
    return check_full(graph, lambda g: g.load(more))


def full_disk_overwrite(graph):
    graph.load(people(60))
    more = people(40, seed=2)
    return check_full(graph, lambda g: g.load(more, mode="overwrite"))


def full_disk_insert(graph):
    graph.load(START)
    return check_full(graph, lambda g: g.mutate('query q() { insert Person { name: "full" } }'))


def full_disk_delete(graph):
    graph.load(people(60))
    return check_full(graph, lambda g: g.mutate('query q() { delete Person where age < 30 }'))


def full_disk_init(graph):
    """An init that failed leaves no graph, and may be repeated."""
    schema = os.path.join(graph.scratch, "schema.pg")
    failures = 0
    with small_disk(graph.scratch, 4096) as place:
        folder = os.path.join(place, "new.omni")
        for kib in range(0, 1024, 4):
            leave_free(place, kib)
            done = graph.run("init", "--schema", schema, folder)
            os.remove(os.path.join(place, "ballast"))
            if done.code == 0:
                break
            failures += 1
            expect(done, "No space left on device")
            expect(graph.run("export", folder), "no graph at")
            graph.ok("init", "--schema", schema, folder)
            Graph(graph.binary, folder, graph.scratch).still_works()
            shutil.rmtree(folder)
    assert failures > 0
    return f"failed at {failures} points"


def add_to(runner):
    for function in (read_only_folder, folder_without_permission, full_disk_load, full_disk_overwrite,
                     full_disk_insert, full_disk_delete, full_disk_init):
        runner.add(function.__name__, function)
