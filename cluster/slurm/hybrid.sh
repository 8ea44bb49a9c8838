#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# A job on several nodes, ranks x workers:   sbatch hybrid.sh ./pi --out /shared/pi.h5
#
# To change, here or as options of sbatch: the nodes; the ranks on each, such as one per NUMA node;
# the workers of a rank, which are the cores it gets; the time. Whatever the time is, the program
# stops in good order before it is over, with status 75: submit the same again to go on. To stop it
# so at any moment:   scancel --batch --signal=USR1 JOB
#SBATCH --nodes=4
#SBATCH --ntasks-per-node=2
#SBATCH --cpus-per-task=16
#SBATCH --time=08:00:00
set -euo pipefail

# mpirun takes this process's place, and so gets the signals that are meant for the batch script.
exec mpirun --map-by "slot:PE=$SLURM_CPUS_PER_TASK" \
    "$1" --threads "$SLURM_CPUS_PER_TASK" "${@:2}"
