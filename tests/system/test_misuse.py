# SPDX-License-Identifier: BSD-3-Clause
"""Programs that get one thing wrong: a message that says what, of which map, and what to do, and
nothing is damaged (promise P7)."""

import os

from launch import SystemTest, main, run

MISUSE = os.environ.get("PROGRAM_misuse")

# What is wrong, and what is said of it, in order.
BEFORE_A_FILE = {
    "need_in_a_circle": ["'first' cannot need map 'second', which needs 'first' itself",
                         "could never begin"],
    "need_oneself": ["'first' cannot need map 'first'"],
    "need_nothing": ["'first' is to need a map", "NULL", "create that map first"],
    "need_what_is_not_run": ["'second' needs map 'first'", "not started", "run, that one first"],
    "need_what_is_gone": ["'second' needs a map that was destroyed", "destroy maps once"],
    "reduction_as_field": ["'first' has a field 'value' already", "another name"],
    "accumulator_of_0": ["'own'", "of 0 bytes", "1 to 67108864"],
    "accumulator_of_a_terabyte": ["'own'", "of 1099511627776 bytes", "1 to 67108864"],
    "falling_edges": ["'histogram'", "edge 2, 1, is not above the one before it, 2", "increase"],
    "equal_edges": ["'histogram'", "edge 1, 0, is not above", "increase"],
    "nan_among_edges": ["'histogram'", "edge 1 is not a number", "increase"],
    "wait_without_start": ["weft_map_wait() of map 'first'", "not been started", "weft_map_start()"],
    "cancel_without_start": ["weft_map_cancel() of map 'first'", "not been started"],
    "two_of_one_name": ["two maps are named 'first'", "result.h5", "weft_map_set_out()"],
    "named_weft": ["cannot be named 'weft'", "another name"],
    "no_kernel": ["'first' has no kernel", "give a function"],
    "read_too_early": ["'value' of map 'first'", "before weft_map_run()"]}
AFTER_A_START = {
    "wait_for_less_than_nothing": ["weft_map_wait() of map 'first' for -1 s", "WEFT_FOREVER"],
    "wait_for_nan": ["weft_map_wait() of map 'first' for nan s", "WEFT_FOREVER"],
    "start_twice": ["'first' has been started, and is under way", "weft_map_wait()"],
    "run_what_is_started": ["'first' has been started, and is under way", "weft_map_wait()"],
    "cancel_what_is_done": ["weft_map_cancel() of map 'first', which is done"],
    "describe_after_start": ["'first' is in", "result.h5 already", "before it"],
    "map_after_start": ["'late' was described after map 'first'", "result.h5", "weft_map_set_out()"]}


class Misuse(SystemTest):
    def misuse(self, what, layout=(0, 1)):
        return run(MISUSE, what, "--out", self.path(), "--progress", "never", layout=layout)

    def check_told(self, ending, *says):
        self.assert_ended(ending, 2)
        told = [line for line in ending.err.splitlines() if line.startswith("weft: error: ")]
        self.assertEqual(len(told), 1, str(ending))
        at = 0
        for words in says:
            self.assertIn(words, told[0][at:], str(ending))
            at = told[0].index(words, at)

    def check_complete_then(self):
        """What was wrong is in nobody's way."""
        self.assert_ended(self.misuse("nothing"))

    def test_before_there_is_a_file(self):
        for what, says in BEFORE_A_FILE.items():
            with self.subTest(what=what):
                self.check_told(self.misuse(what), *says)
                self.assertEqual(os.listdir(self.folder), [])

    def test_under_way(self):
        for what, says in AFTER_A_START.items():
            with self.subTest(what=what):
                self.check_told(self.misuse(what), *says)
                if "map_after" not in what:
                    self.check_complete_then()
                    os.unlink(self.path())

    def test_on_ranks(self):
        """All ranks find it, and one of them says so."""
        for what in ("need_what_is_not_run", "two_of_one_name", "no_kernel"):
            with self.subTest(what=what):
                self.check_told(self.misuse(what, (2, 1)), *BEFORE_A_FILE[what])
                self.assertEqual(os.listdir(self.folder), [])
        for what in ("start_twice", "map_after_start"):
            with self.subTest(what=what):
                self.check_told(self.misuse(what, (2, 1)), *AFTER_A_START[what])

    def test_destroyed_under_way(self):
        for layout in (0, 1), (2, 1):
            with self.subTest(layout=layout):
                ending = self.misuse("destroy_under_way", layout)
                self.assert_ended(ending)
                self.assertIn("WARNING: map 'first' is destroyed while it is under way: it is "
                              "cancelled, and waited for", ending.err)
                self.check_complete_then()
                os.unlink(self.path())

    def test_a_map_too_many_and_one_too_few(self):
        self.assert_ended(self.misuse("nothing"))
        with open(self.path(), "rb") as file:
            before = file.read()
        for what, says in (("three_maps", "no map 'third'"),
                           ("one_map", "this run has no map 'second'")):
            for layout in (0, 1), (2, 1):
                with self.subTest(what=what, layout=layout):
                    self.check_told(self.misuse(what, layout), "result.h5", says, "--out")
                    with open(self.path(), "rb") as file:
                        self.assertEqual(file.read(), before)


if __name__ == "__main__":
    main()
