# SPDX-License-Identifier: BSD-3-Clause
"""What weft-bench measures: a function per name, which gives its rows, weft beside others."""

import functools
import math
import os
import shutil

GSHHG = os.path.isdir("@WEFT_GSHHG_DIR@")
LOOPS = {"mandelbrot": 770, "coast": 554}  # the rows that a core computes in a second
WORKLOADS = ["uniform", "increasing", "decreasing", "exponential", "bimodal", "giant",
             "mandelbrot"] + ["coast"] * GSHHG
ITEM_S = 1e-4  # of the workloads that are made of arithmetic, on average


class Failure(Exception):
    """Something could not be measured."""


def program(name):
    """The path of one of those beside this file; None if it is not there."""
    path = os.path.join(os.path.dirname(os.path.realpath(__file__)), name)
    return path if os.access(path, os.X_OK) else None


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
FAMILIES = {}  # by name: whether it is measured without being named, its goal, and how it is found


def goal(text, *limits, name=None, usual=True):
    """Enters the function that follows, which is given the limits behind its own argument."""
    def enter(find):
        FAMILIES[name or find.__name__] = (usual, text.format(*limits), lambda b: find(b, *limits))
        return find
    return enter


@goal("an empty span costs at most {} ns with two workers on two cores", 35)
def span(b, most):
    words = ["work=fill", f"items={b.size(4e6)}"]
    ns = 1e9 / b.size(4e6)
    return [Row(f"empty span, 1 x {b.workers}", "ns", [
        weft(*words, "limit=1", "--grain", 1, threads=b.workers, value=lambda r: r.seconds * ns),
        by_hand("dynamic,1, not kept", "bench-openmp", "do=memory", "piece=1", *words,
                threads=b.workers, value=lambda r: r.first["value"] * ns)], most, own=True)]


@goal("METG(50 %) below OpenMP's schedule(dynamic,1)")
def metg(b):
    words = ["do=metg", f"items={b.size(4e6)}", f"seconds={0.25 * b.scale}",
             f"step-ns={b.step_ns()}"]
    us = {"threads": b.workers, "value": lambda r: r.first["value"]}
    return [Row(f"METG(50 %), automatic grain, 1 x {b.workers}", "us", [
        weft(*words, **us), by_hand("dynamic,1, not kept", "bench-openmp", *words, **us)], 1)]


@goal("a chunk to another rank costs less than by a shared counter")
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


def loop_rows(name, seconds):
    """Of the two real loops, in seconds of a core."""
    return max(round(LOOPS[name] * math.sqrt(seconds)), 4)


def loop(name, b, in_rank, over_two):
    """The size is in seconds on all cores."""
    if name == "coast" and not GSHHG:
        raise Failure("no shorelines in @WEFT_GSHHG_DIR@")
    rows = []
    for label, seconds in (("", 1.75), (", half a second", 0.5)):
        words = [f"work={name}", f"rows={loop_rows(name, seconds * b.cores * b.scale)}"]
        plain = "bench-openmp" if name == "mandelbrot" else "bench-hdf5"
        rows.append(Row(f"{name}, 1 x {b.workers}{label}", "s", [
            weft(*words, threads=b.workers),
            by_hand("dynamic, pwrite", plain, *words, threads=b.workers),
            by_hand("dynamic, H5Dwrite", "bench-hdf5", "do=hdf5", *words, threads=b.workers)],
            in_rank))
        each = max(b.cores // 2, 1)
        rows.append(Row(f"{name}, 2 x {each}{label}", "s", [
            weft(*words, ranks=2, threads=each), *over_ranks(words, each)], over_two))
    return rows


for each in LOOPS:
    goal("at most {} times the best by hand in a rank, {} over two", 1.02, 1.03, name=each,
         usual=each != "coast" or GSHHG)(functools.partial(loop, each))


@goal("tasks of 50 us: at most {} times the best by hand", 1.03)
def tasks(b, most):
    words = ["work=exponential", f"items={b.size(40000)}", f"steps={50e3 / b.step_ns()}"]
    return [Row("tasks of 50 us, exponential, 2 x 1", "s",
                [weft(*words, ranks=2), *over_ranks(words, 1)], most)]


@goal("at least {} of the speed of plain pwrite", 0.95)
def write(b, least):
    rows = []
    for label, size in (("8 B", 8), ("1 KiB", 1 << 10), ("1 MiB", 1 << 20)):
        words = ["work=fill", f"bytes={size}", f"items={b.size((1 << 29) / size)}"]
        rows.append(Row(f"writing, {label} items, 1 x {b.workers}", "s", [
            weft(*words, threads=b.workers),
            by_hand("pwrite", "bench-openmp", *words, threads=b.workers)], 1 / least, warm=True))
    return rows


@goal("10^8 items: at most {} ms to the first kernel", 20)
def start(b, most):
    words = ["work=fill", f"items={b.size(1e8)}", "--sync", 10]
    more = {"threads": b.workers, "value": lambda r: 1e3 * r.first["value"]}
    half = [*words, f"stop={b.size(1e8) // 2}"]
    return [Row("start of 10^8 items", "ms", [weft(*words, "stop=0", **more)], most, own=True),
            Row("resume of 10^8 items, half done", "ms", [
                weft(*words, "stop=0", before=half, **more)], most, own=True)]


@goal("a complete map is passed in {} ms", 5)
def rerun(b, most):
    words = ["work=fill", f"items={b.size(1e6)}", "--sync", 10]
    return [Row("rerun passing a complete map", "ms", [
        weft(*words, before=words, threads=b.workers, value=lambda r: 1e3 * r.seconds)], most,
        own=True)]


@goal("a program of complete maps is passed in {} ms each", 5, name="program")
def program_of_maps(b, most):
    maps = b.size(100)
    words = ["do=program", "work=fill", "items=1e4", f"maps={maps}", "--out", "all.h5"]
    return [Row("rerun of 100 complete maps in a file, each", "ms", [
        weft(*words, before=words, threads=b.workers, value=lambda r: 1e3 * r.seconds / maps)],
        most, own=True)]


@goal("an exact sum costs at most {} times a plain loop", 2, name="sum")
def exact_sum(b, most):
    rows = []
    for label, spread in (("similar size", 0), ("2^-100 to 2^100", 100)):
        words = ["do=sum", f"items={b.size(1e6)}", f"spread={spread}"]
        ns = {"value": lambda r: r.first["value"]}
        rows.append(Row(f"exact sum, {label}, per double", "ns", [
            weft(*words, **ns), by_hand("plain loop", "bench-openmp", *words, **ns)], most))
    return rows


@goal("a Monte Carlo: at most {} times OpenMP's reduction by hand", 1.03)
def paths(b, most):
    """Of 64 steps, as apps/montecarlo has them; and of one, to learn from."""
    rows = []
    for label, steps, count, limit in (("64 steps", 64, 3e6, most), ("one step", 1, 1e7, None)):
        for ranks, threads in ((1, b.workers), (2, max(b.cores // 2, 1))):
            words = [f"rows={steps}", f"items={b.size(count)}"]
            more = {"ranks": ranks, "threads": threads}
            hand = [by_hand(f"OpenMP reduction, {kind}", "bench-paths", f"do={kind}", *words, **more)
                    for kind in ("static", "dynamic")]
            rows.append(Row(f"Monte Carlo, paths of {label}, {ranks} x {threads}", "s", [
                weft("do=paths", *words, **more), *hand], limit))
    return rows


@goal("a small result takes at most {} KiB", 64)
def size(b, most):
    return [Row("file of 1000 doubles", "KiB", [
        weft("work=fill", "items=1000", threads=b.workers, value=lambda r: os.path.getsize(
            os.path.join(r.folder, "map0.h5")) / 1024)], most, own=True)]


@goal("a second of work: at most {} times OpenMP without MPI, start to end", 1.1)
def second(b, most):
    words = ["work=uniform", f"items={b.size(1e4)}", f"steps={100e3 / b.step_ns()}"]
    wall = {"threads": b.workers, "value": lambda r: r.wall}
    return [Row(f"one second of work, process and all, 1 x {b.workers}", "s", [
        weft(*words, **wall),
        by_hand("dynamic, pwrite", "bench-openmp", "piece=16", *words, **wall)], most)]


@goal("a map of 100 items takes at most {} ms in a rank, {} ms over two", 2, 4)
def small(b, alone, over_two):
    words = ["work=fill", "items=100"]
    ms = {"value": lambda r: 1e3 * r.seconds}
    return [Row(f"second map of a session, 100 items, 1 x {b.workers}", "ms", [
        weft(*words, "maps=2", threads=b.workers, **ms),
        by_hand("dynamic, pwrite", "bench-openmp", *words, "piece=10", threads=b.workers, **ms)],
        alone, own=True),
            Row("second map of a session, 100 items, 2 x 1", "ms", [
                weft(*words, "maps=2", ranks=2, **ms),
                by_hand("shared counter", "bench-mpi", "do=counter", "piece=10", *words, ranks=2,
                        **ms)], over_two, own=True)]


@goal("an agent takes at most {} % of a core on rank 0, {} % on others", 2, 1)
def agent(b, first, other):
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
    return [rest(what, *more) for what in ("the last items", "items that wait")
            for more in ((f"1 x {b.workers}", 1, b.workers, 0, first),
                         ("2 x 1, rank 0", 2, 1, 0, first), ("2 x 1, rank 1", 2, 1, 1, other))]


@goal("at most {} bytes per tile", 16)
def memory(b, most):
    words = ["work=fill", f"items={b.size(1e7)}", "--grain", 1]
    return [Row("memory of rank 0, per tile", "B", [
        weft(*words, threads=b.workers, value=lambda r: r.first["peak"] / b.size(1e7))], most,
        own=True)]


@goal("failed items cost at most {} times what good ones cost", 2)
def failures(b, most):
    words = ["work=fill", f"items={b.size(1e6)}"]
    return [Row("a million failed items", "s", [
        weft("do=fail", *words, threads=b.workers),
        weft(*words, threads=b.workers, label="as many good ones")], most)]


@goal("--isolate costs at most {} times as much where items take a millisecond", 1.1)
def isolate(b, most):
    words = ["work=uniform", f"items={b.size(1e3) * b.workers}", f"steps={1e6 / b.step_ns()}"]
    return [Row(f"--isolate, tasks of 1 ms, 1 x {b.workers}", "s", [
        weft(*words, "--isolate", threads=b.workers),
        weft(*words, threads=b.workers, label="in the workers")], most)]


def workload(b, name, seconds):
    """The words for a workload of a length, in seconds of one core."""
    if name in LOOPS:
        return [f"work={name}", f"rows={loop_rows(name, seconds)}"]
    return [f"work={name}", f"items={max(round(seconds / ITEM_S), 4)}",
            f"steps={ITEM_S * 1e9 / b.step_ns()}", *["--grain", "1"]]


def hand_words(words):
    """Without weft's own options."""
    return [word for word in words if "=" in word]


def contest(b, names, disturbed, most, suffix=""):
    rows = []
    ranks, threads = b.layout()
    more = {"ranks": ranks, "threads": threads, "disturbed": disturbed}
    for name in names:
        words = workload(b, name, b.scale * b.cores)
        sides = [weft(*words, "--schedule", each, label=each, **more) for each in b.techniques]
        hand = over_ranks(hand_words(words), **more)
        rows.append(Row(f"{name}{suffix}, {ranks} x {threads}", "s", sides + hand,
                        most if b.techniques[0] == "auto" else None))
    return rows


@goal("auto needs at most {} times what the best technique needs", 1.02, usual=False)
def schedule(b, most):
    return contest(b, b.workloads or WORKLOADS, False, most)


@goal("the same with a rank that is stopped half of the time", 1.02, usual=False)
def slow(b, most):
    return contest(b, b.workloads or ["uniform"], True, most, ", a rank stopped half of the time")


@goal("cores times time over work, for 1 core and more", usual=False)
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
