#!/usr/bin/env python3
"""The side-by-side benchmark, with what this project adds to it.

usage: run.py --ours OMNIGRAPH --lib LIBOMNIGRAPH.SO [--oracle OMNIGRAPH] [--peers LIST] [--scale S]...
              [--work DIR] [--out FILE.json] [--only PHASES] [--rounds N]

Copies the shared harness ($OMNIGRAPH_REFERENCE/bench) to DIR, adds libomnigraph in-process as one more
system, takes the indexes out of the schema (so that all load the same), runs everything in one run, and
adds to the results: bytes on disk without `_indices`, a sequence of inserts by the command line, the cost of
create + write + fdatasync of a new 4 KiB file, and which files of a commit were synced."""
import argparse, json, os, re, shutil, statistics, subprocess, sys, tempfile, time

HERE = os.path.dirname(os.path.abspath(__file__))


def prepare(work, reference):
    """A copy of the harness that knows libomnigraph and asks for no server."""
    bench = os.path.join(work, 'bench')
    shutil.rmtree(bench, ignore_errors=True)
    shutil.copytree(os.path.join(reference, 'bench'), bench)
    for folder, _, files in os.walk(bench):
        os.chmod(folder, 0o755)
        for name in files:
            os.chmod(os.path.join(folder, name), 0o644)
    shutil.copy(os.path.join(HERE, 'libomnigraph.py'), os.path.join(bench, 'systems'))
    with open(os.path.join(bench, 'systems', '__init__.py'), 'a') as f:
        f.write("from .libomnigraph import LibOmnigraph\nPEERS['libomnigraph'] = LibOmnigraph\n")
    path = os.path.join(bench, 'bench.py')
    source = open(path).read()
    open(path, 'w').write(source.replace('for h in (False, True)', 'for h in (False,)'))
    return bench


def data_without_indexes(bench, work, scale):
    """Generate the data once; the schema keeps its keys and loses its @index."""
    folder = os.path.join(work, 'data', scale)
    if not os.path.exists(os.path.join(folder, 'params.json')):
        subprocess.check_call([sys.executable, os.path.join(bench, 'gen.py'), scale, folder])
    schema = os.path.join(folder, 'schema.pg')
    text = open(schema).read()
    open(schema, 'w').write(text.replace(' @index', ''))


def disk_bytes(folder, leave_out=()):
    total = 0
    for path, folders, files in os.walk(folder):
        folders[:] = [f for f in folders if f not in leave_out]
        total += sum(os.lstat(os.path.join(path, f)).st_size for f in files)
    return total


def new_file_ms(folder, count=200):
    """Create, write and fdatasync a new 4 KiB file: what a durable commit can't go below."""
    times = []
    for i in range(count):
        name = os.path.join(folder, f'probe-{os.getpid()}-{i}')
        start = time.perf_counter()
        fd = os.open(name, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644)
        os.write(fd, b'x' * 4096)
        os.fdatasync(fd)
        os.close(fd)
        times.append((time.perf_counter() - start) * 1e3)
        os.remove(name)
    return times


def insert_sequence(binary, graph, mutations, count, cap_s):
    """Milliseconds of each of `count` inserts by the command line, one after the other."""
    times, begin = [], time.perf_counter()
    for i in range(count):
        params = json.dumps({'slug': f'seq{i}', 'name': 'n', 'age': 40, 'city': 'city01', 'bio': 'b'})
        start = time.perf_counter()
        subprocess.run([binary, 'mutate', '--uri', graph, '--query', mutations, '--name', 'ins',
                        '--params', params, '--json'], check=True, stdout=subprocess.DEVNULL)
        times.append((time.perf_counter() - start) * 1e3)
        if time.perf_counter() - begin > cap_s:
            break
    return times


def synced_files(binary, graph, mutations):
    """The files and folders that one insert syncs, by strace; None where strace is missing."""
    if shutil.which('strace') is None:
        return None
    params = json.dumps({'slug': 'synced', 'name': 'n', 'age': 40, 'city': 'city01', 'bio': 'b'})
    run = subprocess.run(['strace', '-f', '-y', '-e', 'trace=fsync,fdatasync,syncfs', binary, 'mutate',
                          '--uri', graph, '--query', mutations, '--name', 'ins', '--params', params],
                         capture_output=True, text=True)
    names = re.findall(r'(fsync|fdatasync|syncfs)\(\d+<([^>]*)>', run.stderr)
    return [f'{call} {name.replace(graph, "")}' for call, name in names]


def median_of(times, first, last):
    part = times[first:last]
    return round(statistics.median(part), 3) if part else None


def extras(args, work, scale):
    """What the shared harness lacks, for one scale."""
    found = {}
    with tempfile.TemporaryDirectory(dir=work) as folder:
        probe = new_file_ms(folder)
    found['new_4k_file_ms'] = {'median': round(statistics.median(probe), 3),
                               'min': round(min(probe), 3)}
    for name, binary in (('c', args.ours), ('upstream', args.oracle)):
        db = os.path.join(work, 'run', scale, name)
        graph = os.path.join(db, 'graph.omni')
        if not binary or not os.path.isdir(graph):
            continue
        entry = found[name] = {}
        entry['disk_without_indices'] = disk_bytes(graph, ('_indices',))
        copy = os.path.join(work, 'run', scale + '.seq')
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(db, copy)
        graph, mutations = os.path.join(copy, 'graph.omni'), os.path.join(copy, 'm.gq')
        entry['synced'] = synced_files(binary, graph, mutations)
        times = insert_sequence(binary, graph, mutations, args.sequence, args.sequence_cap)
        entry['inserts'] = {'count': len(times), 'first10': median_of(times, 0, 10),
                            '91..100': median_of(times, 90, 100), 'last10': median_of(times, -10, None)}
        shutil.rmtree(copy, ignore_errors=True)
    return found


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    ap.add_argument('--ours', required=True)
    ap.add_argument('--lib', required=True)
    ap.add_argument('--oracle')
    ap.add_argument('--peers', default='kuzu,ladybug,duckdb,sqlite')
    ap.add_argument('--scale', action='append')
    ap.add_argument('--work', default=os.path.join(tempfile.gettempdir(), 'omnigraph-bench'))
    ap.add_argument('--out', default='results.json')
    ap.add_argument('--only', default='start,load,cold,read,write,hist')
    ap.add_argument('--rounds', default='2')
    ap.add_argument('--budget', default='0.4')
    ap.add_argument('--cap', default='10')
    ap.add_argument('--sequence', type=int, default=1000)
    ap.add_argument('--sequence-cap', type=float, default=120)
    args = ap.parse_args()
    reference = os.environ.get('OMNIGRAPH_REFERENCE')
    if not reference or not os.path.isdir(os.path.join(reference, 'bench')):
        sys.exit('SKIPPED: OMNIGRAPH_REFERENCE does not name a folder with bench/')
    args.ours, work = os.path.abspath(args.ours), os.path.abspath(args.work)
    os.makedirs(work, exist_ok=True)
    bench = prepare(work, reference)
    scales = args.scale or ['S', 'M']
    for scale in scales:
        data_without_indexes(bench, work, scale)
    ops = 'point,filter,group,hop1,hop2,hop3,hop1r,hop2r,hop3r,fhop1,fhop2,var13,anti,antid,rev'
    command = [sys.executable, os.path.join(bench, 'bench.py'), '--system', 'c=' + args.ours,
               '--peers', ','.join(['libomnigraph'] + [p for p in args.peers.split(',') if p]),
               '--only', args.only, '--ops', ops, '--rounds', args.rounds, '--budget', args.budget,
               '--cap', args.cap, '--data', os.path.join(work, 'data'),
               '--work', os.path.join(work, 'run'), '--out', os.path.abspath(args.out)]
    if args.oracle:
        command[2:2] = ['--system', 'upstream=' + os.path.abspath(args.oracle)]
    for scale in scales:
        command += ['--scale', scale]
    env = dict(os.environ, LIBOMNIGRAPH=os.path.abspath(args.lib), LANCE_CPU_THREADS='4')
    subprocess.check_call(command, env=env)
    results = json.load(open(args.out))
    results['extras'] = {scale: extras(args, work, scale) for scale in scales}
    json.dump(results, open(args.out, 'w'), separators=(',', ':'))
    print(json.dumps(results['extras'], indent=2))


if __name__ == '__main__':
    main()
