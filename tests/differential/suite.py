"""What the suites of this folder share: arguments, workers, the last line."""
import argparse
import collections
import concurrent.futures
import functools
import os
import shutil
import sys
import tempfile
import time
import traceback

from programs import SKIPPED, Failure, Program, find_reference

HERE = os.path.dirname(os.path.abspath(__file__))
Outcome = collections.namedtuple("Outcome", "name failure coverage differences seconds programs")


def arguments(argv, about, seeds):
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--binary", default=os.path.join(HERE, "..", "..", "build", "src", "cli", "omnigraph"),
                        help="our program (default: the build folder's)")
    parser.add_argument("--reference", help="the reference's program (default: asked of $OMNIGRAPH_REFERENCE)")
    parser.add_argument("--seeds", default=seeds, metavar="A..B", help=f"seeds to run (default {seeds})")
    parser.add_argument("--jobs", type=int, default=2, help="cases at once (default 2)")
    parser.add_argument("--verbose", action="store_true", help="name each case")
    options = parser.parse_args(argv[1:])
    first, _, last = options.seeds.partition("..")
    options.seeds = range(int(first), int(last or first) + 1)
    return options


def prerequisites(options):
    """The reason to skip, or None; fills in the reference's path."""
    options.reference = options.reference or find_reference()
    if not options.reference:
        return "OMNIGRAPH_REFERENCE does not lead to the reference's program"
    if not os.access(options.binary, os.X_OK):
        raise SystemExit(f"{options.binary}: no such program; build first, or say --binary")
    return None


class Workplace:
    """A folder of its own for one case, with both programs in it."""

    def __init__(self, options):
        self.root = tempfile.mkdtemp(prefix="og-differential-", dir=os.environ.get("TMPDIR"))
        self.ours = Program("ours", options.binary, self.root)
        self.theirs = Program("the reference", options.reference, self.root)

    def path(self, name):
        return os.path.join(self.root, name)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8", newline="") as f:
            f.write(text)
        return name

    def close(self):
        shutil.rmtree(self.root, ignore_errors=True)


def run_case(options, name, body):
    """`body(workplace)` returns (coverage, differences); a Failure keeps the folder for a look."""
    place, started = Workplace(options), time.monotonic()
    failure, coverage, differences = None, collections.Counter(), None
    try:
        coverage, differences = body(place)
        place.close()
    except Failure as disagreement:
        failure = f"{disagreement}\n    files: {place.root}"
    except Exception:  # a fault of the suite itself must not pass for agreement
        failure = traceback.format_exc()
    spent = {program.name: program.seconds for program in (place.ours, place.theirs)}
    return Outcome(name, failure, coverage, differences, time.monotonic() - started, spent)


def run_all(options, cases):
    """cases: (name, body). Runs them side by side; yields outcomes as they end."""
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        futures = [pool.submit(run_case, options, name, body) for name, body in cases]
        for future in concurrent.futures.as_completed(futures):
            outcome = future.result()
            if outcome.failure:
                print(f"FAILED {outcome.name}: {outcome.failure}\n", flush=True)
            elif options.verbose:
                print(f"ok {outcome.name} ({outcome.seconds:.1f} s)", flush=True)
            yield outcome


def print_coverage(coverage):
    groups = collections.defaultdict(list)
    for (group, name), count in sorted(coverage.items()):
        groups[group].append(f"{name} {count}")
    for group, items in groups.items():
        print(f"{group}: " + ", ".join(items))


def finish(script, options, outcomes):
    programs = collections.Counter()
    for outcome in outcomes:
        programs.update(outcome.programs)
    print("seconds in programs: " + ", ".join(f"{name} {seconds:.0f}" for name, seconds in programs.items()))
    failed = [o.name for o in outcomes if o.failure]
    for name in failed:
        print(f"again: python3 {os.path.relpath(script)} {name} --binary {options.binary}")
    print(f"{len(outcomes) - len(failed)} passed, {len(failed)} failed")
    return 1 if failed or not outcomes else 0


def skip(reason):
    print(f"SKIPPED: {reason}")
    return SKIPPED


def run_seeds(argv, script, about, seeds, body):
    """The main function of a script whose cases are `body(seed, place)`, one a seed; the exit code."""
    options = arguments(argv, about, seeds)
    reason = prerequisites(options)
    if reason:
        return skip(reason)
    coverage, outcomes = collections.Counter(), []
    cases = [(f"--seeds {seed}..{seed}", functools.partial(body, seed)) for seed in options.seeds]
    for outcome in run_all(options, cases):
        outcomes.append(outcome)
        coverage.update(outcome.coverage)
    print_coverage(coverage)
    return finish(script, options, outcomes)


def start(script_main):
    sys.exit(script_main(sys.argv))
