# SPDX-License-Identifier: BSD-3-Clause
"""Jobs started by cluster/weft-run, which is `weft run`, and what they must not leave behind."""

import os
import signal
import time

from launch import KNOWN, LIMIT_S, WEFT, Patience, all_processes, strike

# Where weft-run is, and the batch scripts.
OURS = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__)))), "cluster")

# The script, beside the program that it is for.
BIN = os.path.dirname(WEFT) if WEFT else OURS
WEFT_RUN = os.path.join(BIN, "weft-run")


def launcher(first):
    """How the command line of weft-run begins, by the first of its options; other than that of what
    it starts."""
    return f"{WEFT} run {first}"



# Deaths are noticed soon, and a hanging mpirun is not waited for long.
SOON = ("--dead-after", 1)
GRACE = ("--grace", 1)


def words_of(path):
    try:
        with open(path, "rb") as file:
            return file.read().split(b"\0")
    except OSError:
        return []


def processes_of(folder):
    """{pid: command} of the runs whose done file lies in a folder, on whatever host."""
    mark = b"WEFT_DONE_FILE=" + os.path.realpath(folder).encode() + b"/"
    marked = (pid for pid in all_processes()
              if any(word.startswith(mark) for word in words_of(f"/proc/{pid}/environ")))
    return {pid: b" ".join(words_of(f"/proc/{pid}/cmdline")).decode() for pid in marked}


def mpirun_of(folder):
    """The pid of the one mpirun."""
    (pid,) = [pid for pid, command in processes_of(folder).items()
              if command.startswith(("mpirun ", "prterun "))]
    return pid


def rank_of(folder, rank, program=KNOWN):
    """The pid of a rank: not that of the shell around it."""
    mark = f"OMPI_COMM_WORLD_RANK={rank}".encode()
    (pid,) = [pid for pid, command in processes_of(folder).items()
              if command.startswith(program) and mark in words_of(f"/proc/{pid}/environ")]
    return pid


def end_all(folder):
    for pid in processes_of(folder):
        strike(pid, signal.SIGKILL)


def done_folders(folder):
    return [name for name in os.listdir(folder) if name.startswith(".weft-run")]


def left_behind(folder, limit_s=LIMIT_S / 2):
    """Processes of runs in a folder that do not go away, and then the folders for their word."""
    patience = Patience(limit_s)
    while processes_of(folder) and not patience.over():
        time.sleep(0.05)
    return [*processes_of(folder).items(), *done_folders(folder)]
