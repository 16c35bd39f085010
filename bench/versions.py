#!/usr/bin/env python3
"""Branches, commits, merges, diffs and writers that meet: what they cost, beside the goals.

usage: versions.py --tool VERSIONSBENCH --ours OMNIGRAPH [--oracle OMNIGRAPH] [--work DIR] [--commits N]
                   [--persons N] [--seconds S] [--only branches,inserts,rows,history,changes,merge,writers]

Counts and ratios within this run, each with its goal and whether it is met. Store calls and round trips are those of
a simulated store (tests/tools/versionsbench.c); merges are timed by processor time there, since other work on
the machine would decide the rest. `merge` takes the reference's program, which loads, branches and merges the same
records; without it, it is left out. `inserts` and `history` go on to --commits, of which 100,000 take 5 GiB of
memory, and of --work. Exit code 1 when a goal is missed."""
import argparse, json, os, random, resource, statistics, subprocess, sys, tempfile, time

GRAPH = 'node P { name: String @key\n age: I32? }\n'
POINT = '''query point($name: String) { match { $p: P { name: $name } } return { $p.age } }
query add($name: String) { insert P { name: $name, age: 2 } }
'''
PEOPLE = '''node Person {
    slug: String @key
    name: String
    age: I32
    city: String
}
edge Knows: Person -> Person {
    since: Date
}
'''
missed = 0


def tell(what, seen, goal, met):
    global missed
    missed += not met
    print(f'{"pass" if met else "MISS"}  {what}: {seen}  (goal: {goal})', flush=True)


def tool_lines(args, *words):
    out = subprocess.run([args.tool, *map(str, words)], check=True, stdout=subprocess.PIPE, text=True)
    return [json.loads(line) for line in out.stdout.splitlines()]


def ratio(values):
    return max(values) / min(values)


# ---- calls and round trips on the simulated store --------------------------------------------------


def branches(args):
    lines = tool_lines(args, 'branches', 5, 50, 200)
    for op in ('create', 'delete'):
        calls = [line[op]['calls'] for line in lines]
        rounds = [line[op]['in_a_row'] for line in lines]
        tell(f'branch {op}, store calls at 5, 50, 200 types', calls, 'equal', len(set(calls)) == 1)
        tell(f'branch {op}, round trips in a row', max(rounds), 'at most 4', max(rounds) <= 4)


def inserts(args):
    marks = [mark for mark in (10, 1000, 10_000) if mark < args.commits] + [args.commits]
    lines = tool_lines(args, 'inserts', *marks)
    numbers = ', '.join(f'{mark:,}' for mark in marks)
    for handle, most in (('warm', 4), ('cold', 8)):
        rounds = [line[handle]['in_a_row'] for line in lines]
        tell(f'insert, {handle}, round trips in a row after {numbers} commits', rounds, f'at most {most}',
             max(rounds) <= most)
    turns = tool_lines(args, 'turns', 2)[0]['warm']['in_a_row']
    tell('insert, warm, round trips in a row when two insert in turn', turns, 'at most 8', turns <= 8)
    calls = [line['middle']['calls'] for line in lines]
    tell('insert, warm, store calls', calls, 'equal', len(set(calls)) == 1)
    for which, words in (('middle', 'the middle one of 63'), ('mean', 'mean since the commits before, folds included')):
        kib = [line[which]['bytes'] / 1024 for line in lines]
        tell(f'insert, warm, KiB, {words}', [round(k, 1) for k in kib], '1.5 x the first + 64',
             all(k <= 1.5 * kib[0] + 64 for k in kib))
    cold = [round(line['cold']['bytes'] / 1024, 1) for line in lines]
    print(f'      insert, cold, KiB: {cold}', flush=True)


def rows(args):
    lines = tool_lines(args, 'rows', 1000, 100_000, 1_000_000)
    for when, words in (('loaded', 'after a load'), ('later', '1,000 commits later')):
        at = f'into 1k, 100k, 1M rows {words}, opening included'
        nodes = [line['node'] for line in lines if line['when'] == when]
        calls, rounds = [n['calls'] for n in nodes], [n['in_a_row'] for n in nodes]
        kib = [round(n['bytes'] / 1024, 1) for n in nodes]
        tell(f'insert {at}, round trips in a row', rounds, 'at most 8', max(rounds) <= 8)
        tell(f'insert {at}, store calls', calls, 'the first + 1', max(calls) <= calls[0] + 1)
        tell(f'insert {at}, KiB', kib, '1.5 x the first + 64', all(k <= 1.5 * kib[0] + 64 for k in kib))


# ---- long histories in a folder --------------------------------------------------------------------


def run_ours(args, *words, runs=1):
    """Output, and the least milliseconds of processor time of so many runs."""
    least = None
    for _ in range(runs):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        out = subprocess.run([args.ours, *words], check=True, stdout=subprocess.PIPE, text=True).stdout
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        ms = 1000 * (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        least = ms if least is None else min(least, ms)
    return out, least


def read_commands(args, graph):
    """Milliseconds of commands that change nothing."""
    point = ['--query', f'{args.files}/point.gq', '--name', 'point', '--params', '{"name": "p-3"}']
    listed = run_ours(args, 'commit', 'list', '--limit', '2', '--reverse', '--json', graph)[0]
    last, before = [c['graph_commit_id'] for c in json.loads(listed)['commits']]
    moment = time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(time.time() + 1))
    commands = {
        'snapshot': ['snapshot', graph],
        'point query': ['query', '--uri', graph, *point],
        'query --at': ['query', '--uri', graph, '--at', moment, *point],
        'query --snapshot': ['query', '--uri', graph, '--snapshot', before, *point],
        'commit list --limit 10 --reverse': ['commit', 'list', '--limit', '10', '--reverse', graph],
        'commit list --limit 10': ['commit', 'list', '--limit', '10', graph],
        'commit show': ['commit', 'show', '--uri', graph, last],
        'diff of the last commit': ['diff', '--uri', graph, before, last],
        'fsck': ['fsck', graph],
    }
    return {name: run_ours(args, *words, runs=3)[1] for name, words in commands.items()}


def write_commands(args, graph):
    """Milliseconds of commands that go on with the history, and at last cut it."""
    def insert(name, branch='main'):
        return ['mutate', '--uri', graph, '--branch', branch, '--query', f'{args.files}/point.gq', '--name', 'add',
                '--params', json.dumps({'name': name})]
    steps = {
        'insert': [insert('x0'), insert('x1'), insert('x2')],
        'branch create': [['branch', 'create', 'b', '--uri', graph]],
        'insert on a branch': [insert('x3', 'b')],
        'branch merge': [insert('x4'), ['branch', 'merge', 'b', '--into', 'main', '--uri', graph]],
        'branch delete': [['branch', 'delete', 'b', '--uri', graph]],
        'branch merge beside one that was merged and is gone': [
            ['branch', 'create', 'c', '--uri', graph], ['branch', 'create', 'd', '--uri', graph],
            insert('x5', 'c'), insert('x6', 'd'), ['branch', 'merge', 'd', '--delete-branch', '--uri', graph],
            ['branch', 'merge', 'c', '--into', 'main', '--uri', graph]],
        'optimize': [['optimize', graph]],
        'cleanup --keep 10': [['cleanup', '--keep', '10', '--confirm', graph]],
        'fsck after it': [['fsck', graph]],
    }
    return {name: [run_ours(args, *words)[1] for words in commands][-1] for name, commands in steps.items()}


def history_of(args, graph, commits):
    """Milliseconds of each command on a graph of so many commits; and of one insert in a process, at the end."""
    run_ours(args, 'init', '--schema', f'{args.files}/p.pg', graph)
    some = min(512, commits // 2)
    tool_lines(args, 'history', graph, commits - some)
    last = tool_lines(args, 'history', graph, commits)[0]
    ms = {'insert, in a process': last['cpu_ms'] / last['commits'], **read_commands(args, graph),
          **write_commands(args, graph)}
    ours = sorted(run_ours(args, 'export', graph)[0].splitlines())
    assert len(ours) == commits - 1 + 7, 'rows are missing'
    if args.oracle:
        theirs = subprocess.run([args.oracle, 'export', graph], check=True, stdout=subprocess.PIPE, text=True).stdout
        assert ours == sorted(theirs.splitlines()), 'the reference reads other rows'
    return ms


def history(args):
    with tempfile.TemporaryDirectory(dir=args.work) as args.files:
        open(f'{args.files}/p.pg', 'w').write(GRAPH)
        open(f'{args.files}/point.gq', 'w').write(POINT)
        few, many = (history_of(args, f'{args.files}/{n}.omni', n) for n in (1000, args.commits))
    for name, ms in many.items():
        is_flat = name in ('insert, in a process', 'insert', 'snapshot', 'branch create')
        goal, met = ('1.5 x + 0.5', ms <= 1.5 * few[name] + 0.5) if is_flat else ('', True)
        tell(f'{name}, ms of processor time after 1,000 and {args.commits:,} commits', f'{few[name]:.1f}, {ms:.1f}',
             goal or 'none', met)


# ---- merges and diffs ------------------------------------------------------------------------------


def changes(args):
    runs = [tool_lines(args, 'changes', 10_000, 100_000, 1_000_000) for _ in range(3)]
    for op in ('merge', 'diff'):
        for unit in ('calls', 'bytes', 'cpu_ms'):
            sizes = [min(run[i][op][unit] for run in runs) for i in range(3)]
            seen = ', '.join(f'{size / sizes[0]:.2f}' for size in sizes)
            tell(f'{op} of 50 rows into 10k, 100k, 1M, {unit}', seen, 'within 1.3 x', ratio(sizes) <= 1.3)


def write_people(path, persons, edges, first, age, seed):
    """Records of persons first, first + step, ...; and so many edges among all."""
    rng = random.Random(seed)
    with open(path, 'w') as f:
        for i in first:
            f.write(json.dumps({'type': 'Person', 'data': {'slug': f'p{i:07d}', 'name': f'name {i}', 'age': age,
                                                           'city': f'city{i % 50}'}}) + '\n')
        for _ in range(edges):
            a, b = rng.randrange(persons), rng.randrange(persons)
            f.write(json.dumps({'edge': 'Knows', 'from': f'p{a:07d}', 'to': f'p{b:07d}',
                                'data': {'since': '2020-01-01'}}) + '\n')


def timed(command):
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def merge_seconds(binary, graph, work, rounds):
    """Seconds of each merge of 1,000 changed rows into a main that changed as many others. The first round makes
    what is kept from then on, indexes of the reference's above all, and is left out."""
    run = lambda *words: timed([binary, *words])
    run('init', '--schema', f'{work}/people.pg', graph)
    run('load', '--mode', 'append', '--data', f'{work}/people.jsonl', graph)
    times = []
    for i in range(rounds + 1):
        run('branch', 'create', f'b{i}', '--uri', graph)
        run('load', '--mode', 'merge', '--branch', f'b{i}', '--data', f'{work}/theirs{i}.jsonl', graph)
        run('load', '--mode', 'merge', '--data', f'{work}/ours{i}.jsonl', graph)
        times.append(run('branch', 'merge', f'b{i}', '--into', 'main', '--uri', graph))
    return times[1:]


def merge(args):
    if not args.oracle:
        print('skip  merge of 1,000 rows: no reference')
        return
    rounds, n = 3, args.persons
    with tempfile.TemporaryDirectory(dir=args.work) as work:
        open(f'{work}/people.pg', 'w').write(PEOPLE)
        write_people(f'{work}/people.jsonl', n, 10 * n, range(n), 20, 1)
        for i in range(rounds + 1):
            step = n // 1000
            write_people(f'{work}/theirs{i}.jsonl', n, 0, range(2 * i, n, step), 30 + i, 2)
            write_people(f'{work}/ours{i}.jsonl', n, 0, range(2 * i + 1, n, step), 40 + i, 3)
        ours = statistics.median(merge_seconds(args.ours, f'{work}/ours.omni', work, rounds))
        theirs = statistics.median(merge_seconds(args.oracle, f'{work}/theirs.omni', work, rounds))
    tell(f'merge of 1,000 rows into {n:,} persons and {10 * n:,} edges, of the reference\'s time',
         f'{ours / theirs:.3f}', '0.05', ours / theirs <= 0.05)


# ---- writers that meet -----------------------------------------------------------------------------


def exported(args, graph, branch):
    out = subprocess.run([args.ours, 'export', '--branch', branch, graph], check=True, stdout=subprocess.PIPE)
    names = [json.loads(line)['data']['name'] for line in out.stdout.splitlines()]
    assert len(names) == len(set(names)), 'a row is there twice'
    return set(names)


def check_rows(args, graph, places, results):
    """Rows that were acknowledged and are gone, and that were said to have failed and are there."""
    lost = ghosts = 0
    for branch in set(places):
        there = exported(args, graph, branch)
        for n, (place, result) in enumerate(zip(places, results)):
            failed = {f'w{n}-{i}' for i in result['failed']}
            tried = {f'w{n}-{i}' for i in range(result['tried'])} if place == branch else set()
            lost += len(tried - failed - there)
            ghosts += len(failed & there)
    return lost, ghosts


def write_together(args, work, places):
    """Rows a second that so many processes insert, each on its place; conflicts, rows lost, rows that failed and
    are there."""
    graph = tempfile.mkdtemp(dir=work) + '/g.omni'
    subprocess.run([args.ours, 'init', '--schema', f'{work}/p.pg', graph], check=True, stdout=subprocess.DEVNULL)
    for branch in sorted(set(places) - {'main'}):
        subprocess.run([args.ours, 'branch', 'create', branch, '--uri', graph], check=True, stdout=subprocess.DEVNULL)
    writers = [subprocess.Popen([args.tool, 'write', graph, branch, f'w{n}'], stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE, text=True) for n, branch in enumerate(places)]
    for w in writers:
        assert w.stdout.readline() == 'ready\n'
    for w in writers:
        w.stdin.write('go\n')
        w.stdin.flush()
    time.sleep(args.seconds)
    for w in writers:
        w.stdin.close()
    results = [json.loads(w.stdout.read()) for w in writers]
    for w in writers:
        assert w.wait() == 0
    rate = sum((r['tried'] - 1 - r['failures']) / r['seconds'] for r in results)
    tried = sum(r['tried'] for r in results)
    found = {'rate': rate, 'failures': sum(r['failures'] for r in results) / tried, 'tried': tried}
    found['lost'], found['ghosts'] = check_rows(args, graph, places, results)
    return found


def writers(args):
    with tempfile.TemporaryDirectory(dir=args.work) as work:
        open(f'{work}/p.pg', 'w').write(GRAPH)
        kinds = {'alone': ['main'], 'together': ['main'] * 8, 'apart': [f'b{n}' for n in range(8)]}
        runs = {kind: [] for kind in kinds}
        for _ in range(3):  # in turns, so that what else the machine does meets all alike
            for kind, places in kinds.items():
                runs[kind].append(write_together(args, work, places))
    for word, key in (('acknowledged and lost', 'lost'), ('said to have failed and there', 'ghosts')):
        count = sum(run[key] for kind in runs.values() for run in kind)
        tell(f'rows {word}, of {sum(r["tried"] for k in runs.values() for r in k):,}', count, '0', count == 0)
    failures = max(run['failures'] for kind in runs.values() for run in kind)
    tell('conflicts that surface', f'{failures:.2%}', 'at most 1 %', failures <= 0.01)
    alone, together, apart = (statistics.median(r['rate'] for r in runs[kind]) for kind in kinds)
    tell('8 processes on one branch, of one writer\'s rate', f'{together / alone:.2f}', '0.7', together >= 0.7 * alone)
    tell('8 processes on 8 branches, of one writer\'s rate', f'{apart / alone:.2f}', '2', apart >= 2 * alone)


def main():
    parts = {'branches': branches, 'inserts': inserts, 'rows': rows, 'history': history, 'changes': changes,
             'merge': merge, 'writers': writers}
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument('--tool', required=True)
    ap.add_argument('--ours', required=True)
    ap.add_argument('--oracle')
    ap.add_argument('--work', default=tempfile.gettempdir())
    ap.add_argument('--commits', type=int, default=10_000)
    ap.add_argument('--persons', type=int, default=100_000)
    ap.add_argument('--seconds', type=float, default=4)
    ap.add_argument('--only', default=','.join(parts))
    args = ap.parse_args()
    for name in args.only.split(','):
        parts[name](args)
    print(f'versions: {missed} goals missed')
    return missed > 0


if __name__ == '__main__':
    sys.exit(main())
