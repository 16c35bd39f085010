"""Writes: what they do to a state of the model, and by which command."""
import model
from programs import Failure, as_record


class Operation:
    """`statement`: (kind, field, value) of what is deleted first; `puts`: rows to put, by (table, id)."""

    def __init__(self, name, puts=None, statement=None):
        self.name, self.puts, self.statement = name, puts or {}, statement

    def after(self, state):
        state = model.copy(state)
        if self.statement:
            remove(state, *self.statement)
        for (table, row), record in self.puts.items():
            state[table][row] = record
        return state

    def apply(self, program, branch):
        """False: it was refused."""
        result = None
        if self.statement:
            kind, field, value = self.statement
            result = program.mutate(branch, f'delete {kind} where {field} = "{value}"')
        if self.puts and (result is None or result.code == 0):
            records = [as_record(table, row, record) for (table, row), record in self.puts.items()]
            result = program.load(branch, sorted(records, key=lambda r: "edge" in r))
        if result is not None and result.code not in (0, 1):
            raise Failure(f"{self.name} on {branch}: exit {result.code}: {result.err[:1000]}")
        return result is None or result.code == 0


def remove(state, kind, field, value):
    """delete KIND where FIELD = VALUE, edges at deleted nodes included."""
    if kind in model.EDGE_TYPES:
        rows = state["edge:" + kind]
        for row in [r for r, record in rows.items() if record[field] == value]:
            del rows[row]
        return
    state["node:" + kind].pop(value, None)
    for table in filter(model.is_edge, model.TABLES):
        for row, record in list(state[table].items()):
            if any(nodes == "node:" + kind and node == value for _, nodes, node in model.ends(table, record)):
                del state[table][row]


def person(name, **values):
    return {**dict.fromkeys(model.NODE_TYPES["Person"]), "name": name, **values}


def city(name, size=None):
    return {"name": name, "size": size}


def knows(source, target, since=None, weight=None):
    return {"from": source, "to": target, "since": since, "weight": weight}


def lives(source, target):
    return {"from": source, "to": target}


def put(name, *rows):
    """rows: (table, id, record)"""
    return Operation(name, {(table, row): record for table, row, record in rows})


def put_person(name, **values):
    return put(f"put {name} {values}", ("node:Person", name, person(name, **values)))
