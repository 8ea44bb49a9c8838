#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""weft-bench: what weft costs, next to what an expert would write without it, or use instead."""

import argparse
import ctypes
import json
import math
import os
import re
import resource
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time

VERSION, COMPILER = "@PROJECT_VERSION@", "@CMAKE_C_COMPILER_ID@ @CMAKE_C_COMPILER_VERSION@"
GSHHG = os.path.isdir("@WEFT_GSHHG_DIR@")
RUN_LIMIT_S = 900
BUSY_CORES = 0.1  # as much as others may take before a row is marked
MET, NOISE, MISSED, FAILED = "met", "within noise", "MISSED", "NOT MEASURED"
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
VERDICTS = [MET, NOISE, MISSED, FAILED]
WORKLOADS = ["uniform", "increasing", "decreasing", "exponential", "bimodal", "giant",
             "mandelbrot"] + ["coast"] * GSHHG
ITEM_S = 1e-4  # of the workloads that are made of arithmetic, on average


class Failure(Exception):
    """Something could not be measured."""


def program(name):
    """Beside this script where it was built; in libexec where it is installed."""
    here = os.path.dirname(os.path.realpath(__file__))
    for folder in (here, os.path.join(here, "@BENCH_FROM_BIN@")):
        if os.access(os.path.join(folder, name), os.X_OK):
            return os.path.join(folder, name)
    return None


class Side:
    """One of those that are compared. `value` makes a number of a run, in the row's unit."""

    def __init__(self, label, name, *words, ranks=1, threads=1, value=None, before=None,
                 judge=True, disturbed=False):
        self.label, self.name, self.words = label, name, [str(word) for word in words]
        self.ranks, self.threads, self.before, self.judge = ranks, threads, before, judge
        self.value, self.disturbed = value or (lambda run: run.seconds), disturbed
        self.planted = False

    def command(self, words):
        path = program(self.name)
        if path is None:
            raise Failure(f"there is no program {self.name}")
        weft = self.name == "bench-weft"
        threads = ["--threads", str(self.threads)] if weft else [f"threads={self.threads}"]
        if self.ranks == 1:
            return [path, *words, *threads]
        root = ["--allow-run-as-root"] * (os.geteuid() == 0)
        return [shutil.which("mpirun") or "@MPIEXEC_EXECUTABLE@", "--oversubscribe", "--bind-to",
                "none", *root, "-np", str(self.ranks), path, *words, *threads]


class Row:
    """Weft beside others. `limit` holds for the ratio to the best of them that judge, or, where
    `own` is true, for weft's own value; None: a row to learn from."""

    def __init__(self, what, unit, sides, limit=None, own=False, warm=False):
        self.what, self.unit, self.sides, self.limit, self.own = what, unit, sides, limit, own
        self.warm = warm  # a run that is not counted comes first
        sides[0].planted = True


class Run:
    """What came of a run."""

    def __init__(self, folder, wall, reports):
        self.folder, self.wall, self.reports = folder, wall, reports
        self.seconds = max(r["end"] for r in reports) - min(r["begin"] for r in reports)
        self.cpu = sum(r["cpu"] for r in reports)
        self.first = reports[0]


def weft(*words, **more):
    return Side(more.pop("label", "weft"), "bench-weft", *words, **more)


def by_hand(label, name, *words, **more):
    return Side(label, name, *words, **more)


def over_ranks(words, threads, ranks=2, **more):
    """What is written by hand for several ranks."""
    more.update(ranks=ranks, threads=threads)
    sides = [by_hand("shared counter", "bench-mpi", "do=counter", *words, **more),
             by_hand("factoring, counter", "bench-mpi", "do=factoring", *words, **more)]
    if threads == 1:
        sides.append(by_hand("prefetching master", "bench-mpi", "do=master", *words, **more))
        if program("bench-dls4lb") and not any("coast" in word for word in words):
            sides.append(by_hand("DLS4LB, FAC", "bench-dls4lb", *words, **more))
    return sides


# ---- what is measured: a function per name, which gives its rows -------------------------------
def span(b):
    words = ["work=fill", f"items={b.size(4e6)}"]
    ns = 1e9 / b.size(4e6)
    return [Row(f"empty span, 1 x {b.workers}", "ns", [
        weft(*words, "limit=1", "--grain", 1, threads=b.workers, value=lambda r: r.seconds * ns),
        by_hand("dynamic,1, not kept", "bench-openmp", "do=memory", "piece=1", *words,
                threads=b.workers, value=lambda r: r.first["value"] * ns)], 35, own=True)]


def metg(b):
    words = ["do=metg", f"items={b.size(4e6)}", f"seconds={0.25 * b.scale}",
             f"step-ns={b.step_ns()}"]
    us = {"threads": b.workers, "value": lambda r: r.first["value"]}
    return [Row(f"METG(50 %), automatic grain, 1 x {b.workers}", "us", [
        weft(*words, **us), by_hand("dynamic,1, not kept", "bench-openmp", *words, **us)], 1)]


def handout(b):
    words = ["work=fill", f"items={b.size(1e6)}"]
    us = {"ranks": 2, "value": lambda r: r.seconds * 1e6 / b.size(1e6)}
    hand = [by_hand(label, "bench-mpi", f"do={what}", *words, "piece=1", judge=judge, **us)
            for label, what, judge in (("shared counter, pwrite", "counter", True),
                                       ("prefetching master", "master", True),
                                       ("counter, not kept", "unkept", False))]
    if program("bench-dls4lb"):
        hand.append(by_hand("DLS4LB, SS", "bench-dls4lb", "do=ss", *words, **us))
    return [Row("chunk to another rank, 2 x 1", "us", [
        weft(*words, "limit=1", "--grain", 1, "--schedule", "ss", **us), *hand], 1)]


def loop(b, name, rows_per_second):
    """The two real loops; the size is in seconds on all cores."""
    rows = []
    for label, seconds in (("", 1.75), (", half a second", 0.5)):
        size = max(round(rows_per_second * math.sqrt(seconds * b.cores * b.scale)), 4)
        words = [f"work={name}", f"rows={size}"]
        plain = "bench-openmp" if name == "mandelbrot" else "bench-hdf5"
        rows.append(Row(f"{name}, 1 x {b.workers}{label}", "s", [
            weft(*words, threads=b.workers),
            by_hand("dynamic, pwrite", plain, *words, threads=b.workers),
            by_hand("dynamic, H5Dwrite", "bench-hdf5", "do=hdf5", *words, threads=b.workers)],
            1.02))
        each = max(b.cores // 2, 1)
        rows.append(Row(f"{name}, 2 x {each}{label}", "s", [
            weft(*words, ranks=2, threads=each), *over_ranks(words, each)], 1.03))
    return rows


def mandelbrot(b):
    return loop(b, "mandelbrot", 770)


def coast(b):
    if not GSHHG:
        raise Failure("no shorelines in @WEFT_GSHHG_DIR@")
    return loop(b, "coast", 554)


def tasks(b):
    words = ["work=exponential", f"items={b.size(40000)}", f"steps={50e3 / b.step_ns()}"]
    return [Row("tasks of 50 us, exponential, 2 x 1", "s",
                [weft(*words, ranks=2), *over_ranks(words, 1)], 1.03)]


def write(b):
    rows = []
    for label, size in (("8 B", 8), ("1 KiB", 1 << 10), ("1 MiB", 1 << 20)):
        words = ["work=fill", f"bytes={size}", f"items={b.size((1 << 29) / size)}"]
        rows.append(Row(f"writing, {label} items, 1 x {b.workers}", "s", [
            weft(*words, threads=b.workers),
            by_hand("pwrite", "bench-openmp", *words, threads=b.workers)], 1 / 0.95, warm=True))
    return rows


def start(b):
    words = ["work=fill", f"items={b.size(1e8)}", "--sync", 10]
    more = {"threads": b.workers, "value": lambda r: 1e3 * r.first["value"]}
    half = [*words, f"stop={b.size(1e8) // 2}"]
    return [Row("start of 10^8 items", "ms", [weft(*words, "stop=0", **more)], 20, own=True),
            Row("resume of 10^8 items, half done", "ms", [
                weft(*words, "stop=0", before=half, **more)], 20, own=True)]


def rerun(b):
    words = ["work=fill", f"items={b.size(1e6)}", "--sync", 10]
    return [Row("rerun passing a complete map", "ms", [
        weft(*words, before=words, threads=b.workers, value=lambda r: 1e3 * r.seconds)], 5,
        own=True)]


def program_of_maps(b):
    maps = b.size(100)
    words = ["do=program", "work=fill", "items=1e4", f"maps={maps}", "--out", "all.h5"]
    return [Row("rerun of 100 complete maps in a file, each", "ms", [
        weft(*words, before=words, threads=b.workers, value=lambda r: 1e3 * r.seconds / maps)], 5,
        own=True)]


def exact_sum(b):
    rows = []
    for label, spread in (("similar size", 0), ("2^-100 to 2^100", 100)):
        words = ["do=sum", f"items={b.size(1e6)}", f"spread={spread}"]
        ns = {"value": lambda r: r.first["value"]}
        rows.append(Row(f"exact sum, {label}, per double", "ns", [
            weft(*words, **ns), by_hand("plain loop", "bench-openmp", *words, **ns)], 2))
    return rows


def paths(b):
    """Of 64 steps, as apps/montecarlo has them; and of one, to learn from."""
    rows = []
    for label, steps, count, limit in (("64 steps", 64, 3e6, 1.03), ("one step", 1, 1e7, None)):
        for ranks, threads in ((1, b.workers), (2, max(b.cores // 2, 1))):
            words = [f"rows={steps}", f"items={b.size(count)}"]
            more = {"ranks": ranks, "threads": threads}
            hand = [by_hand(f"OpenMP reduction, {kind}", "bench-paths", f"do={kind}", *words, **more)
                    for kind in ("static", "dynamic")]
            rows.append(Row(f"Monte Carlo, paths of {label}, {ranks} x {threads}", "s", [
                weft("do=paths", *words, **more), *hand], limit))
    return rows


def size(b):
    return [Row("file of 1000 doubles", "KiB", [
        weft("work=fill", "items=1000", threads=b.workers, value=lambda r: os.path.getsize(
            os.path.join(r.folder, "map0.h5")) / 1024)], 64, own=True)]


def second(b):
    words = ["work=uniform", f"items={b.size(1e4)}", f"steps={100e3 / b.step_ns()}"]
    wall = {"threads": b.workers, "value": lambda r: r.wall}
    return [Row(f"one second of work, process and all, 1 x {b.workers}", "s", [
        weft(*words, **wall),
        by_hand("dynamic, pwrite", "bench-openmp", "piece=16", *words, **wall)], 1.1)]


def small(b):
    words = ["work=fill", "items=100"]
    ms = {"value": lambda r: 1e3 * r.seconds}
    return [Row(f"second map of a session, 100 items, 1 x {b.workers}", "ms", [
        weft(*words, "maps=2", threads=b.workers, **ms),
        by_hand("dynamic, pwrite", "bench-openmp", *words, "piece=10", threads=b.workers, **ms)],
        2, own=True),
            Row("second map of a session, 100 items, 2 x 1", "ms", [
                weft(*words, "maps=2", ranks=2, **ms),
                by_hand("shared counter", "bench-mpi", "do=counter", "piece=10", *words, ranks=2,
                        **ms)], 4, own=True)]


def agent(b):
    def rest(what, layout, ranks, threads, rank, limit):
        seconds = max(2 * b.scale, 0.2)
        words = ["work=fill", "--grain", 1, f"seconds={seconds}"]
        if what == "the last items":
            words += ["do=sleep", f"items={ranks * threads}", "--schedule", "static"]
        else:
            words += ["do=nap", f"items={round(seconds * 200) * ranks * threads}"]
        return Row(f"CPU beside {what}, {layout}", "%", [
            weft(*words, ranks=ranks, threads=threads, value=lambda r: 100 * next(
                each["value"] for each in r.reports if each["rank"] == rank))], limit, own=True)
    rows = []
    for what in ("the last items", "items that wait"):
        rows += [rest(what, f"1 x {b.workers}", 1, b.workers, 0, 2),
                 rest(what, "2 x 1, rank 0", 2, 1, 0, 2), rest(what, "2 x 1, rank 1", 2, 1, 1, 1)]
    return rows


def memory(b):
    words = ["work=fill", f"items={b.size(1e7)}", "--grain", 1]
    return [Row("memory of rank 0, per tile", "B", [
        weft(*words, threads=b.workers, value=lambda r: r.first["peak"] / b.size(1e7))], 16,
        own=True)]


def failures(b):
    words = ["work=fill", f"items={b.size(1e6)}"]
    return [Row("a million failed items", "s", [
        weft("do=fail", *words, threads=b.workers),
        weft(*words, threads=b.workers, label="as many good ones")], 2)]


def isolate(b):
    words = ["work=uniform", f"items={b.size(1e3) * b.workers}", f"steps={1e6 / b.step_ns()}"]
    return [Row(f"--isolate, tasks of 1 ms, 1 x {b.workers}", "s", [
        weft(*words, "--isolate", threads=b.workers),
        weft(*words, threads=b.workers, label="in the workers")], 1.1)]


def workload(b, name, seconds):
    """The words for a workload of a length, in seconds of one core."""
    if name in ("mandelbrot", "coast"):
        rows = (770 if name == "mandelbrot" else 554) * math.sqrt(seconds)
        return [f"work={name}", f"rows={max(round(rows), 4)}"]
    return [f"work={name}", f"items={max(round(seconds / ITEM_S), 4)}",
            f"steps={ITEM_S * 1e9 / b.step_ns()}", *["--grain", "1"]]


def hand_words(words):
    """Without weft's own options."""
    return [word for word in words if "=" in word]


def contest(b, names, disturbed, suffix=""):
    rows = []
    ranks, threads = b.layout()
    more = {"ranks": ranks, "threads": threads, "disturbed": disturbed}
    for name in names:
        words = workload(b, name, b.scale * b.cores)
        sides = [weft(*words, "--schedule", each, label=each, **more) for each in b.techniques]
        hand = over_ranks(hand_words(words), **more)
        rows.append(Row(f"{name}{suffix}, {ranks} x {threads}", "s", sides + hand,
                        1.02 if b.techniques[0] == "auto" else None))
    return rows


def schedule(b):
    return contest(b, b.workloads or WORKLOADS, False)


def slow(b):
    return contest(b, b.workloads or ["uniform"], True, ", a rank stopped half of the time")


def scaling(b):
    """As cores times time over the work, which is 1 at best."""
    rows = []
    for name in b.workloads or ["uniform"]:
        layouts = [(1, w) for w in b.steps_to(b.cores)] + [(r, 1) for r in b.steps_to(b.cores)[1:]]
        for ranks, threads in layouts:
            for kind, seconds in (("strong", 2), ("weak", ranks * threads)):
                words = workload(b, name, seconds * b.scale)
                more = {"ranks": ranks, "threads": threads, "value": lambda r, cores=ranks * threads,
                        seconds=seconds: r.seconds * cores / (seconds * b.scale)}
                hand = by_hand("factoring, counter", "bench-mpi", "do=factoring",
                               *hand_words(words), **more) if ranks > 1 else by_hand(
                    "dynamic, pwrite", "bench-hdf5", *hand_words(words), **more)
                rows.append(Row(f"{kind} scaling, {name}, {ranks} x {threads}", "x",
                                [weft(*words, **more), hand]))
    return rows


# The name, whether it is measured without being named, its goal, and how it is found.
FAMILIES = {
    "span": (True, "an empty span costs at most 35 ns with two workers on two cores", span),
    "metg": (True, "METG(50 %) below OpenMP's schedule(dynamic,1)", metg),
    "handout": (True, "a chunk to another rank costs less than by a shared counter", handout),
    "mandelbrot": (True, "at most 1.02 times the best by hand in a rank, 1.03 over two", mandelbrot),
    "coast": (GSHHG, "at most 1.02 times the best by hand in a rank, 1.03 over two", coast),
    "tasks": (True, "tasks of 50 us: at most 1.03 times the best by hand", tasks),
    "write": (True, "at least 0.95 of the speed of plain pwrite", write),
    "start": (True, "10^8 items: at most 20 ms to the first kernel", start),
    "rerun": (True, "a complete map is passed in 5 ms", rerun),
    "program": (True, "a program of 100 complete maps is passed in 5 ms each", program_of_maps),
    "sum": (True, "an exact sum costs at most twice a plain loop", exact_sum),
    "paths": (True, "a Monte Carlo: at most 1.03 times OpenMP's reduction by hand", paths),
    "size": (True, "a small result takes at most 64 KiB", size),
    "second": (True, "a second of work: at most 1.1 times OpenMP without MPI, start to end",
               second),
    "small": (True, "a map of 100 items takes at most 2 ms in a rank, 4 ms over two", small),
    "agent": (True, "an agent takes at most 2 % of a core on rank 0, 1 % on others", agent),
    "memory": (True, "at most 16 bytes per tile", memory),
    "failures": (True, "failed items cost at most twice what good ones cost", failures),
    "isolate": (True, "--isolate costs at most 10 % where items take a millisecond", isolate),
    "schedule": (False, "auto needs at most 1.02 times what the best technique needs", schedule),
    "slow": (False, "the same with a rank that is stopped half of the time", slow),
    "scaling": (False, "cores times time over work, for 1 core and more", scaling),
}


# ---- how it is measured ------------------------------------------------------------------------
def environment(side, timed):
    """Without what would change the sense of a measurement, and without the job, if any, that this
    program has been started from. WEFT_BENCH_PLANT, with which tests make a row worse, is for the
    side that is judged."""
    of_a_job = re.compile(r"(WEFT|OMP|GOMP|KMP|HWLOC|PMI|PMIX|PRTE)_(?!BENCH)|OMPI_(COMM_WORLD|UNIVERSE"
                          r"|APP|NUM_APP|FIRST|FILE_LOCATION|MCA_(ess|orte_|pmix|initial_wdir))")
    kept = {name: text for name, text in os.environ.items() if not of_a_job.match(name)}
    kept.update(WEFT_SYNC="0", WEFT_LOG="error", WEFT_PROGRESS="never",
                OMPI_MCA_orte_execute_quiet="1")
    if not (timed and side.planted):
        kept.pop("WEFT_BENCH_PLANT", None)
    if side.ranks > 1:
        # Ranks that share cores must not spin there, and others lose by not doing so.
        shared = side.ranks * side.threads > len(os.sched_getaffinity(0))
        kept["OMPI_MCA_mpi_yield_when_idle"] = "1" if shared else "0"
    return kept


LIBC = ctypes.CDLL(None)


def become_child():
    """A process group of its own, which is ended when this program ends, however that comes."""
    os.setpgid(0, 0)
    LIBC.prctl(1, signal.SIGTERM)


class Disturber(threading.Thread):
    """Stops the last rank of a job for half of the time."""

    def __init__(self, mpirun, rank):
        super().__init__(daemon=True)
        self.mpirun, self.over = mpirun, threading.Event()
        self.mark = f"OMPI_COMM_WORLD_RANK={rank}\0".encode()
        self.start()

    def find(self):
        for name in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{name}/stat", encoding="ascii", errors="replace") as file:
                    parent = int(file.read().rpartition(")")[2].split()[1])
                with open(f"/proc/{name}/environ", "rb") as file:
                    if parent == self.mpirun and self.mark in file.read():
                        return int(name)
            except OSError:
                pass
        return None

    def run(self):
        while not self.over.wait(0.05):
            pid = self.find()
            if pid is not None:
                try:
                    os.kill(pid, signal.SIGSTOP)
                    self.over.wait(0.05)
                    os.kill(pid, signal.SIGCONT)
                except ProcessLookupError:
                    pass


class Load:
    """How many cores others take, the hypervisor's theft included."""

    def __init__(self):
        self.cores = {f"cpu{core}" for core in os.sched_getaffinity(0)}
        self.elapsed = self.taken = 0.0

    def look(self):
        busy = 0
        with open("/proc/stat", encoding="ascii") as file:
            for words in map(str.split, file):
                if words[0] in self.cores:
                    ticks = list(map(int, words[1:9])) + [0] * (9 - len(words))
                    busy += sum(ticks) - ticks[3] - ticks[4]
        own = sum(sum(resource.getrusage(who)[:2])
                  for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
        return time.monotonic(), busy / os.sysconf("SC_CLK_TCK"), own

    def __enter__(self):
        self.before = self.look()
        return self

    def __exit__(self, *_):
        now = self.look()
        self.elapsed += now[0] - self.before[0]
        self.taken += (now[1] - self.before[1]) - (now[2] - self.before[2])

    def others(self):
        return max(self.taken, 0) / self.elapsed if self.elapsed else 0.0


class Bench:
    """What the measurements have at hand."""

    def __init__(self, wish):
        self.scale, self.rounds = wish.scale, wish.rounds
        self.workloads, self.techniques, self.ranks = wish.workload, wish.technique, wish.ranks
        self.cores = self.workers = len(os.sched_getaffinity(0))
        self.folder = tempfile.mkdtemp(prefix="weft-bench-", dir=wish.dir)
        self.child, self.peak = None, None

    def size(self, count):
        return max(round(count * self.scale), 1)

    def layout(self):
        ranks = self.ranks or max(min(self.cores, 16), 2)
        return ranks, max(self.cores // ranks, 1)

    @staticmethod
    def steps_to(last):
        """All numbers up to some, or the powers of two among them and the last."""
        numbers = range(1, last + 1) if last <= 8 else [2 ** i for i in range(last.bit_length())]
        return sorted({*numbers, last})

    def step_ns(self):
        """Of arithmetic, with all cores at it; once, so that all sides have the same items."""
        if self.peak is None:
            self.peak = self.run(by_hand("", "bench-openmp", "do=peak", threads=self.workers,
                                         value=lambda r: r.first["value"]))[0]
        return self.peak

    def start(self, side, words, folder, timed=True):
        """Runs a program to its end; the seconds."""
        begin = time.monotonic()
        with tempfile.TemporaryFile() as said:
            self.child = subprocess.Popen(
                side.command(words), cwd=folder, env=environment(side, timed), stdin=subprocess.DEVNULL,
                stdout=said, stderr=said, preexec_fn=become_child)
            group = self.child.pid
            disturber = Disturber(group, side.ranks - 1) if side.disturbed else None
            try:
                status = self.child.wait(RUN_LIMIT_S)
            except subprocess.TimeoutExpired:
                self.end_child()
                raise Failure(f"{side.label}: no end within {RUN_LIMIT_S} s") from None
            finally:
                if disturber:
                    disturber.over.set()
                    disturber.join()
            wall, self.child = time.monotonic() - begin, None
            if status != 0:
                said.seek(0)
                text = said.read().decode(errors="replace").strip()[-500:]
                raise Failure(f"{side.label}: exit status {status} {text}")
        return wall

    def end_child(self):
        if self.child is not None and self.child.poll() is None:
            for number, limit in ((signal.SIGTERM, 5), (signal.SIGKILL, None)):
                try:
                    os.killpg(self.child.pid, number)
                    self.child.wait(limit)
                    break
                except subprocess.TimeoutExpired:
                    pass

    def run(self, side):
        """A process, or a job, in a folder of its own: its value, and its CPU time. Whatever is not
        a positive number is none."""
        folder = tempfile.mkdtemp(dir=self.folder)
        try:
            if side.before:
                self.start(side, list(map(str, side.before)), folder, timed=False)
                os.unlink(os.path.join(folder, "report"))
            wall = self.start(side, side.words, folder)
            run = Run(folder, wall, read_reports(side, folder))
            value = side.value(run)
        except (OSError, ValueError, TypeError, ZeroDivisionError, StopIteration) as error:
            raise Failure(f"{side.label}: no result: {error!r}") from error
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            settle(self.folder)
        for number in (value, run.cpu):
            if number is None or not (math.isfinite(number) and number > 0):
                raise Failure(f"{side.label}: " + ("nothing could be measured" if number is None
                                                   else f"{number} is no measurement"))
        return value, run.cpu


def settle(folder):
    """What a run has left to the disk, the removal of its file included, is none of the next one's
    business."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def read_reports(side, folder):
    with open(os.path.join(folder, "report"), encoding="ascii") as file:
        reports = sorted((json.loads(line) for line in file), key=lambda report: report["rank"])
    if [report["rank"] for report in reports] != list(range(side.ranks)):
        raise Failure(f"{side.label}: {len(reports)} of {side.ranks} ranks have reported")
    counted, asked = sum(report["items"] for report in reports), reports[0]["all"]
    if asked >= 0 and counted != asked:
        raise Failure(f"{side.label}: {counted} of {asked} items computed")
    return reports


def quartiles(values):
    if len(values) < 2:
        return values[0], values[0], values[0]
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return low, middle, high


def judge(values, limit):
    """A goal is missed by more than the noise if it is by the better quartile of the rounds, too."""
    low, middle, _ = quartiles(values)
    return MET if middle <= limit else NOISE if low <= limit else MISSED


class Result:
    """A row's values, side by side, and what they say."""

    def __init__(self, row, values, cpu, others):
        self.row, self.values, self.cpu, self.others = row, values, cpu, others
        rivals = [i for i, side in enumerate(row.sides) if i > 0 and side.judge]
        self.best = min(rivals, key=lambda i: statistics.median(values[i]), default=0)
        self.verdict = None
        if row.limit is not None:
            self.verdict = judge(values[0] if row.own else self.ratios(self.best), row.limit)

    def ratios(self, other):
        """Round by round, so that a drift of the machine does not count."""
        return [a / b for a, b in zip(self.values[0], self.values[other])]

    def print(self):
        row, busy = self.row, "  BUSY" if self.others > BUSY_CORES else ""
        low, middle, high = quartiles(self.values[0])
        print(f"{row.what}\n  {row.sides[0].label:22} {middle:9.3g} {row.unit:4}"
              f" ({low:.3g} - {high:.3g})  cpu {statistics.median(self.cpu[0]):.3g} s"
              + (self.goal() if row.own or len(row.sides) == 1 else ""))
        for i, side in enumerate(row.sides[1:], 1):
            low, middle, high = quartiles(self.ratios(i))
            print(f"  {side.label:22} {statistics.median(self.values[i]):9.3g} {row.unit:4}"
                  f" ratio {middle:.3f} ({low:.3f} - {high:.3f})"
                  f"  cpu {statistics.median(self.cpu[i]):.3g} s"
                  + (self.goal() if i == self.best and not row.own else ""))
        if busy:
            print(f"  BUSY: others took {self.others:.2f} cores meanwhile")
        sys.stdout.flush()

    def goal(self):
        return f"  goal <= {self.row.limit:.3g}: {self.verdict}" if self.verdict else ""

    def json(self):
        return {"what": self.row.what, "unit": self.row.unit, "goal": self.row.limit,
                "own": self.row.own, "verdict": self.verdict, "others": self.others,
                "busy": self.others > BUSY_CORES, "best": self.row.sides[self.best].label,
                "sides": [{"label": side.label, "ranks": side.ranks, "threads": side.threads,
                           "values": self.values[i], "cpu": self.cpu[i],
                           "ratio": quartiles(self.ratios(i))[1]}
                          for i, side in enumerate(self.row.sides)]}


def measure(b, row):
    """The sides in turn, each round beginning with another."""
    count = len(row.sides)
    values, cpu = [[] for _ in row.sides], [[] for _ in row.sides]
    load = Load()
    if row.warm:
        b.run(row.sides[-1])  # memory that nobody has used for a while costs more than to write it
    for turn in range(b.rounds):
        for i in range(count):
            number = (i + turn) % count
            with load:
                value, seconds = b.run(row.sides[number])
            values[number].append(value)
            cpu[number].append(seconds)
    return Result(row, values, cpu, load.others())


def measure_family(b, name, rows):
    """Its verdict, the worst of its rows; None where it has no goal."""
    verdicts = []
    try:
        for row in FAMILIES[name][2](b):
            try:
                result = measure(b, row)
                result.print()
                rows.append({"measurement": name, **result.json()})
                verdicts.append(result.verdict)
            except Failure as failure:
                print(f"{row.what}\n  {FAILED}: {failure}", flush=True)
                rows.append({"measurement": name, "what": row.what, "verdict": FAILED,
                             "error": str(failure)})
                verdicts.append(FAILED)
    except Failure as failure:
        print(f"{name}\n  {FAILED}: {failure}", flush=True)
        verdicts.append(FAILED)
    return max(filter(None, verdicts), key=VERDICTS.index, default=None)


# ---- the command line --------------------------------------------------------------------------
def one_of(names):
    def read(text):
        for name in text.split(","):
            if name not in names:
                raise argparse.ArgumentTypeError(
                    f'"{text}": no "{name}"; there are {", ".join(names)}')
        return text.split(",")
    return read


def techniques(text):
    """As --schedule of any program lists them; "auto", which has a goal, is the first."""
    said = subprocess.run([program("bench-weft"), "--schedule", "none"], capture_output=True,
                          check=False, text=True)
    known = said.stderr.partition("there are ")[2].strip().split(", ")
    return known if text is None else one_of(known)(text)


def at_least(kind, least):
    def read(text):
        try:
            number = kind(text)
        except ValueError:
            number = math.nan
        if not (math.isfinite(number) and number >= least and number > 0):
            raise argparse.ArgumentTypeError(f'cannot be "{text}"')
        return number
    return read


def read_request():
    names = "\n".join(f"  {name:12} {goal}{'' if usual else ' (only if named)'}"
                      for name, (usual, goal, _) in FAMILIES.items())
    parser = argparse.ArgumentParser(
        prog="weft-bench", allow_abbrev=False,
        formatter_class=lambda prog: argparse.RawDescriptionHelpFormatter(prog, 2, 26, 100),
        description="Measures what weft costs, next to what one would write or use without it. Run "
                    "it alone, without mpirun.",
        epilog=f"names, and their goals:\n{names}\n\n"
               "A goal is missed by more than the noise if the better quartile of the rounds misses "
               "it, too.\nA row is BUSY where others took more than a tenth of a core meanwhile.\n\n"
               "exit status: 0 measured; 1 with --check: a goal is missed by more than the noise; "
               "2 wrong usage;\n3 something could not be measured")
    parser.add_argument("--only", metavar="NAME,...", type=one_of(FAMILIES), help="what to measure")
    parser.add_argument("--rounds", metavar="N", type=at_least(int, 1), default=5,
                        help="how often each side is measured (5)")
    parser.add_argument("--check", action="store_true",
                        help="end with 1 if a goal is missed by more than the noise")
    parser.add_argument("--scale", metavar="F", type=at_least(float, 0), default=1,
                        help="sizes times F, for which the goals are not meant (1)")
    parser.add_argument("--workload", metavar="NAME,...", type=one_of(WORKLOADS),
                        help=f"for schedule, slow and scaling: {', '.join(WORKLOADS)}")
    parser.add_argument("--technique", metavar="NAME,...",
                        help="for schedule and slow, as --schedule of any program has (all)")
    parser.add_argument("--ranks", metavar="N", type=at_least(int, 2),
                        help="for schedule and slow (a rank per core)")
    parser.add_argument("--dir", metavar="DIR", default=".", help="where files are written (.)")
    parser.add_argument("--json", metavar="FILE", help="also gives the results to programs")
    parser.add_argument("--version", action="version", version=f"weft-bench {VERSION}")
    wish = parser.parse_args()
    wish.only = wish.only or [name for name, (usual, _, _) in FAMILIES.items() if usual]
    try:
        if wish.technique or {"schedule", "slow"} & set(wish.only):
            wish.technique = techniques(wish.technique)
        wish.json = wish.json and open(wish.json, "w", encoding="utf-8")
    except (argparse.ArgumentTypeError, OSError) as error:
        parser.error(str(error))
    return wish


def on_signal(number, _):
    raise SystemExit(128 + number)


def measure_all(b, wish, rows):
    print(f"{b.cores} cores; {COMPILER}; medians and quartiles of {b.rounds}, the sides in turn"
          + (f"; sizes x {b.scale:g}, for which the goals are not meant" if b.scale != 1 else "")
          + "\n", flush=True)
    verdicts = {name: measure_family(b, name, rows) for name in wish.only}
    print("\ngoals:")
    for name, verdict in verdicts.items():
        if verdict is not None:
            print(f"  {name:12} {verdict:12}  {FAMILIES[name][1]}")
    if FAILED in verdicts.values():
        return 3
    return 1 if wish.check and MISSED in verdicts.values() else 0


def main():
    wish = read_request()
    rows, status = [], 3
    for number in SIGNALS:
        signal.signal(number, on_signal)
    try:
        b = Bench(wish)
    except OSError as error:
        print(f"weft-bench: {error}", file=sys.stderr)
        return 2
    try:
        status = measure_all(b, wish, rows)
    finally:
        for number in SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        b.end_child()
        shutil.rmtree(b.folder, ignore_errors=True)
    if wish.json:
        json.dump({"cores": b.cores, "rounds": b.rounds, "scale": b.scale, "compiler": COMPILER,
                   "rows": rows}, wish.json, indent=1)
        wish.json.close()
    return status


if __name__ == "__main__":
    sys.exit(main())
