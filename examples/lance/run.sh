#!/bin/sh
# Run the example program "$1" twice in a folder of its own and compare what it prints.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
{ "$1" "$work"; "$1" "$work"; } >"$work/printed"
cat >"$work/expected" <<'END'
version 1, 3 rows, sum of age 93
version 2, 6 rows, sum of age 186
END
diff "$work/expected" "$work/printed"
