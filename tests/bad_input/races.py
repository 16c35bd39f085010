"""Two processes that write the same rows at the same time."""
import re
import subprocess

from graphs import run
from records import START

CONFLICT = re.compile(r"node:Person'?: expected manifest table version (\d+) but current is (\d+)")


def start_insert(graph, name, age):
    source = 'query q($n: String, $a: I32) { insert Person { name: $n, age: $a } }'
    return subprocess.Popen([graph.binary, "mutate", "-e", source, "--params", f'{{"n":"{name}","a":{age}}}', graph.folder],
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def same_rows_at_once(graph):
    """The loser of a race gets the typed conflict; whoever was told of success is there."""
    graph.load(START)
    conflicts = 0
    for round_number in range(400):
        writers = [start_insert(graph, "contended", 2 * round_number + i) for i in range(2)]
        ends = [(w, *w.communicate(timeout=60)) for w in writers]
        won = [i for i, (w, _, _) in enumerate(ends) if w.returncode == 0]
        assert won, f"nobody won: {[e[2] for e in ends]}"
        for w, _, err in ends:
            if w.returncode == 0:
                continue
            assert w.returncode == 1, err
            found = CONFLICT.search(err)
            assert found and int(found[1]) < int(found[2]), err
            conflicts += 1
        rows = graph.query('query q() { match { $p: Person { name: "contended" } } return { $p.age } }').out
        ages = [int(x) for x in re.findall(rb'age": ?(\d+)', rows)]
        assert len(ages) == 1 and ages[0] - 2 * round_number in won, (ages, won)
        if conflicts >= 3:
            break
    graph.still_works()
    assert conflicts > 0, "no two writers ever met"
    return f"{conflicts} conflicts in {round_number + 1} rounds"


def add_to(runner):
    runner.add("same_rows_at_once", same_rows_at_once)
