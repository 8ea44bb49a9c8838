# SPDX-License-Identifier: BSD-3-Clause
"""Damaged tile records, and items whose kernel fails (promises P3 and P5)."""

import os
import signal
import subprocess
import time

import results
from launch import KNOWN, WEFT, SystemTest, environment, main, needs, strike

COUNT, GRAIN = 100, 7
FAILED = {3: (5, "this item fails on purpose"), 50: (5, "this item fails on purpose"), 77: (7, "")}
FAILING = ("--fail", "3,50", "--error", "77")
LAYOUTS = ((0, 0), (0, 2), (2, 1), (2, 2))


def change(path, dataset, at, bits=None, new=None):
    """Flips bits of one byte of a dataset, or puts other bytes in its place."""
    with results.open_result(path) as file:
        offset = file[dataset].id.get_offset() + at
    with open(path, "r+b") as file:
        file.seek(offset)
        if new is None:
            new = bytes([file.read(1)[0] ^ bits])
        file.seek(offset)
        file.write(new)


class Repairs(SystemTest):
    def words(self, *more):
        self.calls = self.path("calls")
        if os.path.exists(self.calls):
            os.unlink(self.calls)
        return ["--out", self.path(), "--count", COUNT, "--grain", GRAIN, "--calls", self.calls,
                *more]

    def items_of(self, tile):
        return list(range(tile * GRAIN, min(COUNT, (tile + 1) * GRAIN)))

    def test_flipped_byte_in_a_record(self):
        """The record counts for nothing, and its tile is computed again; no other is."""
        self.run_well(KNOWN, *self.words())
        for number, at in enumerate((0, 2, 4, 8, 24, 40, 47, 48, 56, 63)):
            tile, layout = (3 * number) % 15, LAYOUTS[number % len(LAYOUTS)]
            with self.subTest(at=at, tile=tile, layout=layout):
                change(self.path(), "weft/known/tiles", 64 * tile + at, bits=1 << (number % 8))
                change(self.path(), "known/hash", 8 * GRAIN * tile, bits=255)
                ending = self.run_well(KNOWN, *self.words(), layout=layout)
                self.assertEqual(sorted(results.calls(self.calls)), self.items_of(tile))
                self.assertEqual(results.all_bytes(self.path()), results.known_bytes(COUNT))
                self.assertIn("damaged", ending.err)
                self.assertEqual(results.runs(self.path())[-1]["items"], len(self.items_of(tile)))

    def test_record_of_another_tile(self):
        """A record that is sound, but in the wrong place, does not count either."""
        self.run_well(KNOWN, *self.words())
        there = results.raw_bytes(self.path(), "weft/known/tiles")[:64]
        change(self.path(), "weft/known/tiles", 64 * 5, new=there)
        self.run_well(KNOWN, *self.words())
        self.assertEqual(sorted(results.calls(self.calls)), self.items_of(5))

    @needs(WEFT, "weft")
    def test_flipped_byte_in_data(self):
        self.run_well(KNOWN, *self.words())
        self.assertEqual(self.verify().returncode, 0)
        change(self.path(), "known/remainder", 42, bits=4)
        verify = self.verify()
        self.assertEqual(verify.returncode, 1, verify.stdout + verify.stderr)
        self.assertIn("tile 6", verify.stdout + verify.stderr)

    def verify(self):
        return subprocess.run([WEFT, "verify", self.path()], env=environment(), text=True,
                              capture_output=True, check=False)

    def assert_failed(self, failed):
        results.check_failures(self, self.path(), {item: FAILED[item] for item in failed},
                               results.DONE_WITH_FAILURES)

    def test_failing_items(self):
        for layout in LAYOUTS:
            with self.subTest(layout=layout):
                ending = self.run_well(KNOWN, *self.words("--fresh", *FAILING), status=3,
                                       layout=layout)
                self.assertIn("3 failed", ending.err)
                self.assertIn("--retry-failed", ending.err)
                self.assert_failed([3, 50, 77])
                self.assertEqual(results.runs(self.path())[-1]["failed"], 3)
                self.assertEqual(results.runs(self.path())[-1]["outcome"], b"failed items")

                self.run_well(KNOWN, *self.words(), status=3, layout=layout)
                self.assertEqual(results.calls(self.calls), [], "computed without --retry-failed")
                self.assert_failed([3, 50, 77])

                self.run_well(KNOWN, *self.words("--retry-failed", "--fail", 50), status=3,
                              layout=layout)
                self.assertEqual(sorted(results.calls(self.calls)), [3, 50, 77])
                self.assert_failed([50])

                self.run_well(KNOWN, *self.words("--retry-failed"), layout=layout)
                self.assertEqual(results.calls(self.calls), [50])
                self.assertEqual(results.all_bytes(self.path()), results.known_bytes(COUNT))
                self.assertEqual(results.failures(self.path()), {})

                self.run_well(KNOWN, *self.words("--retry-failed"), layout=layout)
                self.assertEqual(results.calls(self.calls), [])

    @needs(WEFT, "weft")
    def test_flipped_byte_beside_a_failed_item(self):
        """What is damaged does not get a new checksum: all of its tile is computed again."""
        for layout in ((0, 2), (2, 1)):
            with self.subTest(layout=layout):
                self.run_well(KNOWN, *self.words("--fresh", *FAILING), status=3, layout=layout)
                change(self.path(), "known/remainder", 52, bits=4)
                self.assertEqual(self.verify().returncode, 1)
                self.run_well(KNOWN, *self.words("--retry-failed"), layout=layout)
                self.assertEqual(self.verify().returncode, 0)
                self.assertEqual(results.all_bytes(self.path()), results.known_bytes(COUNT))
                self.assertEqual(sorted(results.calls(self.calls)),
                                 sorted([3, 77] + self.items_of(50 // GRAIN)))

    def test_flipped_byte_in_the_table_of_failures(self):
        """A row about an item that has not failed, or that there is not: the row goes, and all of
        the tile is computed again that it was about."""
        for at, bits in ((0, 32), (5, 1), (7, 128)):
            with self.subTest(at=at):
                self.run_well(KNOWN, *self.words("--fresh", "--fail", 50), status=3)
                change(self.path(), "weft/known/failures", at, bits=bits)
                self.run_well(KNOWN, *self.words("--retry-failed"))
                self.assertEqual(sorted(results.calls(self.calls)), self.items_of(50 // GRAIN))
                self.assertEqual(results.all_bytes(self.path()), results.known_bytes(COUNT))
                self.assertEqual(results.failures(self.path()), {})

    def test_flipped_byte_in_the_record_of_a_failed_tile(self):
        """Its tile is computed again, and its failures are those of the last time."""
        for layout in ((0, 2), (2, 1)):
            with self.subTest(layout=layout):
                self.run_well(KNOWN, *self.words("--fresh", "--fail", "50,51,77"), status=3)
                change(self.path(), "weft/known/tiles", 64 * (50 // GRAIN) + 8, bits=4)
                self.run_well(KNOWN, *self.words("--fail", "50"), status=3, layout=layout)
                said = (5, "this item fails on purpose")
                self.assertEqual(results.failures(self.path()), {50: said, 77: said})
                change(self.path(), "weft/known/tiles", 64 * (50 // GRAIN) + 8, bits=4)
                self.run_well(KNOWN, *self.words(), status=3, layout=layout)
                self.assertEqual(results.failures(self.path()), {77: said})

    def test_all_items_fail(self):
        everything = ",".join(map(str, range(COUNT)))
        self.run_well(KNOWN, *self.words("--fail", everything), status=3, layout=(2, 2))
        self.assertEqual(len(results.failures(self.path())), COUNT)
        self.assertTrue(results.done_items(self.path()).all())
        self.run_well(KNOWN, *self.words("--retry-failed"), layout=(0, 2))
        self.assertEqual(results.all_bytes(self.path()), results.known_bytes(COUNT))

    def test_failures_survive_a_stop(self):
        launch = self.start(KNOWN, *self.words(*FAILING, "--civil", 90, "--schedule", "ss",
                                               "--item-us", 5000), layout=(2, 1))
        # What is stopped in the middle of a span forgets its failures: with such items a span is a
        # tile, and tiles 0, 7 and 11 are over with their last items, which are computed alone like
        # those that have failed.
        launch.wait_for(lambda: {6, 55, 83, 90} <= set(results.calls(self.calls)),
                        "all that fails has been tried")
        strike(launch.ranks()[0], signal.SIGUSR1)  # after SIGTERM a rank that is slow is left behind
        self.assert_ended(launch.finish(), 75)
        self.run_well(KNOWN, *self.words(), status=3)
        self.assert_failed([3, 50, 77])

    @needs(WEFT, "weft")
    def test_killed_while_it_retries(self):
        """What is marked done is right on disk, also where it is being computed once more: here
        rank 0, the only one that writes records, stands still while rank 1 writes results."""
        everything = ",".join(map(str, range(COUNT)))
        self.run_well(KNOWN, *self.words("--fail", everything), status=3)
        launch = self.start(KNOWN, *self.words("--retry-failed", "--item-us", 3000, "--sync", 0,
                                               "--schedule", "static", *self.gated(after=30)),
                            layout=(2, 1))
        launch.wait_for(lambda: len(results.calls(self.calls)) >= 15, "it retries")
        ranks = launch.ranks()
        strike(ranks[0], signal.SIGSTOP)
        time.sleep(0.3)
        for pid in ranks:
            strike(pid, signal.SIGKILL)
        launch.finish()
        verify = self.verify()
        self.assertEqual(verify.returncode, 0, verify.stdout + verify.stderr)
        self.run_well(KNOWN, *self.words("--retry-failed"), layout=(0, 1))
        self.assertEqual(results.all_bytes(self.path()), results.known_bytes(COUNT))
        self.assertEqual(results.failures(self.path()), {})

    def test_a_retry_is_cut_short(self):
        """What was good of its tiles stays good, also for a run that is not told to retry."""
        failed = list(range(3, COUNT, GRAIN))
        self.run_well(KNOWN, *self.words("--fail", ",".join(map(str, failed))), status=3)
        os.unlink(self.calls)
        launch = self.start(KNOWN, *self.words("--retry-failed", "--sync", 0,
                                               *self.gated(items=failed[3:])), layout=(0, 1))
        launch.wait_for(lambda: len(results.calls(self.calls)) >= 3, "it retries")
        strike(launch.pid, signal.SIGKILL)
        launch.finish()
        os.unlink(self.calls)
        self.run_well(KNOWN, *self.words(), layout=(2, 1))
        self.assertEqual(results.all_bytes(self.path()), results.known_bytes(COUNT))
        again = results.calls(self.calls)
        self.assertGreater(len(again), 1)
        # Only of a tile that had been written, and not recorded yet, nothing can be trusted.
        self.assertLess(len(set(again) - set(failed)), 2 * GRAIN)


if __name__ == "__main__":
    main()
