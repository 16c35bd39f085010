"""libomnigraph called in-process through ctypes, as the embedded peers of the benchmark are."""
import ctypes as C, json, os, time
from .base import System, Missing
from .omnigraph import GQ, MU, ARGS, answer

LIB = os.environ.get('LIBOMNIGRAPH', 'libomnigraph.so')


class Text(C.Structure):
    _fields_ = [('ptr', C.c_char_p), ('len', C.c_size_t)]


class Error(C.Structure):
    _fields_ = [('status', C.c_int), ('line', C.c_uint32), ('column', C.c_uint32),
                ('message', C.c_char * 4096), ('detail', C.c_char * 4096), ('hint', C.c_char * 256)]


class FormatOptions(C.Structure):
    _fields_ = [('struct_size', C.c_size_t), ('format', C.c_int), ('max_column_width', C.c_uint32),
                ('wrap_cells', C.c_bool)]


class LoadOptions(C.Structure):
    _fields_ = [('struct_size', C.c_size_t), ('mode', C.c_int), ('progress', C.c_void_p),
                ('progress_context', C.c_void_p)]


SINK = C.CFUNCTYPE(C.c_int, C.c_void_p, C.c_void_p, C.c_size_t, C.c_void_p)
SOURCE = C.CFUNCTYPE(C.c_int, C.c_void_p, C.c_void_p, C.c_size_t, C.POINTER(C.c_size_t), C.c_void_p)
OVERWRITE, MERGE, JSONL = 0, 2, 1


def text(value):
    raw = value if isinstance(value, bytes) else value.encode()
    return Text(raw, len(raw))


class LibOmnigraph(System):
    kind = 'embedded'
    ops = ('point', 'filter', 'group', 'hop1', 'hop2', 'hop3', 'hop1r', 'hop2r', 'hop3r', 'fhop1',
           'fhop2', 'var13', 'anti', 'antid', 'rev')

    def imports(s):
        s.lib = C.CDLL(LIB)
        s.lib.og_version.restype = C.c_char_p
        s.err = Error()
        s.graph = s.session = None
        s.queries = {}
        s.parts = []
        # Kept alive as long as the object: called from C.
        s.sink = SINK(lambda context, at, count, err: s.parts.append(C.string_at(at, count)) or 0)
        s.options = FormatOptions(C.sizeof(FormatOptions), JSONL, 0, False)

    def check(s, status):
        if status != 0:
            raise RuntimeError(s.err.message.decode())

    def version(s):
        return 'libomnigraph ' + s.lib.og_version().decode()

    def path_of(s):
        return os.path.join(s.db, 'graph.omni').encode()

    def load(s):
        s.fresh()
        schema = open(s.f('schema.pg')).read()
        start = time.perf_counter()
        s.check(s.lib.og_graph_init(s.path_of(), text(schema), False, C.byref(s.err)))
        made = time.perf_counter()
        s.open()
        s.load_file(s.f('seed.jsonl'), OVERWRITE)
        s.close()
        return {'init': made - start, 'load': time.perf_counter() - made}

    def load_file(s, name, mode):
        with open(name, 'rb', buffering=0) as f:
            def read(context, dst, cap, out_len, err):
                out_len[0] = f.readinto((C.c_char * cap).from_address(dst))
                return 0
            source = SOURCE(read)
            options = LoadOptions(C.sizeof(LoadOptions), mode, None, None)
            result = C.create_string_buffer(256)
            s.check(s.lib.og_load(s.session, C.byref(options), source, None, result,
                                  C.byref(s.err)))

    def open(s):
        s.graph, s.session = C.c_void_p(), C.c_void_p()
        s.check(s.lib.og_graph_open(s.path_of(), None, C.byref(s.graph), C.byref(s.err)))
        s.check(s.lib.og_session_open(s.graph, None, C.byref(s.session), C.byref(s.err)))
        s.queries = {}

    def close(s):
        for query, params in s.queries.values():
            s.lib.og_params_free(params)
            s.lib.og_query_free(query)
        s.queries = {}
        s.lib.og_session_close(s.session)
        s.lib.og_graph_close(s.graph)

    def prepared(s, source, name):
        if name not in s.queries:
            query, params = C.c_void_p(), C.c_void_p()
            s.check(s.lib.og_query_prepare(s.graph, text(source), name.encode(), C.byref(query),
                                           C.byref(s.err)))
            s.check(s.lib.og_params_new(query, C.byref(params), C.byref(s.err)))
            s.queries[name] = (query, params)
        return s.queries[name]

    def bind(s, params, values):
        for name, value in values:
            if isinstance(value, int):
                status = s.lib.og_params_set_i64(params, name.encode(), C.c_int64(value),
                                                 C.byref(s.err))
            else:
                status = s.lib.og_params_set_text(params, name.encode(), text(value),
                                                  C.byref(s.err))
            s.check(status)

    def rows(s, name, values):
        query, params = s.prepared(GQ, name)
        s.bind(params, values)
        cursor = C.c_void_p()
        s.check(s.lib.og_query_run(s.session, query, params, C.byref(cursor), C.byref(s.err)))
        s.parts.clear()
        status = s.lib.og_cursor_write(cursor, C.byref(s.options), s.sink, None, C.byref(s.err))
        s.lib.og_cursor_close(cursor)
        s.check(status)
        lines = b''.join(s.parts).splitlines()[1:]
        return json.loads(b'[' + b','.join(lines) + b']')

    def q(s, op, *a):
        return answer(op, s.rows(op, zip(ARGS.get(op, []), a)))

    def count(s):
        return s.rows('total', ())[0]['n']

    def mutate(s, name, /, **values):
        query, params = s.prepared(MU, name)
        s.bind(params, values.items())
        result = C.create_string_buffer(256)
        s.check(s.lib.og_mutate(s.session, query, params, result, C.byref(s.err)))

    def insert(s, slug, name, age, city, bio):
        s.mutate('ins', slug=slug, name=name, age=age, city=city, bio=bio)

    def update(s, slug, age):
        s.mutate('upd', slug=slug, age=age)

    def delete(s, slug):
        s.mutate('del', slug=slug)

    def edge(s, a, b, since):
        s.mutate('edge', a=a, b=b, since=since)

    def upsert(s, stem):
        s.load_file(s.f(stem + '.jsonl'), MERGE)

    def export(s, out):
        with open(out, 'wb', buffering=0) as f:
            sink = SINK(lambda context, at, count, err: f.write(C.string_at(at, count)) and 0)
            s.check(s.lib.og_export(s.session, None, 0, None, 0, sink, None, C.byref(s.err)))
