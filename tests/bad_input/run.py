#!/usr/bin/env python3
"""Bad input of every kind against the command line: a clear error, exit code 1, and nothing lost.

    run.py OMNIGRAPH [FILTER]     FILTER: only cases whose name holds it

One case an item, by name. Each looks at the message (place, nearest name, remedy), at the exit code, at
the export before and after (equal bytes), and writes once more in the end. OMNIGRAPH_FLIPS sets how many
single bits are flipped per region of the stored files, OMNIGRAPH_SEED which.
"""
import os
import sys

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tools")]

import graphs  # noqa: E402
import damage  # noqa: E402
import disks  # noqa: E402
import folders  # noqa: E402
import races  # noqa: E402
import records  # noqa: E402


def main():
    graphs.enter_own_mounts()
    binary = os.path.abspath(sys.argv[1])
    runner = graphs.Runner(sys.argv[2] if len(sys.argv) > 2 else "")
    for part in (records, folders, races, disks, damage):
        part.add_to(runner)

    def make(scratch):
        graph = graphs.Graph(binary, os.path.join(scratch, "g.omni"), scratch)
        graph.init()
        return graph

    return runner.run(make)


if __name__ == "__main__":
    sys.exit(main())
