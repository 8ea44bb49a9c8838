#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# A job on one node, one rank with many workers, without mpirun:   sbatch node.sh ./pi --out pi.h5
#
# To change, here or as options of sbatch: the workers, which are the cores; the time. The program
# stops in good order before the time is over, with status 75: submit the same again to go on. To
# stop it so at any moment:   scancel --batch --signal=USR1 JOB
# On a node with several NUMA nodes a rank for each is better: hybrid.sh with --nodes=1.
#SBATCH --nodes=1
#SBATCH --ntasks=1
#SBATCH --cpus-per-task=16
#SBATCH --time=08:00:00
set -euo pipefail

# The program takes this process's place, and so gets the signals for the batch script.
exec "$1" --threads "$SLURM_CPUS_PER_TASK" "${@:2}"
