#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# A job on several nodes, ranks x workers:   sbatch hybrid.sh ./pi --out /shared/pi.h5
#
# To change, here or as options of sbatch: the nodes; the ranks on each, such as one per NUMA node;
# the workers of a rank, which are the cores it gets; the time. Whatever the time is, the program
# stops in good order before it is over, with status 75: submit the same again to go on. To stop it
# so at any moment:   scancel --batch --signal=USR1 JOB
# With --no-kill a lost node costs its own ranks only. If it is the first one, the others then stay
# idle until the time is over; a job without it, or until-done.sh, ends at once, or begins again.
#SBATCH --nodes=4
#SBATCH --ntasks-per-node=2
#SBATCH --cpus-per-task=16
#SBATCH --time=08:00:00
#SBATCH --no-kill
set -euo pipefail

# Takes ranks and workers from the lines above; and this process's place, so that signals to the
# batch script reach it.
exec weft-run "$@"
