"""The engine as a library in this process: what Program does by commands (programs.py), without the processes.

Structures and constants are those of include/omnigraph.h.
"""
import ctypes as C
import json
import os

import programs

MODES = {"overwrite": 0, "merge": 2}
SOURCE = C.CFUNCTYPE(C.c_int, C.c_void_p, C.c_void_p, C.c_size_t, C.POINTER(C.c_size_t), C.c_void_p)
SINK = C.CFUNCTYPE(C.c_int, C.c_void_p, C.c_void_p, C.c_size_t, C.c_void_p)
TAKE = C.CFUNCTYPE(C.c_int, C.c_void_p, C.c_void_p, C.c_void_p)


class Text(C.Structure):
    _fields_ = [("ptr", C.c_char_p), ("len", C.c_size_t)]


class Error(C.Structure):
    _fields_ = [("status", C.c_int), ("line", C.c_uint32), ("column", C.c_uint32), ("message", C.c_char * 4096),
                ("detail", C.c_char * 4096), ("hint", C.c_char * 256)]


class SessionOptions(C.Structure):
    _fields_ = [("struct_size", C.c_size_t), ("actor", C.c_char_p), ("branch", C.c_char_p),
                ("memory_bytes", C.c_uint64), ("timeout_ms", C.c_uint32), ("lenient", C.c_bool),
                ("snapshot", C.c_char_p), ("at", C.c_char_p)]


class LoadOptions(C.Structure):
    _fields_ = [("struct_size", C.c_size_t), ("mode", C.c_int), ("progress", C.c_void_p),
                ("progress_context", C.c_void_p), ("create_from", C.c_char_p), ("count", C.c_void_p),
                ("count_context", C.c_void_p)]


class MergeOptions(C.Structure):
    _fields_ = [("struct_size", C.c_size_t), ("target", C.c_char_p), ("property_level", C.c_bool),
                ("preview", C.c_bool), ("delete_source", C.c_bool)]


class CleanupOptions(C.Structure):
    _fields_ = [("struct_size", C.c_size_t), ("by_count", C.c_bool), ("by_age", C.c_bool),
                ("keep_versions", C.c_uint64), ("older_than_s", C.c_uint64)]


class FsckOptions(C.Structure):
    _fields_ = [("struct_size", C.c_size_t), ("repair", C.c_bool)]


class Problem(C.Structure):
    _fields_ = [("kind", C.c_char_p), ("is_damage", C.c_bool), ("repaired", C.c_bool), ("branch", Text),
                ("table_key", Text), ("message", C.c_char_p), ("advice", C.c_char_p)]


class FsckResult(C.Structure):
    _fields_ = [(name, C.c_uint64) for name in ("branches", "tables", "rows", "problems", "repaired")]


class TableUpkeep(C.Structure):
    _fields_ = [("table_key", Text), ("fragments_removed", C.c_uint64), ("fragments_added", C.c_uint64),
                ("committed", C.c_bool), ("versions_removed", C.c_uint64), ("bytes_removed", C.c_uint64),
                ("error", Text)]


def options(kind, **values):
    return C.byref(kind(struct_size=C.sizeof(kind), **values))


def text_of(value):
    raw = value.encode()
    return Text(raw, len(raw))


class Library:
    """One graph in `cwd`, opened once; sessions are opened for each call."""

    def __init__(self, path, cwd, graph):
        self.lib, self.graph, self.history, self.last = C.CDLL(os.path.realpath(path)), graph, [], None
        self.uri = os.path.join(cwd, graph).encode()
        self.err, self.handle = Error(), C.c_void_p()
        self.parts = []
        self.sink = SINK(lambda context, at, count, err: self.parts.append(C.string_at(at, count)) or 0)

    # ---- calls ----------------------------------------------------------------------------------------

    def call(self, name, *args):
        """A call that ends with an og_error; as a Result."""
        self.parts.clear()
        status = getattr(self.lib, name)(*args, C.byref(self.err))
        err = self.err.message.decode() if status else ""
        self.last = programs.Result(self.lib.og_status_exit_code(status), b"".join(self.parts).decode(), err)
        return self.last

    def must(self, name, *args):
        result = self.call(name, *args)
        if result.code != 0:
            raise programs.Failure(f"{self.history[-1] if self.history else ''}: {name}: {result.err}")
        return result

    def open(self):
        if not self.handle:
            self.must("og_graph_open", self.uri, None, C.byref(self.handle))

    def close(self):
        if self.handle:
            self.lib.og_graph_close(self.handle)
            self.handle = C.c_void_p()

    def on_branch(self, branch, name, *args):
        """The call in a session of the branch."""
        self.open()
        session = C.c_void_p()
        self.must("og_session_open", self.handle, options(SessionOptions, branch=branch.encode()), C.byref(session))
        try:
            return self.call(name, session, *args)
        finally:
            self.lib.og_session_close(session)

    # ---- what Program does ----------------------------------------------------------------------------

    def init(self, schema):
        self.must("og_graph_init", self.uri, text_of(schema), C.c_bool(False))

    def load(self, branch, records, mode="merge"):
        self.history.append(("load", branch, mode, json.dumps(records)))
        data = memoryview("".join(json.dumps(record) + "\n" for record in records).encode())
        done = 0

        def read(_context, dst, cap, out_len, _err):
            nonlocal done
            part = bytes(data[done:done + cap])
            C.memmove(dst, part, len(part))
            out_len[0] = len(part)
            done += len(part)
            return 0
        source, result = SOURCE(read), C.create_string_buffer(512)
        return self.on_branch(branch, "og_load", options(LoadOptions, mode=MODES[mode]), source, None, result)

    def mutate(self, branch, statement):
        self.history.append(("mutate", branch, statement))
        self.open()
        query, result = C.c_void_p(), C.create_string_buffer(512)
        self.must("og_query_prepare", self.handle, text_of("query q() { %s }" % statement), None, C.byref(query))
        try:
            return self.on_branch(branch, "og_mutate", query, None, result)
        finally:
            self.lib.og_query_free(query)

    def create(self, name, source):
        self.history.append(("create", name, source))
        self.open()
        self.must("og_branch_create", self.handle, name.encode(), source.encode())

    def delete(self, name):
        self.history.append(("delete", name))
        self.open()
        self.must("og_branch_delete", self.handle, name.encode())

    def merge(self, source, target, by_property=False, preview=False):
        self.history.append(("merge", source, target, by_property, preview))
        how = options(MergeOptions, target=target.encode(), property_level=by_property, preview=preview)
        merge = C.c_void_p()
        if self.on_branch("main", "og_branch_merge", source.encode(), how, C.byref(merge)).code != 0:
            return None
        try:
            told = self.must("og_merge_print", merge, C.c_bool(True), self.sink, None)
        finally:
            self.lib.og_merge_free(merge)
        return programs.merge_told(told.out)

    def state(self, branch):
        self.history.append(("export", branch))
        result = self.on_branch(branch, "og_export", None, C.c_size_t(0), None, C.c_size_t(0), self.sink, None)
        if result.code != 0:
            raise programs.Failure(f"export of {branch}: {result.err}")
        return programs.state_exported(result.out)

    def diff(self, old, new):
        self.history.append(("diff", old, new))
        result = self.on_branch("main", "og_diff_print", old.encode(), new.encode(), None, C.c_bool(False),
                                C.c_bool(True), self.sink, None)
        if result.code != 0:
            raise programs.Failure(f"diff {old} {new}: {result.err}")
        return programs.changes_told(result.out)

    def commits(self, branch):
        self.history.append(("commits", branch))
        result = self.on_branch(branch, "og_commit_list_print", None, C.c_bool(True), self.sink, None)
        if result.code != 0:
            raise programs.Failure(f"commits of {branch}: {result.err}")
        return json.loads(result.out)["commits"]

    def upkeep(self, branch, name, *args):
        """How many tables got a version."""
        errors, committed = [], 0

        def take(_context, table, _err):
            nonlocal committed
            told = C.cast(table, C.POINTER(TableUpkeep)).contents
            errors.extend([C.string_at(told.error.ptr, told.error.len).decode()] if told.error.len else [])
            committed += told.committed
            return 0
        result = self.on_branch(branch, name, *args, TAKE(take), None)
        if result.code != 0 or errors:
            raise programs.Failure(f"{name}: {result.err} {errors}")
        return committed

    def optimize(self, branch):
        self.history.append(("optimize", branch))
        return self.upkeep(branch, "og_optimize")

    def cleanup(self, keep):
        self.history.append(("cleanup", keep))
        self.upkeep("main", "og_cleanup", options(CleanupOptions, by_count=True, keep_versions=keep))

    def fsck(self):
        """What is wrong in the graph, as texts."""
        found = []

        def take(_context, problem, _err):
            problem = C.cast(problem, C.POINTER(Problem)).contents
            found.append(f"{problem.kind.decode()}: {problem.message.decode()}")
            return 0
        self.must("og_fsck", self.uri, options(FsckOptions), TAKE(take), None, C.byref(FsckResult()))
        return found
