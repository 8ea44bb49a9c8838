# SPDX-License-Identifier: BSD-3-Clause
"""weft-bench, at sizes that measure nothing: every measurement comes to its rows, and an end."""

import json
import os
import signal
import struct

from launch import SystemTest, main, needs, stat_of

BENCH = os.environ.get("PROGRAM_bench")
CORES = len(os.sched_getaffinity(0))
GSHHG = os.environ.get("GSHHG_DIR", "")


def positive(value):
    return isinstance(value, (int, float)) and value > 0


@needs(BENCH, "weft-bench")
class Bench(SystemTest):
    def words(self, *more, repeat=1, scale=0.001):
        return [BENCH, "--scale", str(scale), "--repeat", str(repeat), "--dir", self.folder,
                "--json", self.path("bench.json"), *more]

    def measure(self, *more, **sizes):
        """The rows of a measurement, after a look at what all rows have."""
        ending = self.run_well(*self.words(*more, **sizes), layout=(0, None))
        with open(self.path("bench.json"), encoding="utf-8") as file:
            said = json.load(file)
        self.assertEqual(said["cores"], CORES)
        for row in said["rows"]:
            self.assertIn(row["what"], ending.out)
            self.assertTrue(positive(row["weft"]), row)
            self.assertTrue(positive(row["ranks"]) and positive(row["workers"]), row)
            self.assertLessEqual(row["min"], row["max"])
            if row["alternative"] is not None:
                self.assertTrue(positive(row["alternative"]), row)
                self.assertTrue(row["min"] <= row["ratio"] <= row["max"], row)
            self.assertEqual(row["goal"] is None, "met" not in row)
        left = set(os.listdir(self.folder)) - {"bench.json", "bench.png"}
        self.assertEqual(left, set(), "scratch files")
        return said["rows"], ending.out

    def test_within_a_rank(self):
        names = ["span", "mandelbrot", "write", "isolate"] + ["coast"] * os.path.isdir(GSHHG)
        rows, _ = self.measure("--only", ",".join(names))
        self.assertEqual({row["measurement"] for row in rows}, set(names))
        self.assertEqual(len(rows), 2 + 2 + 3 + 2 + 2 * ("coast" in names))

    def test_hand_outs(self):
        rows, _ = self.measure("--only", "handout,metg", "--ranks", "3")
        layouts = [(row["measurement"], row["ranks"]) for row in rows]
        self.assertEqual(layouts, [("metg", 1)] + 2 * [("metg", 3)] + 2 * [("handout", 3)])
        for row in rows:
            self.assertEqual("on" in row["what"].split(", ")[1], row["ranks"] > CORES, row)

    def test_techniques(self):
        workloads = ["uniform", "increasing", "decreasing", "exponential", "bimodal", "giant",
                     "mandelbrot"]
        image = self.path("bench.png")
        rows, out = self.measure("--only", "schedule", "--workload", ",".join(workloads),
                                 "--image", image, repeat=2)
        techniques = [row["technique"] for row in rows if row["workload"] == "uniform"]
        self.assertLessEqual({"static", "ss", "gss", "fac2"}, set(techniques))
        self.assertEqual([(row["workload"], row["technique"]) for row in rows],
                         [(each, name) for each in workloads for name in techniques])
        for each in workloads:
            to_best = [row["to_best"] for row in rows if row["workload"] == each]
            self.assertEqual(min(to_best), 1)
        self.assertTrue(all(0 <= row["imbalance"] <= 1 for row in rows), rows)
        self.assertTrue(all(row["ranks"] >= 2 for row in rows))
        overview = out.split("Time over that of the best technique:\n")[1].splitlines()
        self.assertEqual(overview[0].split(), workloads)
        self.assertEqual([line.split("  ")[0].strip() for line in overview[1:len(techniques) + 2]],
                         ["by hand", *techniques])
        with open(image, "rb") as file:
            head = file.read(24)
        self.assertEqual(head[:8], b"\x89PNG\r\n\x1a\n")
        width, height = struct.unpack(">II", head[16:])
        self.assertGreater(width, 130 * len(workloads))
        self.assertGreater(height, 20 * len(techniques))

    def test_one_rank_slowed(self):
        rows, _ = self.measure("--only", "slow", "--technique", "ss,fac2", scale=0.05)
        self.assertEqual([(row["workload"], row["technique"]) for row in rows],
                         [(f"uniform, {trouble}", name) for trouble in ("spin", "stop")
                          for name in ("ss", "fac2")])

    def test_scaling(self):
        rows, _ = self.measure("--only", "scaling", scale=0.01)
        self.assertEqual((rows[0]["ranks"], rows[0]["workers"]), (1, 1))
        for row in rows:
            self.assertTrue(positive(row["efficiency"]), row)
            self.assertTrue(positive(row["efficiency_alternative"]), row)
        layouts = {(row["ranks"], row["workers"]) for row in rows}
        if CORES > 1:
            self.assertLessEqual({(1, 2), (2, 1)}, layouts)

    def test_from_within_another_job(self):
        """It starts jobs of its own, also where it has been started by mpirun itself."""
        self.run_well(*self.words("--only", "span,handout", "--ranks", "2"), layout=(1, None))
        with open(self.path("bench.json"), encoding="utf-8") as file:
            self.assertEqual(len(json.load(file)["rows"]), 4)

    def test_bad_usage(self):
        for words in (["--only", "speed"], ["--workload", "easy"], ["--technique", "guess"],
                      ["--ranks", "1"], ["--repeat", "0"], ["--seed", "-1"], ["more"],
                      ["--slow-rank", "x"], ["--image", self.path("missing/x.png")]):
            with self.subTest(words=words):
                ending = self.start(*self.words(*words), layout=(0, None)).finish()
                self.assert_ended(ending, 2)
                self.assertIn(words[-1], ending.err)

    def end_early(self, number, *more):
        launch = self.start(*self.words(*more, scale=20), layout=(0, None))
        launch.wait_for(lambda: len(self.ranks(launch)) == 2, "two ranks")
        os.kill(launch.pid, number)
        # finish() fails if anything is left of the session.
        ending = launch.finish(20)
        self.assertEqual(ending.status, 128 + number, str(ending))
        self.assertLessEqual(set(os.listdir(self.folder)), {"bench.json"})

    @staticmethod
    def ranks(launch):
        """The processes that were started as ranks, without those that disturb them. Open MPI 5's
        mpirun becomes prterun."""
        found = []
        for pid in launch.members():
            stat = stat_of(pid)
            try:
                with open(f"/proc/{stat[1]}/cmdline", "rb") as file:
                    parent = file.read()
            except (OSError, TypeError):
                continue
            found += [pid] * parent.startswith((b"mpirun\0", b"prterun\0"))
        return found

    def test_interrupted(self):
        self.end_early(signal.SIGINT, "--only", "schedule", "--workload", "uniform")
        self.end_early(signal.SIGTERM, "--only", "handout", "--ranks", "2")

    def test_interrupted_while_slowed(self):
        self.end_early(signal.SIGINT, "--only", "slow", "--workload", "uniform")


if __name__ == "__main__":
    main()
