# SPDX-License-Identifier: BSD-3-Clause
"""Reductions: the same bits on every layout, with failures, kills and resumes (promises P1 to P5)."""

import itertools
import json
import os
import signal

import h5py
import numpy as np

import results
from launch import (MPIRUN, WEFT, Launch, SystemTest, main, needs, rank_of, recovery, schedules,
                    strike)
from reduced import EDGES, Reduced
from test_filesystem import FAULTY, faulty

REDUCES = os.environ.get("PROGRAM_reduces")
LAYOUTS = ((0, 1), (1, 3), (2, 2), (3, 1), (2, 0))
COUNT = 1009


class Reductions(SystemTest):
    def values(self):
        """All values in the file, as bytes."""
        with results.open_result(self.path()) as file:
            return {f"{map}/{name}": file[map][name][()]
                    for map in ("drawn", "fields") for name in file[map]
                    if "reduction" in file[map][name].attrs}

    def check(self, left_out=(), count=COUNT):
        """The values in the file, and what each rank was told."""
        values = self.values()
        for map in ("drawn", "fields"):
            Reduced(map, count, left_out).check(self, {
                name[len(map) + 1:]: value for name, value in values.items()
                if name.startswith(map)})
        for told in self.told:
            self.assertEqual(set(told), set(values))
            for name, value in values.items():
                self.assertEqual(told[name][:value.nbytes], value.tobytes(), name)
        return {name: value.tobytes() for name, value in values.items()}

    def reduce(self, *arguments, layout=(0, 1), **options):
        """Runs the program; what each rank was told is in self.told."""
        files = [self.path(f"told{rank}") for rank in range(max(layout[0], 1))]
        ending = self.run_well(REDUCES, "--out", self.path(), "--count", COUNT, "--told",
                               self.path("told"), *arguments, layout=layout, **options)
        self.told = []
        for path in files:
            if os.path.exists(path):
                with open(path, encoding="ascii") as file:
                    words = [line.split() for line in file]
                self.told.append({name: bytes.fromhex(digits) for name, digits in words})
                os.remove(path)
        return ending

    def test_layouts(self):
        """The same bits for one grain on every layout; exact values for every grain."""
        first = {}
        techniques = itertools.cycle(schedules())
        for grain, layout in itertools.product(("1", "7", "64", "5000"), LAYOUTS):
            with self.subTest(layout=layout, grain=grain):
                self.reduce("--fresh", "--grain", grain, "--schedule", next(techniques),
                            layout=layout)
                self.assertEqual(len(self.told), max(layout[0], 1))
                values = self.check()
                self.assertEqual(values, first.setdefault(grain, values))

    @needs(FAULTY, "faulty.so")
    def test_nfs(self):
        """What other hosts' clients have written is there when values are made and fields are read;
        without --sync, too, where they keep it until a file is closed."""
        for layout, sync in ((2, 1), "0"), ((3, 1), "0"), ((2, 0), "0"), ((2, 2), "0.05"):
            with self.subTest(layout=layout, sync=sync):
                log = self.path("log")
                for again in False, True:
                    self.reduce("--grain", "16", "--sync", sync, *([] if again else ["--fresh"]),
                                layout=layout,
                                env=faulty("call=close,rank=1,times=4,delay=0.2,path=/result.h5",
                                           log=log, FAULTY_NFS="/result.h5"))
                    self.check()
                # Nothing that ranks read stays in a client's memory.
                with open(log, encoding="ascii") as file:
                    self.assertGreater(file.read().count("direct result.h5"), 2 * layout[0])
                os.unlink(log)

    @needs(FAULTY, "faulty.so")
    def test_nfs_and_a_lost_rank(self):
        """What a rank had reported before it died is on the server, and in the values; what its
        client still held is computed by others."""
        for victim in 1, 2:
            with self.subTest(victim=victim):
                if os.path.exists(self.path()):
                    os.unlink(self.path())
                words = ["--out", self.path(), "--count", COUNT, "--grain", 16, "--item-us", 9000,
                         "--sync", 0.05, "--dead-after", 1, "--told", self.path("told")]
                launch = Launch([*MPIRUN, *recovery(), "-np", "3", REDUCES, "--threads", "1",
                                 *map(str, words)], env=faulty(FAULTY_NFS="/result.h5"))
                self.launches.append(launch)
                launch.wait_for(lambda: self.tiles_of(victim) > 0, "it has reported something")
                strike({rank_of(pid): pid for pid in launch.ranks()}[victim], signal.SIGKILL)
                ending = launch.finish_after_deaths()
                self.assertIn("presumed dead", ending.err, str(ending))
                self.assertGreater(self.tiles_of(victim), 0)
                # The second map may not have begun without it.
                self.reduce("--grain", 16, layout=(2, 1))
                self.check()

    def tiles_of(self, rank):
        """How many tiles of the first map have been recorded as a rank's."""
        if not os.path.exists(self.path()):
            return 0
        records = results.tiles(self.path(), "drawn")
        return int(((records["state"] != 0) & (records["rank"] == rank)).sum())

    def test_small_counts(self):
        for count in 1, 2:
            self.reduce("--fresh", "--count", count, layout=(2, 2))
            self.assertEqual(self.values()["drawn/own"].tolist(), [count, count - 1])
        self.reduce("--fresh", "--count", 0)
        values = self.values()
        self.assertEqual(values["drawn/sum"], 0)
        self.assertEqual(values["drawn/histogram"].tolist(), [0] * 7)
        self.assertTrue(np.isnan(values["drawn/quantiles"]).all())
        self.assertEqual(values["fields/moments"][0], 0)
        self.assertEqual(len(self.told[0]), 14)

    def test_a_complete_map_is_passed(self):
        self.reduce(layout=(2, 2))
        first = self.told[0]
        tiles = {map: results_tiles(self.path(), map) for map in ("drawn", "fields")}
        self.reduce(layout=(3, 1))
        self.check()
        self.assertEqual(self.told, [first] * 3)
        for map, before in tiles.items():
            self.assertEqual(before.tobytes(), results_tiles(self.path(), map).tobytes())

    def test_a_value_that_is_not_there_is_made(self):
        """As after a kill between the last tile and the fold."""
        self.reduce("--grain", "7")
        before = self.check()
        with h5py.File(self.path(), "r") as file:
            places = [file[f"weft/{map}/values"].id.get_offset() for map in ("drawn", "fields")]
            value = file["drawn/sum"].id.get_offset()
        with open(self.path(), "r+b") as file:
            for place in places:
                file.seek(place)
                file.write(bytes(8))
            file.seek(value)
            file.write(b"\x55" * 8)
        self.reduce()
        self.assertEqual(self.check(), before)

    def test_failures(self):
        """Failed items are left out, however they fail; once they do not fail, nothing is."""
        for layout, grain in ((0, 1), "1"), ((2, 2), "16"), ((2, 0), "300"), ((1, 2), "5000"):
            with self.subTest(layout=layout, grain=grain):
                bad = ["--error", "0,3,4,17,600,1008", "--fail", "5,6,900"]
                left_out = [0, 3, 4, 17, 600, 1008, 5, 6, 900]
                self.reduce("--fresh", "--grain", grain, *bad, layout=layout, status=3)
                self.check(left_out)
                self.reduce("--grain", grain, *bad, layout=layout, status=3)
                self.check(left_out)
                self.reduce("--grain", grain, "--retry-failed", layout=(1, 2))
                again = self.check()
                self.reduce("--grain", grain, "--fresh")
                self.assertEqual(self.check(), again)

    def test_children(self):
        """Items that crash are left out; what is computed in children comes back from there."""
        for grain in "1", "40", "2000":
            with self.subTest(grain=grain):
                self.reduce("--fresh", "--isolate", "--grain", grain, layout=(2, 2))
                isolated = self.check()
                self.reduce("--fresh", "--grain", grain)
                self.assertEqual(self.check(), isolated)
                self.reduce("--fresh", "--isolate", "--grain", grain, "--crash", "7,8,500",
                            "--error", "9", layout=(2, 2), status=3)
                self.check([7, 8, 500, 9])

    def test_other_reductions_are_another_job(self):
        self.reduce()
        ending = self.reduce("--count", COUNT + 1, status=2)
        self.assertIn("belongs to another job", ending.err)

    def test_refusals(self):
        for wrong, words in (("name", "a name has"), ("twice", "a reduction 'sum' already"),
                             ("field", "a field 'wide' already"),
                             ("field-twice", "a reduction 'sum' already"),
                             ("no-field", "no field 'none'"), ("type", "field of float64"),
                             ("empty", "of 0 bytes"), ("huge", "of 1099511627776 bytes"),
                             ("edges", "not above the one before it"),
                             ("early", "cannot be read before"), ("none", "no reduction 'none'")):
            with self.subTest(wrong=wrong):
                ending = self.reduce("--wrong", wrong, status=2)
                self.assertIn(words, ending.err)
                self.assertFalse(os.path.exists(self.path()))
        ending = self.reduce("--wrong", "accumulator", status=2, layout=(2, 2))
        self.assertIn("reduction 8 of map 'drawn', which has 8 reductions", ending.err)

    def test_overflow_is_told(self):
        for _ in range(2):
            ending = self.reduce("--overflow", status=2, layout=(2, 1))
            self.assertIn("'integers': the sum is above 2^63 - 1", ending.err)

    @needs(WEFT, "weft")
    def test_damaged_accumulators_are_found(self):
        self.reduce("--grain", "100")
        self.run_well(WEFT, "verify", self.path(), layout=(0, None))
        with h5py.File(self.path(), "r") as file:
            moments = file["weft/drawn/accumulators/moments"]
            place = moments.id.get_offset() + 3 * moments.nbytes // len(moments)
        with open(self.path(), "r+b") as file:
            file.seek(place + 9)
            file.write(b"\x77")
        ending = self.run_well(WEFT, "verify", self.path(), layout=(0, None), status=1)
        self.assertIn("300", ending.out + ending.err)

    def forget(self, *values):
        """Takes away the checksums by which values are known to be there."""
        with h5py.File(self.path(), "r") as file:
            places = []
            for value in values:
                map, name = value.split("/")
                # In the order in which they were added, which is that of the accumulators.
                number = list(file["weft"][map]["accumulators"]).index(name)
                places.append(file["weft"][map]["values"].id.get_offset() + 8 * number)
        with open(self.path(), "r+b") as file:
            for place in places:
                file.seek(place)
                file.write(bytes(8))

    @needs(WEFT, "weft")
    def test_weft_status(self):
        """All values as h5py reads them; what has none yet, and what is damaged, is told."""
        self.reduce("--fail", "3,4", status=3, layout=(2, 1))
        with results.open_result(self.path()) as file:
            offset = file["drawn/own"].id.get_offset()
        values = self.values()
        text = self.run_well(WEFT, "status", self.path(), layout=(0, None)).out
        said = self.run_well(WEFT, "status", self.path(), "--json", layout=(0, None)).out
        maps = {each["map"]: {r["name"]: r for r in each["reductions"]}
                for each in json.loads(said)["maps"]}
        self.assertEqual({f"{map}/{name}" for map in maps for name in maps[map]}, set(values))
        for path, value in values.items():
            map, name = path.split("/")
            told = maps[map][name]["value"]
            self.assertEqual(flatten(told), flatten(expected_json(name, value.tolist())), path)
            self.assertFalse(maps[map][name]["damaged"])
            self.assertIn(f"/{path} ", text)
        self.assertEqual(maps["plain"], {})
        self.assertIn("of field 'wide'", maps["fields"]["sum"]["what"])
        for words in (f"{values['drawn/sum']:.17g}\n", f"  {values['drawn/integers']}\n",
                      f"{values['drawn/moments'][1]:.10g} +- ", f" at item {COUNT - 22}, ",
                      "0.125 to 0.5 ", "50 %: "):
            self.assertIn(words, text)
        self.forget("drawn/moments", "fields/sum")
        with open(self.path(), "r+b") as file:
            file.seek(offset)
            file.write(b"\x55")
        text = self.run_well(WEFT, "status", self.path(), layout=(0, None)).out
        self.assertRegex(text, r"/drawn/moments +no value yet\n")
        self.assertRegex(text, r"/fields/sum +no value yet\n")
        self.assertRegex(text, r"/drawn/own +damaged; ")
        self.assertEqual(text.count("no value yet"), 2)
        said = self.run_well(WEFT, "status", self.path(), "--map", "drawn", "--json",
                             layout=(0, None)).out
        told = {each["name"]: each for each in json.loads(said)["reductions"]}
        self.assertEqual([name for name in told if told[name]["value"] is None],
                         ["moments", "own"])
        self.assertEqual([name for name in told if told[name]["damaged"]], ["own"])

    def test_what_lies_in_the_file(self):
        self.reduce()
        with results.open_result(self.path()) as file:
            self.assertIn("of field 'wide'", file["fields/moments"].attrs["reduction"])
            self.assertEqual(file["drawn/histogram"].attrs["edges"].tolist(), EDGES.tolist())
            self.assertEqual(file["drawn/quantiles"].attrs["probabilities"].tolist(), [0, 0.5, 1])
            self.assertEqual({name for name, data in file["drawn"].items()
                              if not results.is_bare_dimension(data)},
                             set(file["weft/drawn/accumulators"]))


def expected_json(name, value):
    """What weft status is to say of a value."""
    if name == "histogram":
        return [EDGES.tolist(), value[:-3], value[-3:]]
    return [[0, 0.5, 1], value] if name == "quantiles" else value


def flatten(value):
    """The numbers in a value, in their order."""
    if isinstance(value, dict):
        value = list(value.values())
    return sum(map(flatten, value), []) if isinstance(value, list) else [value]


def results_tiles(path, map):
    with results.open_result(path) as file:
        return file[f"weft/{map}/tiles"][()]


if __name__ == "__main__":
    main()
