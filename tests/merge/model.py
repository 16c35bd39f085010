"""A graph with branches as plain dictionaries: what writes, branches and merges should do.

A state maps a table key ("node:Person") to rows, and a row's id to its record: the properties as export prints
them, and for an edge "from" and "to". A commit holds a state and its parents; a branch names a commit.
"""
import base64
import collections
import itertools

NODE_TYPES = {"Person": ["name", "age", "nick", "email", "tags", "spot", "photo"], "City": ["name", "size"]}
EDGE_TYPES = {"Knows": ("Person", "Person", ["since", "weight"]), "Lives": ("Person", "City", [])}
UNIQUE = {"node:Person": ["email"]}
MOST = {"edge:Lives": 2}  # @card: most edges of a source
TABLES = ["edge:" + name for name in EDGE_TYPES] + ["node:" + name for name in NODE_TYPES]

SCHEMA = """
node Person {
    name: String @key
    age: I32?
    nick: String?
    email: String? @unique
    tags: [String]?
    spot: Vector(2)?
    photo: Blob?
}
node City {
    name: String @key
    size: I64?
}
edge Knows: Person -> Person {
    since: Date?
    weight: F64?
}
edge Lives: Person -> City @card(0..2)
"""

# `values`: property, base, ours and theirs, where a row is disputed.
Conflict = collections.namedtuple("Conflict", "table row kind message values", defaults=(None,))
ORPHAN, CARD, UNIQUE_KIND = "orphan_edge", "cardinality_violation", "unique_violation"


def empty():
    return {table: {} for table in TABLES}


def copy(state):
    return {table: dict(rows) for table, rows in state.items()}


def is_edge(table):
    return table.startswith("edge:")


def ends(table, record):
    """(end, node table, node id) of both ends of an edge."""
    source, target, _ = EDGE_TYPES[table[5:]]
    return [("src", "node:" + source, record["from"]), ("dst", "node:" + target, record["to"])]


# ---- what a state violates ----------------------------------------------------------------------------

def orphans(state):
    for table in filter(is_edge, TABLES):
        for row, record in state[table].items():
            for end, nodes, node in ends(table, record):
                if node not in state[nodes]:
                    yield (ORPHAN, table, row, end, node)


def doubles(state):
    for table, properties in UNIQUE.items():
        for name in properties:
            holders = collections.defaultdict(list)
            for row, record in state[table].items():
                if record[name] is not None:
                    holders[record[name]].append(row)
            for value, rows in holders.items():
                for pair in itertools.combinations(sorted(rows), 2):
                    yield (UNIQUE_KIND, table, pair, name, value)


def crowds(state):
    for table, most in MOST.items():
        degrees = collections.Counter(record["from"] for record in state[table].values())
        for source, count in degrees.items():
            if count > most:
                yield (CARD, table, source)


def violations(state):
    return set(itertools.chain(orphans(state), doubles(state), crowds(state)))


# ---- merging ------------------------------------------------------------------------------------------

DISPUTES = {"divergent_insert": "divergent insert", "divergent_update": "divergent update",
            "delete_vs_update": "delete/update conflict"}


def dispute(table, row, base, ours, theirs):
    if base is None:
        kind = "divergent_insert"
    else:
        kind = "delete_vs_update" if ours is None or theirs is None else "divergent_update"
    names = disputed_properties(base, ours, theirs)
    if len(names) == 1:
        values = (names[0], *(record and shown(record[names[0]]) for record in (base, ours, theirs)))
    else:
        values = (None, *(record and {name: shown(record[name]) for name in names} for record in (base, ours, theirs)))
    return Conflict(table, row, kind, f"{DISPUTES[kind]} for id '{row}'", values)


def disputed_properties(base, ours, theirs):
    """Those that both sides changed, and differently, if there are such; else those in which the sides
    differ, or which the side that has the row changed."""
    def differing(a, b):
        return {name for name in a if a[name] != b[name]}
    if ours is None or theirs is None:
        return sorted(differing(base, ours or theirs))
    differ = differing(ours, theirs)
    return sorted(base and differ & differing(base, ours) & differing(base, theirs) or differ)


def shown(value):
    """A value as conflicts tell it: of a blob the size, and a sum that the caller leaves out."""
    if isinstance(value, str) and value.startswith("base64:"):
        return f"blob of {len(base64.b64decode(value[7:]))} bytes"
    return value


def combine(base, ours, theirs):
    """The edits of both sides to one row, or None. What an edge connects is one property."""
    if base is None or ours is None or theirs is None:
        return None
    def parts(record):
        rest = {name: value for name, value in record.items() if name not in ("from", "to")}
        return {"ends": (record.get("from"), record.get("to")), **rest}
    b, o, t = parts(base), parts(ours), parts(theirs)
    if any(o[p] != b[p] and t[p] != b[p] and o[p] != t[p] for p in b):
        return None
    merged = {p: o[p] if o[p] != b[p] else t[p] for p in b}
    source, target = merged.pop("ends")
    return merged if source is None else {**merged, "from": source, "to": target}


def merge_states(base, ours, theirs, property_level=False):
    """(merged state, conflicts); disputed rows stay as in ours."""
    merged, conflicts = copy(ours), []
    for table in TABLES:
        for row in sorted(set(base[table]) | set(theirs[table])):
            b, o, t = (state[table].get(row) for state in (base, ours, theirs))
            if t == b or t == o:
                continue
            both = combine(b, o, t) if property_level else None
            if o == b:
                result = t
            elif both is not None:
                result = both
            else:
                conflicts.append(dispute(table, row, b, o, t))
                continue
            if result is None:
                del merged[table][row]
            else:
                merged[table][row] = result
    return merged, conflicts + broken(merged, ours, theirs, {(c.table, c.row) for c in conflicts})


def broken(merged, ours, theirs, disputed):
    """What only both sides together violate."""
    conflicts = []
    for violation in violations(merged) - violations(ours) - violations(theirs):
        kind, table, row, *details = violation
        rows = row if kind == UNIQUE_KIND else (row,)
        if not any((table, one) in disputed for one in rows):
            told = Conflict(table, None if kind == CARD else rows[-1], kind, broken_text(merged, violation))
            conflicts.append(told)
    return conflicts


def broken_text(merged, violation):
    kind, table, row, *details = violation
    if kind == ORPHAN:
        end, node = details
        return f"{end} '{node}' not found in {EDGE_TYPES[table[5:]][end == 'dst']}"
    if kind == UNIQUE_KIND:
        return f"unique constraint [\"{details[0]}\"] violated by '{row[0]}' and '{row[1]}'"
    count = sum(record["from"] == row for record in merged[table].values())
    return f"@card violation on edge {table[5:]}: source '{row}' has {count} edges (max {MOST[table]})"


# ---- differences --------------------------------------------------------------------------------------

def changes(before, after):
    """What leads from one state to another: (table, id) -> both records; None where there is no row."""
    return {(table, row): (before[table].get(row), after[table].get(row)) for table in TABLES
            for row in set(before[table]) | set(after[table]) if before[table].get(row) != after[table].get(row)}


def counts(before, after):
    """How many rows are inserted, updated and deleted, by table; tables that stay are left out."""
    found = collections.defaultdict(lambda: [0, 0, 0])
    for (table, _), (old, new) in changes(before, after).items():
        found[table][0 if old is None else 2 if new is None else 1] += 1
    return dict(found)


# ---- history ------------------------------------------------------------------------------------------

class Commit:
    """`version` is listed; a merge that changes nothing is listed with that of its target."""

    def __init__(self, state, parents, published, number):
        self.state, self.parents, self.published, self.number = state, parents, published, number
        is_empty = len(parents) == 2 and state == parents[0].state
        self.version = published - 1 if is_empty else published


class Model:
    """Branches and their commits. Nothing here checks a write: the caller asks violations() first."""

    def __init__(self):
        self.numbers = itertools.count()
        self.branches = {"main": Commit(empty(), [], 1, next(self.numbers))}

    def state(self, branch):
        return self.branches[branch].state

    def known(self):
        """The commits of branches that are there. Those of a deleted one can be no base: their states went with it."""
        return set(itertools.chain.from_iterable(map(self.history, self.branches)))

    def history(self, branch):
        """The commits of a branch, oldest first, with those it inherited."""
        commits = [self.branches[branch]]
        while commits[-1].parents:
            commits.append(commits[-1].parents[0])
        return commits[::-1]

    def write(self, branch, state, merged_parent=None):
        head = self.branches[branch]
        parents = [head] + ([merged_parent] if merged_parent else [])
        self.branches[branch] = Commit(state, parents, head.published + 1, next(self.numbers))

    def create(self, name, source):
        self.branches[name] = self.branches[source]

    def delete(self, name):
        del self.branches[name]

    def merge(self, source, target, property_level=False, preview=False):
        """(outcome, conflicts, counts of what it changes); of a conflict there are no counts."""
        theirs, ours = self.branches[source], self.branches[target]
        base = merge_base(theirs, ours, self.known())
        if base is theirs:
            return "already_up_to_date", [], {}
        merged, conflicts = merge_states(base.state, ours.state, theirs.state, property_level)
        if conflicts:
            return "conflicts", conflicts, {}
        changed = counts(ours.state, merged)
        if not preview:
            self.write(target, merged, theirs)
        return "fast_forward" if base is ours else "merged", [], changed


def steps_from(head, known):
    """The known ancestors of a commit, itself included, with the fewest steps to each."""
    steps, queue = {head: 0}, collections.deque([head])
    while queue:
        commit = queue.popleft()
        for parent in commit.parents:
            if parent not in steps and parent in known:
                steps[parent] = steps[commit] + 1
                queue.append(parent)
    return steps


def merge_base(source, target, known):
    """Of the common ancestors that are no ancestors of another one: the nearest, then the newest."""
    a, b = steps_from(source, known), steps_from(target, known)
    common = set(a) & set(b)
    older = set().union(*(set(steps_from(c, known)) - {c} for c in common))
    return min(common - older, key=lambda c: (a[c] + b[c], -c.version, -c.number))
