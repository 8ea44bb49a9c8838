# SPDX-License-Identifier: BSD-3-Clause
"""What grows without a limit of its own, and waits that have one: a million failed items, a disk
that does not answer, far too many tiles, a clock that is set (promises P5 and P6)."""

import resource

import results
from launch import KNOWN, MPIRUN, Launch, SystemTest, main, recovery

MILLION = 1000000


def cpu_s():
    """Of all programs that have been run to their end."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


class Failures(SystemTest):
    def test_a_million_at_once(self):
        """They cost about what good items cost, and nobody is taken for dead meanwhile."""
        spent = []
        for words, status in (([], 0), (["--fail-all"], 3)):
            before = cpu_s()
            words = [*MPIRUN, *recovery(), "-np", "2", KNOWN, "--threads", "1", "--fresh", "--out",
                     self.path(), "--count", str(MILLION), "--dead-after", "1", *words]
            ending = Launch(words).finish()
            self.assert_ended(ending, status, 0)  # which is all that this mpirun says
            self.assertNotIn("taken for dead", ending.err)
            spent.append(cpu_s() - before)
        self.assertIn(f"{MILLION} failed", ending.err)
        self.assertLess(spent[1], 2 * spent[0] + 2)
        with results.open_result(self.path()) as file:
            self.assertEqual(file["weft/tiles"]["failed"].sum(), MILLION)
            self.assertTrue((file["results/remainder"][()] == 0).all())


if __name__ == "__main__":
    main()
