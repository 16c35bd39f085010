#!/usr/bin/env python3
"""Ratios of a run as Markdown tables: usage: ratios.py RESULTS.json...

Each cell is the median of ours divided by the median of the other in the same run, so below 1 is faster or smaller
than it. In brackets the same of the minima, which say more on a machine that does other things, too."""
import json, statistics, sys

READS = ('point', 'filter', 'group', 'hop1', 'hop2', 'hop3', 'hop1r', 'hop2r', 'hop3r', 'fhop1', 'fhop2', 'var13',
         'anti', 'antid', 'rev')
WHOLE = ('load', 'load_rss', 'disk', 'cold_point', 'cold_hop2', 'cold_hop3r', 'cold_group') + READS + (
    'insert', 'update', 'edge', 'delete', 'upsert10k', 'export', 'point_after', 'hop2_after')
PEERS = ('kuzu', 'ladybug', 'duckdb', 'sqlite')


def number(value):
    return f'{value:.3f}' if value < 0.1 else f'{value:.2f}' if value < 10 else f'{value:.0f}'


def ratio(ours, other, key):
    a, b = ours['R'].get(key), other['R'].get(key)
    if not a or not b:
        return ''
    median = statistics.median(a) / statistics.median(b)
    return f'{number(median)} ({number(min(a) / min(b))})' if len(a) > 1 else number(median)


def table(title, head, rows):
    print(f'\n{title}\n\n| {" | ".join(head)} |\n|{"---|" * len(head)}')
    for row in rows:
        if any(row[1:]):
            print(f'| {" | ".join(row)} |')


def report(name):
    results = json.load(open(name))
    for scale, part in results['scales'].items():
        systems, meta = part['sys'], part['meta']
        cli, library, reference = (systems.get(n) for n in ('c-cli', 'libomnigraph', 'upstream-cli'))
        if not cli:
            continue
        if meta['persons'] <= 1000:
            table(f'### Start (scale {scale}), whole process over the reference',
                  ('what', 'ours / reference'),
                  [(k, ratio(cli, reference, k)) for k in ('start', 'start_ver')])
            continue
        print(f'\n## Scale {scale}: {meta["persons"]:,} persons, {meta["knows"]:,} knows, {meta["docs"]:,} documents')
        table('### The command line over the reference\'s', ('what', 'ours / reference'),
              [(k, ratio(cli, reference, k)) for k in WHOLE])
        peers = [p for p in PEERS if p in systems]
        table('### libomnigraph in-process over embedded databases',
              ('what',) + tuple('ours / ' + p for p in peers),
              [(k,) + tuple(ratio(library, systems[p], k) for p in peers) for k in WHOLE])
        wrong = [f'{n} {k}' for n in ('c-cli', 'libomnigraph') for k, q in systems[n]['Q'].items() if q < 1]
        print(f'\nWrong answers of ours: {", ".join(wrong) if wrong else "none"}.')
        extras(results.get('extras', {}).get(scale, {}), cli, library)


def extras(found, cli, library):
    ours, reference = found.get('c', {}), found.get('upstream', {})
    if not ours:
        return
    new_file = found['new_4k_file_ms']
    rows = [('a durable insert in-process / create + write + fdatasync of a new 4 KiB file (minima)',
             number(min(library['R']['insert']) / new_file['min'])),
            ('the same, whole process', number(min(cli['R']['insert']) / new_file['min']))]
    if reference:
        rows.append(('bytes without `_indices`, derived files included, over the reference',
                     number(ours['disk_without_indices'] / reference['disk_without_indices'])))
    for who, entry in (('ours', ours), ('reference', reference)):
        inserts = entry.get('inserts', {})
        if inserts.get('first10'):
            rows.append((f'{who}: last ten of {inserts["count"]} inserts in a row / first ten',
                         number(inserts['last10'] / inserts['first10'])))
    table('### What the harness does not have', ('what', 'ratio'), rows)
    if ours.get('synced'):
        print('\nFiles and folders that one insert of ours syncs, in order: ' +
              ', '.join(f'`{s}`' for s in ours['synced']) +
              f'. The reference syncs {len(reference.get("synced") or [])}.')


if __name__ == '__main__':
    for argument in sys.argv[1:]:
        report(argument)
