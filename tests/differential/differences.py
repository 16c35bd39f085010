"""The differences that are allowed: those that docs/dev/architecture.md lists by name."""
import collections
import os
import re

HEADING = "Where we differ from the reference"
PAGE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "docs", "dev", "architecture.md")


def listed_names(page=PAGE):
    """Names of the list `- **name**: ...` under the heading, down to the next heading of its level."""
    with open(page, encoding="utf-8") as f:
        section = re.split(r"^## ", f.read(), flags=re.M)
    for part in section:
        if part.startswith(HEADING):
            return re.findall(r"^- \*\*([a-z0-9-]+)\*\*", part, flags=re.M)
    raise SystemExit(f"{page} has no section '{HEADING}'")


class Differences:
    """Counts how often each listed difference occurred; a name that is not listed is not allowed."""

    def __init__(self, names=None):
        self.names = list(names if names is not None else listed_names())
        self.counts = collections.Counter()

    def allow(self, name):
        if name not in self.names:
            return False
        self.counts[name] += 1
        return True

    def merge(self, other):
        self.counts.update(other.counts)

    def report(self):
        return [f"  {self.counts[name]:5d}  {name}" for name in self.names if self.counts[name]]
