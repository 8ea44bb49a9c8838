# SPDX-License-Identifier: BSD-3-Clause
"""weft plan: what it says of finished, half-finished and running jobs, and of wrong questions."""

import json
import os
import signal
import struct
import zlib

import results
from cli import CliTest
from launch import KNOWN, WEFT, main, needs, strike

SCHEDULES = 20


@needs(WEFT and KNOWN, "weft")
class Plan(CliTest):
    def plan(self, path, *arguments):
        return json.loads(self.weft("plan", path, "--json", *arguments).out)

    def make_slow(self, *arguments, **options):
        """200 items of 5 ms, which need no core."""
        return self.make("--count", 200, "--grain", 1, "--item-us", 5000, *arguments, **options)

    def layouts(self, said):
        return [(row["ranks"], row["workers"]) for row in said["predictions"]]

    def test_complete(self):
        path = self.make_slow(layout=(0, 4))
        said = self.plan(path, "--ranks", "1,2", "--threads", "1-3")
        self.assertEqual(self.layouts(said), [(1, 1), (1, 2), (1, 3), (2, 1), (2, 2), (2, 3)])
        expected = {"file": path, "map": "known", "count": 200, "grain": 1, "tiles": 200,
                    "tiles_measured": 200, "tiles_missing": 0, "ranks": 1, "workers": 4,
                    "runs_compared": 1}
        self.assertEqual({name: said[name] for name in expected}, expected)
        seconds = results.tiles(path)["seconds"]
        # What was measured, less the time for which workers waited for a core that others had.
        self.assertLess(said["work_s"], (1 + 1e-6) * seconds.sum())
        self.assertGreater(said["work_s"], 0.5 * seconds.sum())
        self.assertAlmostEqual(said["longest_s"] / seconds.max(), said["work_s"] / seconds.sum())
        self.assertLess(said["cpu_share"], 0.5)
        for row in said["predictions"]:
            self.assert_sound(said, row)
            self.assertEqual(row["remaining_s"], 0)
            self.assertIsNone(row["cores"])
        one, many = said["predictions"][0], said["predictions"][-1]
        self.assertGreater(one["makespan_s"], 0.75 * said["work_s"])
        self.assertLess(many["makespan_s"], one["makespan_s"] / 4)

    def assert_sound(self, said, row):
        workers = row["ranks"] * row["workers"]
        self.assertLessEqual(row["makespan_low_s"], row["makespan_s"])
        self.assertLessEqual(row["makespan_s"], row["makespan_high_s"])
        self.assertLessEqual(row["remaining_low_s"], row["remaining_s"])
        self.assertLessEqual(row["remaining_s"], row["remaining_high_s"])
        self.assertAlmostEqual(row["efficiency"] * workers * row["makespan_s"], said["work_s"])
        self.assertGreaterEqual(row["replicates"], 1)
        self.assertGreater(row["chunks"], 0)

    def test_text(self):
        path = self.make_slow(layout=(0, 4))
        text = self.weft("plan", path).out.splitlines()
        self.assertRegex(text[0], rf"^{path}: \d+ ranks? x 4 workers: [\d.]+ .*, \d+ %")
        self.assertIn("200 items in 200 tiles", text[2])
        rows = [line.split() for line in text if " x " in line and " auto " in line]
        self.assertEqual([row[:3] for row in rows],
                         [[str(1 << i), "x", "4"] for i in range(9)])
        # 1024 workers for 200 tiles.
        self.assertIn("tile", rows[-1][-2:][0] + rows[-1][-1])
        self.assertIn("limited by", "".join(text))

    def test_all_schedules(self):
        path = self.make_slow(layout=(0, 4))
        said = self.plan(path, "--ranks", "3", "--threads", "2", "--schedule", "all")
        names = [row["schedule"] for row in said["predictions"]]
        self.assertGreaterEqual(len(set(names)), SCHEDULES)
        self.assertEqual(names[0], "auto")
        said = self.plan(path, "--ranks", "3", "--schedule", "gss,static")
        self.assertEqual([row["schedule"] for row in said["predictions"]], ["gss", "static"])

    def test_same_answer_again(self):
        path = self.make_slow("--slow", "7", "--slow-s", 0.3, layout=(2, 2))
        self.assertEqual(self.plan(path), self.plan(path))

    def test_a_long_item(self):
        path = self.make_slow("--slow", "100", "--slow-s", 1, layout=(0, 4))
        said = self.plan(path, "--ranks", "1,16,64", "--threads", "4")
        self.assertGreater(said["longest_s"], 0.5)
        last = said["predictions"][-1]
        # On a busy machine the run itself is the measure, and it makes this less exact.
        self.assertGreater(last["makespan_s"], 0.6 * said["longest_s"])
        self.assertEqual(last["limit"], "the longest tile")
        self.assertIn("the longest item alone takes", said["advice"])

    def test_cores(self):
        path = self.make("--count", 200, layout=(0, 1))
        free = self.plan(path, "--ranks", "4", "--threads", "1")
        self.assertEqual(self.plan(path, "--ranks", "4", "--threads", "1", "--cores", "2.5")
                         ["predictions"][0]["cores"], 2.5)
        self.assertGreaterEqual(len(free["predictions"]), 1)

    def test_items(self):
        path = self.make_slow(layout=(0, 4))
        once = self.plan(path, "--ranks", "2", "--threads", "2")
        often = self.plan(path, "--ranks", "2", "--threads", "2", "--items", "2000")
        self.assertEqual((often["count"], often["tiles"], often["grain"]), (2000, 2000, 1))
        self.assertAlmostEqual(often["work_s"] / once["work_s"], 10, delta=1e-6)
        row = often["predictions"][0]
        self.assertAlmostEqual(row["remaining_s"], row["makespan_s"])
        far = self.plan(path, "--ranks", "1000", "--threads", "100", "--items", "1e9")
        self.assertEqual(far["count"], 10**9)
        self.assertLessEqual(far["tiles"], 1 << 20)

    def test_half_finished(self):
        path = self.path()
        launch = self.start(KNOWN, "--out", path, "--count", 2000, "--grain", 1, "--item-us", 5000,
                            "--sync", 0, *self.gated(after=200), layout=(0, 4))
        launch.wait_for(lambda: os.path.exists(path) and self.is_planned(path), "a plan")
        strike(launch.pid, signal.SIGTERM)
        self.assertEqual(launch.finish().status, 75)
        said = self.plan(path, "--ranks", "1,2", "--threads", "2")
        done = int(results.done_items(path).sum())
        self.assertEqual((said["tiles_measured"], said["tiles_missing"]), (done, 2000 - done))
        self.assertEqual(said["runs_compared"], 0)
        for row in said["predictions"]:
            self.assert_sound(said, row)
            self.assertGreater(row["remaining_s"], 0)
            self.assertLess(row["remaining_s"], row["makespan_s"])
        self.assertIn("left", self.weft("plan", path).out)

    def is_planned(self, path):
        """While the job runs: nothing yet, or a plan for what is known."""
        if self.status(path)["items_done"] < 50:
            return False
        said = self.plan(path, "--ranks", "1", "--threads", "4")
        self.assertGreater(said["tiles_missing"], 0)
        return True

    def test_nothing_is_written(self):
        path = self.make_slow(layout=(0, 4))
        with open(path, "rb") as file:
            before = file.read(), os.stat(path).st_mtime_ns, os.listdir(self.folder)
        self.plan(path)
        with open(path, "rb") as file:
            after = file.read(), os.stat(path).st_mtime_ns, os.listdir(self.folder)
        self.assertEqual(before, after)

    def test_a_picture(self):
        path = self.make_slow(layout=(0, 4))
        image = os.path.join(self.folder, "plan.png")
        self.weft("plan", path, "--image", image, "--schedule", "auto,static")
        with open(image, "rb") as file:
            data = file.read()
        self.assertEqual(data[:8], b"\x89PNG\r\n\x1a\n")
        width, height = struct.unpack(">II", data[16:24])
        self.assertTrue(width > 100 and height > 100)
        self.assertGreater(len(set(self.pixels(data))), 10)

    def test_a_picture_of_what_slows_down(self):
        """A speed-up far below 1 is drawn within the axes."""
        path = self.make("--count", 200, "--grain", 1)
        image = os.path.join(self.folder, "plan.png")
        said = self.plan(path, "--image", image, "--ranks", "1,8", "--threads", "1")
        for row in said["predictions"]:
            self.assertLess(said["work_s"], row["makespan_s"] / 2)
        with open(image, "rb") as file:
            rows = self.rows(self.pixels(file.read()), 900, 640)
        blue = bytes((0x1f, 0x62, 0xb0))
        drawn = [y for y in range(150, 640) for x in (*range(95, 106), *range(815, 829))
                 if rows[y][3 * x:3 * x + 3] == blue]
        self.assertGreater(len(drawn), 20)
        self.assertLess(max(drawn), 566)

    def rows(self, filtered, width, height):
        """The lines of a picture in three bytes a pixel, of which each is kept as what it is more
        than a guess from those around it."""
        line = 3 * width
        self.assertEqual(len(filtered), height * (line + 1))
        before, rows = bytearray(line + 3), []
        for y in range(height):
            kind, now = filtered[y * (line + 1)], bytearray(line + 3)
            for i, more in enumerate(filtered[y * (line + 1) + 1:(y + 1) * (line + 1)], 3):
                left, up, corner = now[i - 3], before[i], before[i - 3]
                near = min((left, up, corner), key=lambda each: abs(left + up - corner - each))
                now[i] = (more + (0, left, up, (left + up) // 2, near)[kind]) % 256
            before = now
            rows.append(bytes(now[3:]))
        return rows

    def pixels(self, data):
        """The bytes of the picture, as libpng compressed them: enough to tell it from blank."""
        at, packed = 8, b""
        while at < len(data):
            length, kind = struct.unpack(">I4s", data[at:at + 8])
            packed += data[at + 8:at + 8 + length] if kind == b"IDAT" else b""
            at += length + 12
        return zlib.decompress(packed)

    def test_wrong_usage(self):
        path = self.make("--count", 10)
        for words, saying in (
                (["--ranks", "0"], "--ranks"), (["--ranks", "1,,2"], "--ranks"),
                (["--ranks", "4-2"], "--ranks"), (["--ranks", "1-1000"], "--ranks"),
                (["--ranks", "2000000"], "--ranks"), (["--ranks", ""], "--ranks"),
                (["--threads", "x"], "--threads"), (["--threads", "1,2 "], "--threads"),
                (["--threads", "100000"], "100000 workers"),
                (["--schedule", "auto,none"], "'none'"), (["--items", "0"], "--items"),
                (["--items", "1.5"], "--items"), (["--items", "1e30"], "--items"),
                (["--cores", "-1"], "--cores"), (["--latency", "nan"], "--latency"),
                (["--image", "/nowhere/at/all.png"], "--image"),
                (["--image", self.folder], "--image"),
                (["--ranks", "1-20", "--threads", "1-20"], "too many"),
                (["--frobnicate"], "--frobnicate"), (["more"], "more")):
            with self.subTest(words=words):
                self.assert_refused(2, "plan", path, *words, saying=saying)
        self.assert_refused(2, "plan", saying="no FILE")

    def test_files_that_cannot_be_planned(self):
        self.assert_refused(2, "plan", self.path("none.h5"), saying="there is no file")
        empty = self.make("--count", 0, path=self.path("empty.h5"))
        self.assert_refused(2, "plan", empty, saying="no items")
        with open(self.path("text.h5"), "w", encoding="ascii") as file:
            file.write("no HDF5")
        self.assert_refused(2, "plan", self.path("text.h5"), saying="not an HDF5 file")
        path = self.make("--count", 500)
        size = os.path.getsize(path)
        os.truncate(path, size // 2)
        self.assert_refused(1, "plan", path)

    def test_nothing_computed_yet(self):
        path = self.path()
        ending = self.start(KNOWN, "--out", path, "--count", 3, *self.gated(after=0),
                            layout=(0, 3))
        ending.wait_for(lambda: os.path.exists(path), "the file")
        self.assert_refused(2, "plan", path, saying="nothing has been computed yet")
        strike(ending.pid, signal.SIGKILL)
        ending.finish()

    def test_torn_records_count_as_not_done(self):
        path = self.make_slow(layout=(0, 4))
        with results.open_result(path) as file:
            offset = file[f"weft/{results.only_map(path)}/tiles"].id.get_offset()
        with open(path, "r+b") as file:
            file.seek(offset + 64 * 5 + 30)
            file.write(b"torn")
        self.assertEqual(self.plan(path, "--ranks", "1")["tiles_missing"], 1)

    def test_help(self):
        self.assertIn("--ranks LIST", self.weft("plan", "--help").out)
        self.assertIn("plan", self.weft("--help").out)

    def test_stdout_that_takes_nothing(self):
        path = self.make("--count", 3)
        self.assert_needs_stdout("plan", path)
        self.assert_needs_stdout("plan", "--json", path)


if __name__ == "__main__":
    main()
