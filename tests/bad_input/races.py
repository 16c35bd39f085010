"""Two processes that write the same rows at the same time."""
import array
import fcntl
import re
import subprocess
import termios
import time

from graphs import run
from records import START

CONFLICT = re.compile(r"node:Person'?: expected manifest table version (\d+) but current is (\d+)")


def start_insert(graph, name, age):
    source = 'query q($n: String, $a: I32) { insert Person { name: $n, age: $a } }'
    return subprocess.Popen([graph.binary, "mutate", "-e", source, "--params", f'{{"n":"{name}","a":{age}}}', graph.folder],
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def same_rows_at_once(graph):
    """Mutations that meet are run one after the other, or the loser is told of the conflict; whoever was told of
    success was there."""
    graph.load(START)
    conflicts = 0
    for round_number in range(20):
        writers = [start_insert(graph, "contended", 2 * round_number + i) for i in range(2)]
        ends = [(w, *w.communicate(timeout=60)) for w in writers]
        won = [i for i, (w, _, _) in enumerate(ends) if w.returncode == 0]
        assert won, f"nobody won: {[e[2] for e in ends]}"
        for w, _, err in ends:
            if w.returncode != 0:
                is_conflict(w.returncode, err)
                conflicts += 1
        rows = graph.query('query q() { match { $p: Person { name: "contended" } } return { $p.age } }').out
        ages = [int(x) for x in re.findall(rb'age": ?(\d+)', rows)]
        assert len(ages) == 1 and ages[0] - 2 * round_number in won, (ages, won)
    graph.still_works()
    return f"{conflicts} conflicts in {round_number + 1} rounds"


def is_conflict(code, err):
    assert code == 1, err
    found = CONFLICT.search(err)
    assert found and int(found[1]) < int(found[2]), err


def wait_until_read(pipe):
    """Until the other end has taken what was written: then it has its snapshot, too."""
    left = array.array("i", [1])
    for _ in range(1000):
        fcntl.ioctl(pipe.fileno(), termios.FIONREAD, left)
        if left[0] == 0:
            break
        time.sleep(0.01)
    time.sleep(0.1)


def row_written_during_a_load(graph):
    """A load reads its input once, so it can't be run again: when its row was written meanwhile it fails with the typed
    conflict, and changes nothing."""
    graph.load(START)
    load = subprocess.Popen([graph.binary, "load", "--mode", "merge", "--data", "-", graph.folder],
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    load.stdin.write('{"type": "Person", "data": {"name": "contended", "age": 1}}\n')
    load.stdin.flush()
    wait_until_read(load.stdin)
    other = start_insert(graph, "contended", 2)
    _, err = other.communicate(timeout=60)
    assert other.returncode == 0, err
    before = graph.export()
    _, err = load.communicate('{"type": "Person", "data": {"name": "late", "age": 3}}\n', timeout=60)
    is_conflict(load.returncode, err)
    assert graph.export() == before
    graph.still_works()


def add_to(runner):
    runner.add("same_rows_at_once", same_rows_at_once)
    runner.add("row_written_during_a_load", row_written_during_a_load)
