#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Many jobs that differ in a number, which takes the place of {}:
#     sbatch --array=1-20 array.sh ./pi --seed {} --out pi-{}.h5
#
# To change, here or as options of sbatch: the numbers, as 1-20%4 for four at a time; the workers of
# each job, which are its cores; the time. Each job is on its own: one that the time does not
# suffice for ends with status 75, and `sbatch --array=NUMBER` with the same words goes on with it.
# Items that are alike belong into one job, not into an array.
#SBATCH --array=1-10
#SBATCH --nodes=1
#SBATCH --ntasks=1
#SBATCH --cpus-per-task=4
#SBATCH --time=08:00:00
set -euo pipefail

words=("${@//\{\}/$SLURM_ARRAY_TASK_ID}")
exec "${words[0]}" --threads "$SLURM_CPUS_PER_TASK" "${words[@]:1}"
