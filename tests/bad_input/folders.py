"""Folders that are no graph, or not one that this version may touch."""
import os
import re
import shutil

from graphs import SCHEMA, expect, refusing
from records import START


def reading_commands(graph, folder):
    return [("export", folder), ("snapshot", folder), ("schema", "show", folder),
            ("query", "-e", "query q() { match { $p: Person } return { $p.name } }", folder)]


def writing_commands(graph, folder):
    data = os.path.join(graph.scratch, "one.jsonl")
    with open(data, "w") as f:
        f.write('{"type":"Person","data":{"name":"one"}}\n')
    return [("load", "--data", data, folder),
            ("mutate", "-e", 'query q() { insert Person { name: "one" } }', folder)]


def all_commands(graph, folder):
    return reading_commands(graph, folder) + writing_commands(graph, folder)


def content(folder):
    """Every file below with its bytes, and every folder."""
    found = {}
    for place, folders, files in os.walk(folder):
        found.update({os.path.join(place, f): None for f in folders})
        for name in files:
            with open(os.path.join(place, name), "rb") as f:
                found[os.path.join(place, name)] = f.read()
    return found


def no_folder(graph):
    folder = os.path.join(graph.scratch, "nowhere")
    for args in all_commands(graph, folder):
        expect(graph.run(*args), f"no graph at '{folder}'", "omnigraph init --schema")
    assert not os.path.exists(folder), "a command that failed made the folder"


def folder_without_graph(graph):
    folder = os.path.join(graph.scratch, "photos")
    os.makedirs(os.path.join(folder, "nodes"))
    with open(os.path.join(folder, "cat.jpg"), "wb") as f:
        f.write(b"meow")
    before = content(folder)
    for args in all_commands(graph, folder):
        expect(graph.run(*args), f"no graph at '{folder}'", "omnigraph init --schema")
    assert content(folder) == before, "a command that failed left something"


def file_instead_of_folder(graph):
    path = os.path.join(graph.scratch, "file")
    with open(path, "w") as f:
        f.write("x")
    for args in all_commands(graph, path):
        expect(graph.run(*args), path)


def init_over_graph(graph):
    graph.load(START)
    schema = os.path.join(graph.scratch, "schema.pg")
    with refusing(graph):
        expect(graph.run("init", "--schema", schema, graph.folder), graph.folder, "--force")


def init_with_bad_schema(graph):
    """Nothing is left of it, and the right schema can be used afterwards."""
    path, folder = os.path.join(graph.scratch, "bad.pg"), os.path.join(graph.scratch, "new")
    for text, parts in (("node Person { name: Strin }", ["Strin"]), ("node { }", ["1"]),
                        ("node A { a: String @check(\"(\") }", ["check"]), ("node A { x: String", ["1"]),
                        ("node A { a: String }\nedge E: A -> B", ["B"])):
        with open(path, "w") as f:
            f.write(text)
        expect(graph.run("init", "--schema", path, folder), *parts)
        assert not os.path.exists(folder) or not content(folder), f"{text!r} left {os.listdir(folder)}"
    with open(path, "w") as f:
        f.write(SCHEMA)
    graph.ok("init", "--schema", path, folder)


OLD_ULID = "01ARZ3NDEKTSV4RRFFQ69G5FAV"


def interrupted_init(graph):
    """Its marker is there, the schema's state, written last, is not: no graph, and init may be repeated."""
    tables = ["_graph_commits.lance", "__manifest", "nodes", "edges"]
    for gone in range(len(tables) + 1):
        folder = os.path.join(graph.scratch, f"half-{gone}")
        shutil.copytree(graph.folder, folder)
        os.remove(os.path.join(folder, "__schema_state.json"))
        for name in tables[:gone]:
            shutil.rmtree(os.path.join(folder, name))
        with open(os.path.join(folder, "_omnigraph", "init.json"), "w") as f:
            f.write(OLD_ULID)
        for args in all_commands(graph, folder):
            expect(graph.run(*args), folder)
        graph.ok("init", "--schema", os.path.join(graph.scratch, "schema.pg"), folder)
        for args in all_commands(graph, folder):
            graph.ok(*args)


def lost_part(graph):
    """Without the marker a part that is missing is damage, which init must not paper over."""
    graph.load(START)
    for part in ("__manifest", "__schema_state.json", "_schema.pg"):
        folder = os.path.join(graph.scratch, "lost-" + part)
        shutil.copytree(graph.folder, folder)
        shutil.move(os.path.join(folder, part), os.path.join(graph.scratch, part))
        before = content(folder)
        for args in all_commands(graph, folder):
            done = graph.run(*args)
            expect(done, "schema state" if part == "__schema_state.json" else folder, part)
            assert "omnigraph init" not in done.err, "who follows that hint loses the graph"
        expect(graph.run("init", "--schema", os.path.join(graph.scratch, "schema.pg"), folder),
               "already initialized")
        assert content(folder) == before
        shutil.move(os.path.join(graph.scratch, part), os.path.join(folder, part))
        assert graph.run("export", folder).out == graph.export()


def newest_manifest(table):
    """V2 names count down, so the newest comes first."""
    versions = os.path.join(table, "_versions")
    return os.path.join(versions, min(os.listdir(versions)))


def newer_internal_schema(graph):
    """Refused to read and to write: what this version does not know it could only break."""
    graph.load(START)
    before = graph.export()
    path = newest_manifest(os.path.join(graph.folder, "__manifest"))
    with open(path, "rb") as f:
        bytes_now = f.read()
    stamped = re.sub(rb"(omnigraph:internal_schema_version\x12\x01)3", rb"\g<1>9", bytes_now)
    assert stamped != bytes_now
    with open(path, "wb") as f:
        f.write(stamped)
    shutil.rmtree(os.path.join(graph.folder, "_omnigraph"))
    damaged = content(graph.folder)
    for args in all_commands(graph, graph.folder):
        expect(graph.run(*args), "v9", "upgrade omnigraph", "Upgrade omnigraph first")
    assert content(graph.folder) == damaged, "a command that failed wrote"
    with open(path, "wb") as f:
        f.write(bytes_now)
    assert graph.export() == before
    graph.still_works()


def newer_internal_schema_behind_head_file(graph):
    """The same with the head file in place, which spares reading the rows but not the stamp."""
    graph.load(START)
    path = newest_manifest(os.path.join(graph.folder, "__manifest"))
    with open(path, "rb") as f:
        text = f.read()
    with open(path, "wb") as f:
        f.write(re.sub(rb"(omnigraph:internal_schema_version\x12\x01)3", rb"\g<1>9", text))
    for args in all_commands(graph, graph.folder):
        expect(graph.run(*args), "upgrade omnigraph")


def changed_schema(graph):
    """_schema.pg edited by hand: refused, as the tables no longer fit it."""
    graph.load(START)
    path = os.path.join(graph.folder, "_schema.pg")
    with refusing(graph):
        with open(path) as f:
            text = f.read()
        with open(path, "w") as f:
            f.write(text.replace("age: I32?", "age: I64?"))
        for args in all_commands(graph, graph.folder):
            expect(graph.run(*args), "_schema.pg", "Put back")
        with open(path, "w") as f:
            f.write(text)


def unknown_branch(graph):
    graph.load(START)
    with refusing(graph):
        for args in all_commands(graph, graph.folder):
            if args[0] != "schema":
                expect(graph.run(args[0], "--branch", "nosuch", *args[1:]), "nosuch")


def add_to(runner):
    for function in (no_folder, folder_without_graph, file_instead_of_folder, init_over_graph,
                     init_with_bad_schema, interrupted_init, lost_part, newer_internal_schema,
                     newer_internal_schema_behind_head_file, changed_schema, unknown_branch):
        runner.add(function.__name__, function)
