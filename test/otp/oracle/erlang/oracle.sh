#!/bin/sh
# Plays scenarios on the real Erlang supervisor, gen_server, links and monitors and prints canonical
# traces. Needs erl and erlc (Debian: erlang-base).
# usage: oracle.sh SCENARIO.json...   |   oracle.sh --stream < scenarios.jsonl > traces.jsonl
#        oracle.sh --build            compiles only
set -e
# A scenario that kills the whole program is told on stderr; a dump would only litter the folder.
export ERL_CRASH_DUMP_BYTES=0
here=$(cd "$(dirname "$0")" && pwd)
sources="$here/ojson.erl $here/otp_oracle.erl"
# Beams are kept by what they were made from: a changed source never meets an old beam.
key=$(cat $sources | cksum | tr -d ' ')
beams=${ORACLE_BEAMS:-${TMPDIR:-/tmp}/paceline-oracle-$(id -u)}/$key
if [ ! -d "$beams" ]; then
  # Compiled aside and moved as a whole: several of us may start at once.
  fresh=$beams.$$
  mkdir -p "$fresh"
  erlc -o "$fresh" $sources
  mv "$fresh" "$beams" 2>/dev/null || rm -rf "$fresh"
fi
case "$1" in
  --build) exit 0 ;;
  --stream) exec erl +S 1:1 +A 1 -noinput -noshell -pa "$beams" -run otp_oracle stream ;;
  *) exec erl +S 1:1 -noinput -noshell -pa "$beams" -run otp_oracle main "$@" ;;
esac
