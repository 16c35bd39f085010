#!/bin/sh
# exports.sh LIB HEADER: the shared library shows what the header declares, and nothing else.
set -eu
declared=$(grep -oE '^OG_API [^(]*\(' "$2" | grep -oE 'og_[a-z0-9_]+\($' | tr -d '(' | sort)
shown=$(nm -D --defined-only "$1" | awk '$2 ~ /[A-Z]/ {print $3}' | sort)
[ "$declared" = "$shown" ] && exit 0
echo "only one of header and library has:"
printf '%s\n%s\n' "$declared" "$shown" | sort | uniq -u
exit 1
