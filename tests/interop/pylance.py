"""Whether there is pylance 6.0.1, which the tests of this folder compare with."""
import os
import sys

os.environ.setdefault("LANCE_LOG", "error")
try:
    import lance
except ImportError:
    lance = None


def is_missing(argv):
    """Without it the script begins again under the Python that $OMNIGRAPH_PYLANCE names. True, and said, when that has none
    either."""
    python = os.environ.pop("OMNIGRAPH_PYLANCE", None)
    if lance is None and python:
        os.execv(python, [python, *argv])
    if lance is None or not lance.__version__.startswith("6.0.1"):
        print("SKIPPED: no pylance 6.0.1")
        return True
    return False
