# SPDX-License-Identifier: BSD-3-Clause
"""weft-bench, at sizes that measure nothing: every row is measured, each goal can be missed, and
what cannot be measured is an error."""

import hashlib
import importlib.machinery
import importlib.util
import json
import os
import shutil
import signal

import h5py

from launch import SystemTest, environment, main, needs, stat_of, strike

BENCH = os.environ.get("PROGRAM_bench")
CORES = len(os.sched_getaffinity(0))
GSHHG = os.path.isdir(os.environ.get("GSHHG_DIR", ""))
LIMIT_S = 600  # one process measures it all, and sleeps where weft is to be slow
GOALS = ["span", "handout", "mandelbrot", "tasks", "write", "start", "rerun", "program",
         "sum", "paths", "size", "second", "small", "agent", "memory", "failures", "isolate"]


def positive(values):
    return all(isinstance(value, (int, float)) and value > 0 for value in values)


def datasets(path):
    """{name: a digest} of all datasets."""
    found = {}

    def look(name, entry):
        if isinstance(entry, h5py.Dataset):
            found[name.split("/")[-1]] = digest(entry[...].tobytes())

    with h5py.File(path, "r") as file:
        file.visititems(look)
    return found


def digest(data):
    return hashlib.md5(data).hexdigest()


def module():
    """weft-bench, to be called from here."""
    loader = importlib.machinery.SourceFileLoader("weft_bench", BENCH)
    spec = importlib.util.spec_from_loader("weft_bench", loader)
    made = importlib.util.module_from_spec(spec)
    loader.exec_module(made)
    return made


@needs(BENCH, "weft-bench")
class Bench(SystemTest):
    def words(self, *more, scale=0.001):
        return ["--scale", str(scale), "--rounds", "1", "--dir", self.folder, "--json",
                self.path("bench.json"), *more]

    def measure(self, *more, layout=(0, None), status=0, scale=0.001, plant=None):
        """The rows, after a look at what all of them have."""
        env = environment(**({} if plant is None else {"WEFT_BENCH_PLANT": str(plant)}))
        ending = self.run_well(BENCH, *self.words(*more, scale=scale), layout=layout,
                               status=status, env=env, limit_s=LIMIT_S)
        with open(self.path("bench.json"), encoding="utf-8") as file:
            said = json.load(file)
        self.assertEqual(said["cores"], CORES)
        for row in said["rows"]:
            self.assertIn(row["what"], ending.out)
            self.assertEqual(row["goal"] is None, row["verdict"] is None, row)
            for side in row["sides"]:
                self.assertTrue(positive(side["values"] + side["cpu"] + [side["ratio"]]), row)
        self.assertEqual(os.listdir(self.folder), ["bench.json"], "scratch files")
        return said["rows"], ending

    def test_each_goal_can_be_missed(self):
        """With what WEFT_BENCH_PLANT makes of weft: slow, hungry and large."""
        rows, ending = self.measure("--check", "--only", ",".join(GOALS), plant=2, status=1)
        self.assertEqual({row["measurement"] for row in rows}, set(GOALS))
        for row in rows:
            self.assertEqual(row["verdict"], "MISSED" if row["goal"] else None, row)
        summary = ending.out.split("\ngoals:\n")[1].splitlines()
        self.assertEqual([line.split()[:2] for line in summary],
                         [[name, "MISSED"] for name in GOALS])

    def test_techniques_also_within_another_job(self):
        """It starts jobs of its own, also where it has been started by mpirun itself."""
        rows, _ = self.measure("--only", "schedule,slow", "--workload", "uniform",
                               "--technique", "ss", layout=(1, None), scale=0.01)
        self.assertEqual([row["measurement"] for row in rows], ["schedule", "slow"])
        for row in rows:
            self.assertEqual(row["sides"][0]["label"], "ss")
            self.assertGreater(len(row["sides"]), 2)
            self.assertTrue(all(side["ranks"] >= 2 for side in row["sides"]), row)

    def test_sides_compute_the_same(self):
        """Weft, threads that write as they compute, HDF5 at the end, and ranks: the same bytes."""
        in_rank = [("weft", (0, 2), []), ("hdf5", (0, None), ["do=hdf5", "threads=2"]),
                   ("hdf5", (0, None), ["threads=2"])]
        over_ranks = [("mpi", (2, None), [f"do={what}"])
                      for what in ("counter", "factoring", "master")]
        for words, runs in ((["work=mandelbrot", "rows=9"], in_rank + over_ranks),
                            *[(["work=coast", "rows=6"], in_rank)] * GSHHG):
            by_weft, by_hand = {}, {}
            for program, layout, more in runs:
                folder = self.path("-".join([program, *more]))
                os.mkdir(folder)
                self.run_well(os.path.join(os.path.dirname(BENCH), "bench-" + program), *words,
                              *more, layout=layout, cwd=folder)
                for name in os.listdir(folder):
                    path = os.path.join(folder, name)
                    if name.endswith(".h5"):
                        by_weft = by_weft or datasets(path)
                        self.assertLessEqual(datasets(path).items(), by_weft.items())
                    elif name.startswith("by-hand-"):
                        with open(path, "rb") as file:
                            by_hand[name[8:]] = digest(file.read())
                self.assertLessEqual(by_hand.items(), by_weft.items())
                shutil.rmtree(folder)
            self.assertTrue(by_hand)

    def test_sides_draw_the_same_paths(self):
        """What a path pays on average, but for how sums are rounded."""
        means = []
        for program, layout, do in (("weft", (0, 2), "paths"), ("paths", (0, None), "static"),
                                    ("paths", (2, None), "dynamic")):
            folder = self.path(f"{program}-{do}")
            os.mkdir(folder)
            self.run_well(os.path.join(os.path.dirname(BENCH), "bench-" + program), f"do={do}",
                          "rows=3", "items=1001", layout=layout, cwd=folder)
            with open(os.path.join(folder, "report"), encoding="ascii") as file:
                means += [json.loads(line)["value"] for line in file]
        self.assertEqual(len(means), 4)
        for mean in means:
            self.assertAlmostEqual(mean, means[0], delta=1e-7 * means[0])

    def test_metg_and_scaling(self):
        """On a busy machine half of the peak may be out of reach."""
        ending = self.start(BENCH, *self.words("--only", "metg,scaling", "--check"),
                            layout=(0, None)).finish()
        self.assert_ended(ending, 0, 1, 3)
        self.assertRegex(ending.out, r"METG\(50 %\).*\n  (weft .*us|NOT MEASURED)")
        self.assertIn("strong scaling, uniform, 1 x 1\n  weft ", ending.out)

    def test_what_cannot_be_measured(self):
        """A process that fails, one that says nothing, one that lies, and one that lacks a rank."""
        line = '{"rank": 0, "begin": 2, "end": %s, "cpu": 1, "peak": 1, "items": %d, "all": 9, ' \
               '"value": null}'
        for does in ("exit 1", "exit 0", f"echo '{line % ('1', 9)}' >report",
                     f"echo '{line % ('NaN', 9)}' >report", f"echo '{line % ('3', 8)}' >report",
                     f"echo '{(line % ('3', 9)).replace(': 0', ': 1')}' >report"):
            with self.subTest(does=does):
                folder = self.path("programs")
                shutil.copytree(os.path.dirname(BENCH), folder, ignore=lambda _, names: [
                    name for name in names if not name.startswith(("weft-bench", "bench"))])
                with open(os.path.join(folder, "bench-weft"), "w", encoding="ascii") as file:
                    file.write(f"#!/bin/sh\n{does}\n")
                ending = self.start(os.path.join(folder, "weft-bench"),
                                    *self.words("--only", "failures", "--check"),
                                    layout=(0, None)).finish()
                shutil.rmtree(folder)
                self.assert_ended(ending, 3)
                self.assertIn("a million failed items\n  NOT MEASURED: weft: ", ending.out)

    def test_noise(self):
        """A goal is missed by more than the noise if the better quartile misses it, too."""
        judge = module().judge
        for values, verdict in (([1, 2, 3, 9, 9], "met"), ([1, 2, 4, 9, 9], "within noise"),
                                ([1, 4, 4, 9, 9], "MISSED"), ([3], "met"), ([4], "MISSED")):
            self.assertEqual(judge(values, 3), verdict, values)

    def test_bad_usage(self):
        for words in (["--only", "speed"], ["--workload", "easy"], ["--technique", "guess"],
                      ["--ranks", "1"], ["--rounds", "0"], ["--scale", "nan"], ["more"],
                      ["--json", self.path("missing/x.json")]):
            with self.subTest(words=words):
                ending = self.start(BENCH, *self.words(*words), layout=(0, None)).finish()
                self.assert_ended(ending, 2)
                self.assertIn(words[-1], ending.err)

    @staticmethod
    def ranks(launch):
        """The processes that measure, under mpirun."""
        found = []
        for pid in launch.members():
            try:
                with open(f"/proc/{pid}/comm", encoding="ascii") as file:
                    found += [pid] * (file.read() == "bench-weft\n")
            except OSError:
                pass
        return [pid for pid in found if stat_of(pid)]

    def test_interrupted(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            launch = self.start(BENCH, *self.words("--only", "handout", scale=20),
                                layout=(0, None))
            launch.wait_for(lambda now=launch: len(self.ranks(now)) == 2, "two ranks")
            strike(launch.pid, number)
            # finish() fails if anything is left of the session.
            ending = launch.finish(20)
            self.assertEqual(ending.status, 128 + number, str(ending))
            self.assertEqual(os.listdir(self.folder), ["bench.json"])


if __name__ == "__main__":
    main()
