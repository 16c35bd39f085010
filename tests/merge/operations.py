"""Writes: what they do to a state of the model, and by which command."""
import json

import model
from programs import Failure, as_record


class Operation:
    """What is done, in this order: `statement`: (kind, field, value) of what is deleted; `update`: (name of a
    person, properties to set); `puts`: rows to put, by (table, id), with `overwrite` instead of all others
    of their tables."""

    def __init__(self, name, puts=None, statement=None, update=None, overwrite=False):
        self.name, self.puts, self.statement = name, puts or {}, statement
        self.update, self.overwrite = update, overwrite

    def after(self, state):
        state = model.copy(state)
        if self.statement:
            remove(state, *self.statement)
        if self.update:
            person_name, values = self.update
            state["node:Person"][person_name] = {**state["node:Person"][person_name], **values}
        if self.overwrite:
            state.update({table: {} for table, _ in self.puts})
        for (table, row), record in self.puts.items():
            state[table][row] = record
        return state

    def statements(self):
        if self.statement:
            kind, field, value = self.statement
            yield f'delete {kind} where {field} = "{value}"'
        if self.update:
            values = ", ".join(f"{name}: {json.dumps(value)}" for name, value in self.update[1].items())
            yield f'update Person set {{ {values} }} where name = "{self.update[0]}"'

    def apply(self, program, branch):
        """False: it was refused."""
        results = [program.mutate(branch, statement) for statement in self.statements()]
        if self.puts and all(result.code == 0 for result in results):
            records = sorted((as_record(*key, record) for key, record in self.puts.items()), key=lambda r: "edge" in r)
            results.append(program.load(branch, records, "overwrite" if self.overwrite else "merge"))
        for result in results:
            if result.code not in (0, 1):
                raise Failure(f"{self.name} on {branch}: exit {result.code}: {result.err[:1000]}")
        return all(result.code == 0 for result in results)


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
