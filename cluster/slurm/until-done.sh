#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# A job that takes longer than a job may: it is queued again, under its number, until all is done.
#     sbatch until-done.sh ./pi --out /shared/pi.h5
#
# To change, here or as options of sbatch: nodes, ranks on each, workers of a rank, as in hybrid.sh;
# the time of one turn; how many turns there may be, and how many in a row that complete no tile, so
# that a job that never gets further (items that take longer than a turn) ends, with status 1. If a
# node is lost, Slurm itself queues the job again.
# To end it for good:   scancel JOB
# To end a turn early:  scancel --batch --signal=USR1 JOB
#SBATCH --nodes=4
#SBATCH --ntasks-per-node=2
#SBATCH --cpus-per-task=16
#SBATCH --time=08:00:00
#SBATCH --requeue
#SBATCH --open-mode=append
set -euo pipefail

turns=100
idle_turns=3
stopped_early=75 # the program's status if it was stopped in good order, with more to do

# To start over is for the first turn alone.
if [[ ${SLURM_RESTART_COUNT:-0} -gt 0 ]]; then
    unset WEFT_FRESH
    for word in "$@"; do
        shift
        [[ $word == --fresh ]] || set -- "$@" "$word"
    done
fi

# Where the result is, as far as the command says.
out=${WEFT_OUT:-}
previous=
for word in "$@"; do
    [[ $previous != --out ]] || out=$word
    [[ $word != --out=* ]] || out=${word#*=}
    previous=$word
done

# What the last turn has left: tiles done, and how many turns in a row have added none.
state=.until-done-${SLURM_JOB_ID:-0}
[[ $out != */* ]] || state=${out%/*}/$state

# Prints how many tiles are done; nothing if that is not known.
tiles_done() {
    local file=$out
    # Where no file is named, or its folder alone, it has the map's name, and this turn has written
    # to it.
    [[ -n $file && $file != */ ]] ||
        file=$(find "${out:-.}" -maxdepth 1 -name '*.h5' -newer "$state" | head -n 1)
    if [[ -z $file || ! -e $file ]]; then
        echo 0
    else
        weft status --json "$file" | sed -n 's/^ *"tiles_done": \([0-9]*\),*$/\1/p'
    fi
}

before=
idle=0
if [[ -s $state ]]; then
    read -r before idle <"$state"
elif [[ -n $out && $out != */ ]]; then
    before=$(tiles_done) || true
fi
# A little back, since the clocks of files go in ticks.
{ : >>"$state" && touch -d '1 second ago' "$state"; } || true

trap 'kill -USR1 "${!:-}" || true' USR1
weft-run "$@" &

# A signal ends a wait before weft-run has ended.
while [[ -n $(jobs -rp) ]]; do
    wait $! || true
done
status=0
wait $! || status=$?

if [[ $status -ne $stopped_early || ${SLURM_RESTART_COUNT:-0} -ge $turns ]]; then
    rm -f "$state"
    exit "$status"
fi

after=$(tiles_done) || true
if [[ -n $after && $after == "$before" ]]; then
    idle=$((idle + 1))
else
    idle=0
fi
if [[ $idle -ge $idle_turns ]]; then
    rm -f "$state"
    echo "until-done.sh: $idle turns in a row have completed no tile, and so it ends here; give a" \
        "turn more --time, or the program a smaller --grain, and submit it again" >&2
    exit 1
fi
echo "${after:-?} $idle" >"$state" || true

# Slurm may be away for a moment.
for pause_s in 1 5 30 60 end; do
    ! scontrol requeue "$SLURM_JOB_ID" || exit "$status"
    [[ $pause_s == end ]] || sleep "$pause_s"
done
rm -f "$state"
exit "$status"
