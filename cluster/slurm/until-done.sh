#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# A job that takes longer than a job may: it is queued again, under its number, until all is done.
#     sbatch until-done.sh ./pi --out /shared/pi.h5
#
# To change, here or as options of sbatch: nodes, ranks on each, workers of a rank, as in hybrid.sh;
# the time of one turn; how many turns there may be, so that a job that never gets further (items
# that take longer than a turn) ends some day. If a node is lost, Slurm itself queues the job
# again.
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
stopped_early=75 # the program's status if it was stopped in good order, with more to do

# To start over is for the first turn alone.
if [[ ${SLURM_RESTART_COUNT:-0} -gt 0 ]]; then
    unset WEFT_FRESH
    for word in "$@"; do
        shift
        [[ $word == --fresh ]] || set -- "$@" "$word"
    done
fi

trap 'kill -USR1 "${!:-}" || true' USR1
weft-run "$@" &

# A signal ends a wait before weft-run has ended.
while [[ -n $(jobs -rp) ]]; do
    wait $! || true
done
status=0
wait $! || status=$?

if [[ $status -eq $stopped_early && ${SLURM_RESTART_COUNT:-0} -lt $turns ]]; then
    # Slurm may be away for a moment.
    for pause_s in 1 5 30 60 end; do
        ! scontrol requeue "$SLURM_JOB_ID" || break
        [[ $pause_s == end ]] || sleep "$pause_s"
    done
fi
exit "$status"
