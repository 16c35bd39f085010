#!/bin/sh
# Run the example program "$1" in a folder of its own and compare what it prints; the commit id is new
# each time.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$1" "$work/friends.omni" | sed 's/commit .*/commit/' >"$work/printed"
cat >"$work/expected" <<'END'
loaded 2 nodes and 1 edges, commit
  Mary, born in a year unknown
  Mary, born in 1797
END
diff "$work/expected" "$work/printed"
