# SPDX-License-Identifier: BSD-3-Clause
"""weft status on results in every state: what it says for people and for programs."""

import os
import re
import signal
import subprocess
import unittest

import results
from cli import CliTest
from faults import FAULTY, faulty
from launch import CLOSING, KNOWN, SAFE_LIMIT_S, WEFT, main, needs, shares, strike



@needs(WEFT and KNOWN, "weft")
class Status(CliTest):
    def test_complete(self):
        path = self.make("--count", 1000, "--grain", 7, "--seed", 42, layout=(2, 2))
        said = self.status(path)
        expected = {"file": path, "state": "complete", "map": "known", "shape": [1000],
                    "count": 1000, "grain": 7, "tiles": 143, "seed": 42, "percent": 100,
                    "items_done": 1000, "items_failed": 0, "tiles_done": 143, "tiles_damaged": 0,
                    "in_use": False, "used_by": "", "items_per_s": None, "remaining_s": None,
                    "silence_s": None, "failures": []}
        self.assertEqual({name: said[name] for name in expected}, expected)
        self.assertEqual(said["fields"], [
            {"name": "hash", "type": "uint64", "shape": [], "item_bytes": 8},
            {"name": "pair", "type": "float64", "shape": [2], "item_bytes": 16},
            {"name": "remainder", "type": "uint8", "shape": [], "item_bytes": 1}])
        self.assert_runs(path, said)
        self.assertTrue(self.weft("status", path).out.startswith(f"{path}: complete\n"))

    def assert_runs(self, path, said):
        """The table of runs, as h5py reads it."""
        rows = results.runs(path)
        self.assertEqual(len(said["runs"]), len(rows))
        for run, row in zip(said["runs"], rows):
            for name in ("ranks", "workers", "hosts", "cores", "items", "failed",
                         "duplicates"):
                self.assertEqual(run[name], row[name], name)
            for name in ("start", "end", "busy", "cpu", "wait"):
                self.assertEqual(run[f"{name}_s"], row[name], name)
            self.assertEqual(run["duration_s"], row["end"] - row["start"])
            self.assertAlmostEqual(run["efficiency"] * run["duration_s"] * run["workers"],
                                   run["busy_s"])
            self.assert_states(run, row)
            self.assertEqual(run["command"], row["command"].decode())
            self.assertEqual(run["host_names"], row["host_names"].decode())

    COLUMNS = {"computing": "computing", "waiting_for_disk": "disk", "waiting_for_work": "work",
               "elsewhere": "elsewhere"}

    def assert_states(self, run, row):
        """Each worker is in one state for all of the run."""
        states = run["states"]
        self.assertEqual({name: state["seconds"] for name, state in states.items()},
                         {name: row[column] for name, column in self.COLUMNS.items()})
        self.assertEqual({name: state["workers_now"] for name, state in states.items()},
                         {name: row[f"{column}_now"] for name, column in self.COLUMNS.items()})
        self.assertEqual(sum(state["percent"] for state in states.values()), 100)
        self.assertAlmostEqual(sum(state["seconds"] for state in states.values()),
                               run["workers"] * run["duration_s"], places=4)

    def workers_now(self, path):
        run = self.status(path)["runs"][-1]
        return {name: state["workers_now"] for name, state in run["states"].items()
                if state["workers_now"] > 0}

    def test_states(self):
        """One worker waits at a gate in the kernel; there is nothing left for the others."""
        for layout in ((0, 1), (0, 2), (2, 1), (2, 3)):
            with self.subTest(layout=layout):
                path = self.path("{}x{}.h5".format(*layout))
                others = max(layout[0], 1) * layout[1] - 1
                expected = {"computing": 1, "waiting_for_work": others}
                launch = self.start(KNOWN, "--out", path, "--count", 1, "--impure", "--sync", 0,
                                    *self.gated(items=[0]), layout=layout)
                launch.wait_for(lambda: os.path.exists(path), "the file")
                launch.wait_for(lambda: self.workers_now(path) ==
                                {name: count for name, count in expected.items() if count},
                                "one worker in the kernel")
                waiting = f", {others} waiting for work" if others else ""
                self.assertIn(f"\nworkers  1 computing{waiting} now\ntime     ",
                              self.weft("status", path).out)
                self.open_gate()
                ending = launch.finish()
                self.shut_gate()
                self.assert_ended(ending)
                run, = self.status(path)["runs"]
                self.assert_states(run, results.runs(path)[0])
                self.assertEqual(self.workers_now(path), {})
                # The same words where the run ends, and in what it has left.
                said, = CLOSING.findall(ending.err)
                self.assertIn(f"\ntime     {said}\n", self.weft("status", path).out)
                self.assertEqual(shares(said), {name.replace("for_disk", "for_the_disk")
                                                .replace("_", " "): state["percent"]
                                                for name, state in run["states"].items()
                                                if state["percent"] > 0})

    def test_the_driver_computes(self):
        """Without workers: the thread that computes says nothing meanwhile, and then all of it."""
        path = self.path()
        for layout in ((0, 0), (2, 0)):
            with self.subTest(layout=layout):
                ending = self.run_well(KNOWN, "--out", path, "--fresh", "--count", 200, "--item-us",
                                       2000, layout=layout)
                said, = CLOSING.findall(ending.err)
                self.assertIn("computing", shares(said))
                self.assert_states(self.status(path)["runs"][0], results.runs(path)[0])

    @unittest.skipUnless(FAULTY, "faulty.so is not built here")
    def test_a_slow_disk(self):
        """What is computed in no time is written for long."""
        for layout in ((0, 1), (2, 1)):
            with self.subTest(layout=layout):
                path = self.path("{}x{}.h5".format(*layout))
                ending = self.run_well(KNOWN, "--out", path, "--count", 40, "--grain", 1, "--sync", 0,
                                       layout=layout,
                                       env=faulty("call=pwrite,delay=0.05"))
                said, = CLOSING.findall(ending.err)
                states = self.status(path)["runs"][0]["states"]
                self.assertGreater(states["waiting_for_disk"]["seconds"],
                                   states["computing"]["seconds"], said)
                self.assertIn("waiting for the disk", shares(said))

    def test_nothing_to_do(self):
        said = self.status(self.make("--count", 0))
        self.assertEqual((said["state"], said["percent"]), ("complete", 100))

    def test_failed_items(self):
        words = ["--count", 300, "--grain", 10, "--error", "5"]
        path = self.make(*words, "--fail", ",".join(map(str, range(100, 125))), status=3)
        said = self.status(path)
        self.assertEqual(said["state"], "complete_with_failed_items")
        self.assertEqual((said["items_done"], said["items_failed"]), (300, 26))
        self.assertEqual(said["runs"][0]["outcome"], "failed items")
        self.assertEqual({each["item"]: (each["code"], each["text"]) for each in said["failures"]},
                         results.failures(path))
        text = self.weft("status", path).out
        self.assertIn("complete with failed items", text)
        self.assertIn("--retry-failed", text)
        self.assertEqual(text.count("this item fails on purpose"), 20 - ("  7  " in text))
        self.assertIn("and 6 more", text)
        self.make(*words[:4], "--retry-failed")
        self.assertEqual(self.status(path)["state"], "complete")

    def test_running_killed_and_resumed(self):
        path, words = self.path(), ["--count", 400, "--grain", 1, "--out", self.path()]
        # The last item waits longer than any look takes.
        launch = self.start(KNOWN, *words, "--item-us", 20000, "--civil", 399, "--slow-s", 300,
                            layout=(1, 1))
        launch.wait_for(lambda: os.path.exists(path), "the file")
        launch.wait_for(lambda: self.is_under_way(path), "a running job with a rate")
        text = self.weft("status", path).out
        if launch.process.poll() is None:
            self.assertRegex(text, rf"\A{re.escape(path)}: running, [\d.]+ % done, about .* left\n")
        for pid in launch.ranks():
            strike(pid, signal.SIGKILL)
        launch.finish()
        said = self.status(path)
        self.assertEqual(said["state"], "interrupted")
        self.assertEqual([run["outcome"] for run in said["runs"]], ["killed"])
        self.assertEqual(said["items_done"], results.done_items(path).sum())
        self.assertEqual(said["runs"][0]["items"], said["items_done"])
        text = self.weft("status", path).out
        self.assertIn("interrupted", text.splitlines()[0])
        self.assertIn("run the same command again to continue", text.splitlines()[0])
        self.assertIn(f"command  {said['runs'][0]['command']}\n", text)
        self.run_well(KNOWN, *words)
        said = self.status(path)
        self.assertEqual(said["state"], "complete")
        self.assertEqual([run["outcome"] for run in said["runs"]], ["killed", "complete"])

    def tiles(self, path):
        """How many are done, leased, and neither, as h5py reads them."""
        with results.open_result(path) as file:
            done = file["weft/known/tiles"]["state"] != 0
            leased = (file["weft/known/leases"][()] != 0) & ~done
        return int(done.sum()), int(leased.sum()), int((~done & ~leased).sum())

    def agrees(self, path):
        """Whether nothing has changed while weft status looked; then it must agree."""
        before, said, after = self.tiles(path), self.status(path), self.tiles(path)
        if before == after:
            self.assertEqual((said["tiles_done"], said["tiles_leased"], said["tiles_ready"]),
                             before)
        return before == after and before[1] > 0 and before[0] > 0

    def test_tiles_and_maps(self):
        """Tiles that ranks have been given; maps that the run is at, will come to, has not reached."""
        path = self.path()
        one = ["--out", path, "--count", 4000, "--grain", 1, "--civil", "7,3999", "--slow-s", 600,
               "--sync", 0]
        launch = self.start(KNOWN, *one, layout=(0, 2))
        launch.wait_for(lambda: os.path.exists(path) and self.agrees(path), "leased tiles")
        self.assertRegex(self.weft("status", path).out,
                         r"\ntiles +\d+ of 4000 done, [1-9]\d* leased, \d+ ready, grain 1\n")
        for pid in launch.ranks():
            os.kill(pid, signal.SIGKILL)
        launch.finish()
        said = self.status(path)
        self.assertEqual((said["tiles_leased"], said["tiles_ready"]), (0, 0))
        os.unlink(path)
        launch = self.start(KNOWN, *one, "--maps", 3, layout=(0, 2))
        launch.wait_for(lambda: os.path.exists(path) and self.states(path)[0] == "running",
                        "the first map")
        self.assertEqual(self.states(path), ["running", "waiting", "waiting"])
        os.kill(launch.ranks()[0], signal.SIGKILL)
        launch.finish()
        self.assertEqual(self.states(path), ["interrupted", "not_begun", "not_begun"])
        self.assertIn("not begun; run the same command again", self.weft("status", path).out)

    def tile_counts(self, path):
        """Of each map: blocked, ready, leased, done, of all."""
        return [tuple(each[f"tiles_{state}"] for state in ("blocked", "ready", "leased", "done"))
                for each in self.status(path)["maps"]]

    def test_maps_that_wait_for_another(self):
        """Their tiles are blocked until what they need is complete, and ready from then on."""
        path, gate = self.path(), self.path("gate")
        words = ["--out", path, "--count", 40, "--grain", 10, "--maps", 3, "--sync", 0]
        launch = self.start(KNOWN, *words, "--chain", "--gate", gate, "--gated", 3, layout=(0, 1))
        launch.wait_for(lambda: os.path.exists(path) and self.tile_counts(path)[0][2] > 0,
                        "a leased tile")
        first, second, third = self.tile_counts(path)
        self.assertEqual((first[0], sum(first)), (0, 4))
        self.assertEqual((second, third), ((4, 0, 0, 0), (4, 0, 0, 0)))
        said = self.status(path)["maps"]
        self.assertEqual([each["needs"] for each in said], [[], ["known-0"], ["known-1"]])
        text = self.weft("status", path, "--map", "known-1").out
        self.assertIn("\ntiles    0 of 4 done, 4 blocked, grain 10\n", text)
        self.assertIn("\nneeds    known-0\n", text)
        for pid in launch.ranks():
            strike(pid, signal.SIGKILL)
        launch.finish()
        self.assertEqual([each[:3] for each in self.tile_counts(path)], [(0, 0, 0)] * 3)
        # A program that says less of what it needs goes on; the file keeps what it was made with.
        with open(gate, "w", encoding="ascii"):
            pass
        self.run_well(KNOWN, *words)
        self.assertEqual(self.tile_counts(path), [(0, 0, 0, 4)] * 3)
        self.assertEqual(self.status(path)["maps"][2]["needs"], ["known-1"])

    def test_maps_that_wait_for_their_turn(self):
        """What a map does not need does not block it; nor is it in the way of older files, which do
        not say what their maps need."""
        path, gate = self.path(), self.path("gate")
        words = ["--out", path, "--count", 40, "--grain", 10, "--maps", 2, "--sync", 0]
        launch = self.start(KNOWN, *words, "--gate", gate, "--gated", 3, layout=(0, 1))
        launch.wait_for(lambda: os.path.exists(path) and self.tile_counts(path)[0][2] > 0,
                        "a leased tile")
        self.assertEqual(self.tile_counts(path)[1], (0, 4, 0, 0))
        self.assertIn(" 0 of 4 done, 4 ready, ", self.weft("status", path, "--map", "known-1").out)
        self.assertNotIn("\nneeds ", self.weft("status", path).out)
        with results.open_result(path) as file:
            self.assertNotIn("needed maps", file["weft/known-1/job"].attrs)
        with open(gate, "w", encoding="ascii"):
            pass
        self.assertEqual(launch.finish().status, 0)
        self.run_well(KNOWN, *words, "--chain")
        self.assertEqual(self.tile_counts(path), [(0, 0, 0, 4)] * 2)

    def states(self, path):
        return [each["state"] for each in self.status(path)["maps"]]

    def test_watch(self):
        """Renews itself as long as a run has the file, and no longer."""
        path, seen = self.path(), self.path("seen")
        launch = self.start(KNOWN, "--out", path, "--count", 40, "--grain", 1, "--civil", 3,
                            "--slow-s", 600, layout=(0, 1))
        launch.wait_for(lambda: os.path.exists(path) and self.status(path)["tiles_leased"] > 0,
                        "the slow item")
        with open(seen, "w", encoding="utf-8") as file:
            watch = subprocess.Popen([WEFT, "status", path, "--watch"], stdout=file)
        self.addCleanup(watch.kill)
        launch.wait_for(lambda: self.read(seen).count(f"{path}: running, ") >= 2, "two looks")
        self.assertIsNone(watch.poll())
        os.kill(launch.ranks()[0], signal.SIGTERM)
        launch.finish()
        self.assertEqual(watch.wait(timeout=SAFE_LIMIT_S), 0)
        last = self.read(seen).split("\n\n\n")[-1]
        self.assertTrue(last.startswith(f"{path}: interrupted, "), last)
        ending = self.weft("status", path, "--watch", "--json", status=2)
        self.assertIn("--watch", ending.err)

    def read(self, path):
        with open(path, encoding="utf-8") as file:
            return file.read()

    def is_under_way(self, path):
        said = self.status(path)
        self.assertIn(said["state"], ("running", "complete"))
        self.assertEqual(said["in_use"], said["state"] == "running")
        if said["state"] == "complete" or said["items_per_s"] is None:
            return False
        self.assertIn("pid", said["used_by"])
        self.assertGreater(said["items_per_s"], 0)
        self.assertGreater(said["remaining_s"], 0)
        self.assertLess(said["percent"], 100)
        self.assertEqual(said["runs"][-1]["outcome"], "running")
        return True

    def test_stopped(self):
        path = self.path()
        launch = self.start(KNOWN, "--out", path, "--count", 1000, "--grain", 1, "--item-us",
                            20000, "--sync", 0, *self.gated(after=50))
        launch.wait_for(lambda: os.path.exists(path) and self.status(path)["items_done"] > 0,
                        "the first item")
        strike(launch.pid, signal.SIGTERM)
        self.assertEqual(launch.finish().status, 75)
        said = self.status(path)
        self.assertEqual((said["state"], said["runs"][0]["outcome"]), ("interrupted", "stopped"))

    def all_there_is(self, path):
        with open(path, "rb") as file:
            return file.read(), os.stat(path).st_mtime_ns, os.listdir(self.folder)

    def test_nothing_is_written(self):
        path = self.make("--count", 100)
        before = self.all_there_is(path)
        for words in (["status"], ["status", "--json"], ["verify"]):
            self.weft(*words, path)
            self.assertEqual(self.all_there_is(path), before)

    def test_many_runs(self):
        for _ in range(22):
            path = self.make("--count", 10000, "--fail", 3, "--retry-failed", status=3)
        self.assertEqual(len(self.status(path)["runs"]), 22)
        text = self.weft("status", path).out
        self.assertIn("and 2 earlier", text)
        numbers = re.findall(r"^ *(\d+)  \d{4}-", text, re.MULTILINE)
        self.assertEqual(numbers, [str(number) for number in range(3, 23)])

    def test_text_that_a_terminal_would_obey(self):
        for label in ("\x1b[31mred", "a\nb\tc\x7f", "\udcff\udcc3", "\u009b31m", "é" * 150):
            with self.subTest(label=ascii(label)):
                path = self.make("--count", 3, "--label", label, "--fresh")
                command = self.status(path)["runs"][0]["command"]
                text = self.weft("status", path).out
                self.assertIn(command, text)
                for character in text + command:
                    self.assertTrue(character == "\n" or character.isprintable(), ascii(text))
                    self.assertNotEqual(character, "\ufffd")

    def test_stdout_that_takes_nothing(self):
        path = self.make("--count", 3)
        for words in (["status"], ["status", "--json"], ["verify"]):
            with self.subTest(words=words):
                self.assert_needs_stdout(*words, path)


if __name__ == "__main__":
    main()
