#!/usr/bin/env python3
"""What is installed of the Lance library serves a stranger: every header compiles by itself, and the example builds with what pkg-config says
and runs.

    installed.py BUILD EXAMPLE.c RUN.sh
"""
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

WARNINGS = ["-std=gnu17", "-Wall", "-Wextra", "-Wno-missing-field-initializers", "-Werror"]


def call(*words, **options):
    run = subprocess.run([str(w) for w in words], capture_output=True, text=True, check=False, **options)
    assert run.returncode == 0, (words, run.stdout[-2000:], run.stderr[-2000:])
    return run.stdout


def main(argv):
    build, example, script = map(os.path.abspath, argv[1:4])
    root = tempfile.mkdtemp(prefix="og-installed-")
    try:
        call("meson", "install", "-C", build, "--no-rebuild", "--destdir", root)
        place = next(f for f, _, names in os.walk(root) if "og-lance.pc" in names)
        prefix = re.search(r"^prefix=(.*)$", open(os.path.join(place, "og-lance.pc")).read(), re.M).group(1)
        said = call("pkg-config", f"--define-variable=prefix={root}{prefix}", "--cflags", "--libs", "--static", "og-lance",
                    env={**os.environ, "PKG_CONFIG_PATH": place})
        flags = shlex.split(said)
        headers = os.path.join(root + prefix, "include", "og-lance")
        count = 0
        for folder, _, names in os.walk(headers):
            for name in names:
                call(os.environ.get("CC", "cc"), *WARNINGS, *[f for f in flags if f.startswith("-I")], "-fsyntax-only", "-x", "c",
                     os.path.join(folder, name))
                count += 1
        assert count > 30, count
        program = os.path.join(root, "people")
        call(os.environ.get("CC", "cc"), *WARNINGS, example, "-o", program, *flags)
        call(script, program)
        print(f"{count} headers")
    finally:
        shutil.rmtree(root)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
