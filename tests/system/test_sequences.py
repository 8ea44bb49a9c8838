# SPDX-License-Identifier: BSD-3-Clause
"""Programs of up to five maps, drawn at random, that start, test, wait, cancel and look in any
order, are stopped and killed at any moment and run again on another layout, making other calls:
in the end every byte outside of /weft is that of a run that nothing has befallen, and what it has
to be.

SEQUENCES_MINUTES says for how long programs are drawn (by itself a few), SEQUENCES_SEED which.
"""

import os
import random
import signal
import subprocess
import time

import numpy as np

import results
from launch import WEFT, SystemTest, environment, lives, main, schedules, strike
from reduced import Reduced

SEQUENCES = os.environ.get("PROGRAM_sequences")
MINUTES = float(os.environ.get("SEQUENCES_MINUTES", "0"))
SEED = int(os.environ.get("SEQUENCES_SEED", str(random.SystemRandom().randrange(1 << 32))))
FEW = 4
LAYOUTS = ((0, 1), (0, 2), (0, 0), (1, 3), (2, 1), (2, 2), (2, 0), (3, 1))
KINDS = {"d": "drawn", "f": "fields", "p": "plain"}
STOPPED, FAILED_ITEMS = 75, 3
STOPS = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1)


class Drawn:
    """A map, as drawn."""

    def __init__(self, draw, number, failing):
        self.name = f"map-{number}"
        self.letter = draw.choice("ddffp")
        self.count = draw.choice((0, 1, 2, 40, 150, 300, 400, 400, 400))
        self.grain = draw.choice((1, 2, 7, 16, 50, 1000))
        self.shift = draw.randrange(10000)
        self.needs = [earlier for earlier in range(number) if draw.random() < 0.3]
        self.own = draw.random() < 0.25
        self.reduced = Reduced(KINDS[self.letter], self.count,
                               [item for item in failing if item < self.count], self.shift)
        self.fails = len(self.reduced.items) < self.count

    def __str__(self):
        return (f"{self.letter}:{self.count}:{self.grain}:{self.shift}:"
                f"-{''.join(map(str, self.needs))}:{int(self.own)}")


class Program:
    """A number of maps."""

    def __init__(self, draw):
        self.failing = draw.choice(((), (), (3, 17, 18, 100)))
        self.maps = [Drawn(draw, number, self.failing) for number in range(draw.choice((1, 2, 3, 4, 5, 5, 5)))]
        self.status = FAILED_ITEMS if any(each.fails for each in self.maps) else 0

    def words(self):
        return ["--maps", ";".join(map(str, self.maps)), "--progress", "never",
                *(["--fail", ",".join(map(str, self.failing))] if self.failing else [])]

    def calls(self, draw):
        """Mostly starts to begin with, in any order."""
        begin = [f"s{number}" for number in range(len(self.maps))]
        draw.shuffle(begin)
        drawn = [f"{draw.choice('ssrettwwwccppaz')}{draw.randrange(len(self.maps))}"
                 for _ in range(draw.randrange(40))]
        return " ".join(begin[:draw.randint(0, len(begin))] + drawn)


class Sequences(SystemTest):
    def setUp(self):
        super().setUp()
        self.befallen = {"killed": 0, "stopped": 0}

    def run_words(self, program, place, draw, layout, calls, total_s):
        items = sum(each.count for each in program.maps)
        workers = max(layout[0], 1) * max(layout[1], 1)
        return [*program.words(), "--out", self.path(f"{place}.h5"), "--own",
                self.path(f"{place}-"), "--calls", calls or "z0", "--item-us",
                int(1e6 * total_s * workers / max(items, 1)), "--schedule",
                draw.choice(schedules_there_are()), "--sync", draw.choice(("0", "10", "0.05"))]

    def file_of(self, each, place):
        return self.path(f"{place}-{each.name}.h5" if each.own else f"{place}.h5")

    def bytes_of(self, program, place):
        """Of all that lies outside of /weft."""
        return {each.name: results.all_bytes(self.file_of(each, place), each.name)
                for each in program.maps}

    def check_oracles(self, program, place):
        for each in program.maps:
            with results.open_result(self.file_of(each, place)) as file:
                there = {name: data[()] for name, data in file[each.name].items()
                         if not results.is_bare_dimension(data)}
            for name, wanted in each.reduced.fields().items():
                np.testing.assert_array_equal(there.pop(name), wanted, f"{each.name}/{name}")
            each.reduced.check(self, there)

    def check_told(self, program, place, ranks):
        """Every rank was told the values that are in the files."""
        there = self.bytes_of(program, place)
        for rank in range(max(ranks, 1)):
            with open(self.path(f"told{rank}"), encoding="ascii") as file:
                told = dict(line.split() for line in file)
            for path, digits in told.items():
                map, name = path.split("/")
                value = there[map][name]
                self.assertEqual(bytes.fromhex(digits)[:len(value)], value, path)
            os.remove(self.path(f"told{rank}"))

    def done(self, program):
        """How many items of each map are done. A map whose file is not there yet has none."""
        return [int(results.done_items(self.file_of(each, "it"), each.name).sum())
                if os.path.exists(self.file_of(each, "it")) else 0 for each in program.maps]

    def check_between(self, program, before):
        """What is done stays so and is right, and nothing has begun before what it needs."""
        done = self.done(program)
        self.assertTrue(all(now >= then for now, then in zip(done, before)), f"{before} {done}")
        for each, items in zip(program.maps, done):
            for need in each.needs if items > 0 else []:
                self.assertEqual(done[need], program.maps[need].count, f"{each.name} of {done}")
        for path in {self.file_of(each, "it") for each in program.maps}:
            if WEFT and os.path.exists(path):
                verify = subprocess.run([WEFT, "verify", path], env=environment(), check=False,
                                        capture_output=True, text=True)
                self.assertEqual(verify.returncode, 0, verify.stdout + verify.stderr)
        return done

    def befall(self, draw, launch, total_s):
        """Something happens to it, once its ranks are there; statuses that fit."""
        what = draw.choice(("kill", "kill", "kill", "kill", "stop", "nothing"))
        if what == "kill" and draw.random() < 0.2:
            time.sleep(draw.uniform(0, 0.4))
        else:
            launch.wait_for(lambda: "weft: " in launch.err_now() or launch.process.poll()
                            is not None, "it begins")
            time.sleep(draw.uniform(0, total_s))
        ranks = [pid for pid in launch.ranks() if lives(pid)]
        if what == "nothing" or not ranks or launch.process.poll() is not None:
            return what, False
        if what == "stop":
            strike(draw.choice(ranks), draw.choice(STOPS))
        else:
            for pid in draw.choice(([draw.choice(ranks)], ranks, [launch.pid])):
                strike(pid, signal.SIGKILL)
        return what, True

    def attempt(self, program, draw, number, before):
        layout, total_s = draw.choice(LAYOUTS), draw.choice((0.3, 1, 2))
        calls = program.calls(draw)
        words = self.run_words(program, "it", draw, layout, calls, total_s)
        launch = self.start(SEQUENCES, *words, layout=layout)
        what, struck = self.befall(draw, launch, total_s)
        ending = launch.finish_after_deaths() if what == "kill" else launch.finish()
        if what != "kill":
            self.assert_ended(ending, program.status, *([STOPPED] if struck else []))
        done = self.check_between(program, before)
        self.befallen["killed"] += struck and what == "kill"
        self.befallen["stopped"] += struck and what == "stop" and ending.status == STOPPED
        print(f"    {number}: {layout[0]}x{layout[1]} [{calls}] {what if struck else ''} "
              f"{ending.status}, {done}", flush=True)
        return done

    def play(self, seed):
        draw = random.Random(seed)
        program = Program(draw)
        print(f"  {seed}: {' '.join(map(str, program.maps))}", flush=True)
        self.run_well(SEQUENCES, *self.run_words(program, "wanted", draw, (0, 1), "", 0),
                      status=program.status)
        self.check_oracles(program, "wanted")
        done, items = [0] * len(program.maps), [each.count for each in program.maps]
        for number in range(draw.randint(1, 6)):
            if done != items or number < 2:
                done = self.attempt(program, draw, number, done)
        layout = draw.choice(LAYOUTS)
        calls = program.calls(draw)
        ending = self.run_well(SEQUENCES, *self.run_words(program, "it", draw, layout, calls, 0),
                               "--told", self.path("told"), layout=layout, status=program.status)
        self.assertEqual(self.bytes_of(program, "it"), self.bytes_of(program, "wanted"),
                         str(ending))
        self.check_told(program, "it", layout[0])
        files = {os.path.basename(self.file_of(each, place)) for each in program.maps
                 for place in ("it", "wanted")}
        self.assertEqual(set(os.listdir(self.folder)), files)
        for name in files:
            os.unlink(self.path(name))

    def test_sequences(self):
        print(f"\n  SEQUENCES_SEED={SEED}", flush=True)
        end, number = time.monotonic() + 60 * MINUTES, 0
        while number < FEW or time.monotonic() < end:
            with self.subTest(seed=f"{SEED}.{number}"):
                self.play(f"{SEED}.{number}")
            self.end_all()
            for name in os.listdir(self.folder):
                os.unlink(self.path(name))
            number += 1
        print(f"  {number} programs: {self.befallen}", flush=True)


NAMES = []


def schedules_there_are():
    if not NAMES:
        NAMES.extend(schedules())
    return NAMES


if __name__ == "__main__":
    main()
