# SPDX-License-Identifier: BSD-3-Clause
"""Programs of several maps in one file: killed anywhere and started again, looked at by weft, and
refused where something else is in the file."""

import json
import os
import random
import signal
import time

import h5py

import results
from faults import FAULTY, faulty
from launch import COAST, KNOWN, WEFT, SystemTest, main, needs, run, strike

MONTECARLO = os.environ.get("PROGRAM_montecarlo")
SEED = int(os.environ.get("KILLS_SEED", str(random.SystemRandom().randrange(1 << 32))))
MAPS, COUNT = 5, 300
NAMES = [f"known-{number}" for number in range(MAPS)]
LAYOUTS = ((0, 1), (0, 2), (2, 1), (2, 0), (3, 1))


class Maps(SystemTest):
    def words(self, *more):
        return ["--out", self.path(), "--count", COUNT, "--maps", MAPS, "--progress", "never",
                *more]

    def check_complete(self):
        self.assertEqual(results.maps(self.path()), NAMES)
        for name in NAMES:
            self.assertTrue(results.done_items(self.path(), name).all())
            self.assertEqual(results.all_bytes(self.path(), name), results.known_bytes(COUNT))
        self.assertIsNone(results.opens_everywhere(self.path()))
        self.assertEqual([name for name in os.listdir(self.folder) if name != "result.h5"], [])

    def check_done(self):
        """What is marked done is right; how many items that are, of each map."""
        done = []
        for name in NAMES:
            marked = results.done_items(self.path(), name)
            for field, values in results.known_values(COUNT).items():
                there = results.raw_bytes(self.path(), f"{name}/{field}")
                size = len(there) // COUNT
                for item in marked.nonzero()[0]:
                    self.assertEqual(there[item * size:(item + 1) * size], values[item].tobytes())
            done.append(int(marked.sum()))
        return done

    def test_kills(self):
        """At any moment, on any layout: a map that was complete stays so and is passed."""
        print(f"\n  KILLS_SEED={SEED}", flush=True)
        draw = random.Random(SEED)
        for job in range(3):
            done, number = [0] * MAPS, 0
            while number < 4:
                layout = draw.choice(LAYOUTS)
                item_us = 500 * max(layout[0], 1) * max(layout[1], 1)
                words = ("--item-us", item_us, "--sync", draw.choice((0, 10)),
                         *draw.choice(((), ("--start",))))
                launch = self.start(KNOWN, *self.words(*words), layout=layout)
                if os.path.exists(self.path()) or draw.random() < 0.5:
                    time.sleep(draw.uniform(0, 1.5))
                strike(draw.choice(launch.ranks() or [launch.pid]), signal.SIGKILL)
                launch.finish_after_deaths()
                if os.path.exists(self.path()):
                    after = self.check_done()
                    self.assertTrue(all(now >= before for now, before in zip(after, done)))
                    # Two maps at a time at most.
                    self.assertLessEqual(sum(0 < count < COUNT for count in after), 2, after)
                    done = after
                number += 1
            print(f"  {job}: {done} of {COUNT} done", flush=True)
            self.run_well(KNOWN, *self.words(*draw.choice(((), ("--start",)))),
                          layout=draw.choice(LAYOUTS))
            self.check_complete()
            rows = results.runs(self.path())
            names = h5py.check_enum_dtype(rows.dtype["map"])
            self.assertEqual(sorted(names, key=names.get), NAMES)
            self.assertEqual(set(rows["map"]), set(range(MAPS)))
            os.unlink(self.path())

    def test_rerun_adds_nothing(self):
        for layout in ((0, 2), (2, 1)):
            self.run_well(KNOWN, *self.words("--fresh"), layout=layout)
            rows = len(results.runs(self.path()))
            self.assertEqual(rows, MAPS)
            ending = self.run_well(KNOWN, *self.words(), layout=layout)
            self.assertEqual(ending.err.count("0 now"), MAPS, str(ending))
            self.assertEqual(len(results.runs(self.path())), rows)
        os.unlink(self.path() + ".bak") if os.path.exists(self.path() + ".bak") else None
        self.check_complete()

    def test_stop_and_go_on(self):
        """A signal ends the program, not just the map."""
        launch = self.start(KNOWN, *self.words("--item-us", 2000, "--sync", 0,
                                               *self.gated(after=COUNT + 50)), layout=(0, 1))
        launch.wait_for(lambda: os.path.exists(self.path()) and
                        results.done_items(self.path(), NAMES[1]).any(), "the second map")
        strike(launch.pid, signal.SIGTERM)
        self.assert_ended(launch.finish(), 75)
        done = self.check_done()
        self.assertEqual((done[0], done[2]), (COUNT, 0))
        self.run_well(KNOWN, *self.words(), layout=(2, 1))
        self.check_complete()

    def test_failed_items(self):
        self.run_well(KNOWN, *self.words("--fail", "3,70"), layout=(0, 2), status=3)
        ending = run(KNOWN, *self.words(), layout=(0, 2))
        self.assert_ended(ending, 3)
        for _ in range(MAPS):
            self.run_well(KNOWN, *self.words("--retry-failed"), layout=(0, 2))
        self.check_complete()

    def test_other_maps(self):
        self.run_well(KNOWN, *self.words())
        with open(self.path(), "rb") as file:
            before = file.read()
        for words, says in ((["--maps", MAPS + 1], f"no map 'known-{MAPS}'"),
                            (["--maps", MAPS - 1], f"this run has no map 'known-{MAPS - 1}'"),
                            (["--maps", 0], "and no map 'known'"),
                            (["--flavour", 1], "parameter 'flavour'")):
            for layout in ((0, 1), (2, 1)):
                ending = run(KNOWN, *self.words(*words), layout=layout)
                self.assert_ended(ending, 2)
                self.assertIn(says, ending.err)
                self.assertIn(self.path(), ending.err)
                with open(self.path(), "rb") as file:
                    self.assertEqual(file.read(), before)

    def test_in_use(self):
        """Also between two maps the file is the program's."""
        launch = self.start(KNOWN, *self.words("--item-us", 3000, "--sync", 0,
                                               *self.gated(after=COUNT + 50)))
        launch.wait_for(lambda: os.path.exists(self.path()) and
                        results.done_items(self.path(), NAMES[1]).any(), "the second map")
        ending = run(KNOWN, *self.words())
        self.assert_ended(ending, 2, 1)
        self.assertIn("is in use by pid", ending.err)
        if WEFT:
            said = json.loads(self.run_well(WEFT, "status", "--json", self.path(),
                                            layout=(0, None)).out)["maps"]
            states = [each["state"] for each in said]
            self.assertEqual((states[0], states[-1]), ("complete", "waiting"))
            self.assertIn("running", states)
        strike(launch.pid, signal.SIGKILL)
        launch.finish()

    def test_format_1(self):
        """A result of an earlier version is named as such, and left as it is."""
        with h5py.File(self.path(), "w") as file:
            file.attrs["weft_format"] = 1
            file.create_group("results")
            file.create_group("weft/map")
        with open(self.path(), "rb") as file:
            before = file.read()
        for layout in ((0, 1), (2, 1)):
            ending = run(KNOWN, *self.words(), layout=layout)
            self.assert_ended(ending, 2)
            for word in ("is of format 1", "--fresh", "--out", "the version of weft that made it"):
                self.assertIn(word, ending.err)
            with open(self.path(), "rb") as file:
                self.assertEqual(file.read(), before)

    @needs(WEFT, "weft")
    def test_looks(self):
        """weft tells of all maps, or of the one that is asked for."""
        def weft(*words, status=0):
            return self.run_well(WEFT, *words, status=status, layout=(0, None))

        self.run_well(KNOWN, *self.words("--item-us", 100))
        text = weft("status", self.path()).out
        places = [text.index(f"{self.path()}, map {name}: complete") for name in NAMES]
        self.assertEqual(places, sorted(places))
        said = json.loads(weft("status", self.path(), "--json").out)
        self.assertEqual([each["map"] for each in said["maps"]], NAMES)
        one = json.loads(weft("status", self.path(), "--json", "--map", NAMES[2]).out)
        self.assertEqual((one["map"], one["items_done"]), (NAMES[2], COUNT))
        self.assertEqual(len(one["runs"]), 1)
        text = weft("verify", self.path()).out
        self.assertEqual(text.count("tiles verified"), MAPS)
        for command in ("status", "verify", "plan"):
            ending = weft(command, self.path(), "--map", "none", status=2)
            self.assertIn("it has known-0, known-1", ending.err)
        ending = weft("plan", self.path(), "--items", 10, status=2)
        self.assertIn("--map NAME", ending.err)
        planned = json.loads(weft("plan", self.path(), "--map", NAMES[3], "--json").out)
        self.assertEqual((planned["map"], planned["runs_compared"]), (NAMES[3], 1))
        self.assertIn("5 maps one after the other: ", weft("plan", self.path()).out)
        self.damage(f"{NAMES[1]}/hash")
        ending = weft("verify", self.path(), status=1)
        self.assertIn(f"map {NAMES[1]}: ", ending.out)
        self.assertEqual(ending.out.count("DAMAGED"), 1)
        self.assertIn("0 not done yet", weft("verify", self.path(), "--map", NAMES[0]).out)

    def test_a_plan_for_all(self):
        """Maps one after the other; complete ones are passed, those not begun are not known of."""
        launch = self.start(KNOWN, *self.words("--item-us", 500, "--grain", 10, "--sync", 0,
                                               *self.gated(after=COUNT + 50)), layout=(0, 2))
        launch.wait_for(lambda: os.path.exists(self.path())
                        and results.done_items(self.path(), NAMES[1]).any(), "the second map")
        strike(launch.pid, signal.SIGTERM)
        self.assertEqual(launch.finish().status, 75)
        said = json.loads(self.run_well(WEFT, "plan", self.path(), "--json", "--ranks", "1,4",
                                        layout=(0, None)).out)
        self.assertEqual([each["map"] for each in said["maps"]], NAMES[:2])
        self.assertEqual(said["left_out"], NAMES[2:])
        complete, begun = (each["predictions"] for each in said["maps"])
        for first, second, row in zip(complete, begun, said["sequence"]["predictions"]):
            for name in ("makespan_s", "makespan_low_s", "makespan_high_s", "remaining_s",
                         "remaining_high_s", "chunks"):
                self.assertAlmostEqual(row[name], first[name] + second[name], msg=name)
            self.assertEqual((row["ranks"], row["workers"]), (first["ranks"], 2))
            self.assertEqual(first["remaining_s"], 0)
            self.assertGreater(second["remaining_s"], 0)
            self.assertAlmostEqual(
                row["efficiency"] * row["makespan_s"] * row["ranks"] * row["workers"],
                sum(each["work_s"] for each in said["maps"]))
        text = self.run_well(WEFT, "plan", self.path(), layout=(0, None)).out
        self.assertIn(f"map {NAMES[2]} is left out", text)
        self.assertIn("2 maps one after the other: ", text)

    def damage(self, dataset):
        with results.open_result(self.path()) as file:
            offset = file[dataset].id.get_offset()
        with open(self.path(), "r+b") as file:
            file.seek(offset)
            byte = file.read(1)[0]
            file.seek(offset)
            file.write(bytes([byte ^ 1]))


@needs(FAULTY, "faulty.so")
class Stages(SystemTest):
    """Programs whose second map uses the first one's results, killed when that has begun."""

    def everything(self):
        return {name: results.all_bytes(self.path(), name) for name in results.maps(self.path())}

    def check_killed_in(self, map, field, program, *words):
        words = ["--out", self.path(), "--progress", "never", "--sync", 0, *words]
        self.run_well(program, *words)
        wanted = self.everything()
        with results.open_result(self.path()) as file:
            place = file[map][field].id.get_offset()
        os.unlink(self.path())
        for before, after in ((0, 2), (3, 1)), ((2, 1), (0, 2)):
            with self.subTest(before=before, after=after):
                log = self.path("log")
                # The first byte of the field waits for the kill.
                launch = self.start(program, *words, layout=before, env=faulty(
                    f"call=pwrite,path=.h5,from={place},before={place + 1},delay=86400", log=log))
                launch.wait_for(lambda: os.path.exists(log), "the second map has begun")
                for pid in launch.ranks():
                    strike(pid, signal.SIGKILL)
                launch.finish_after_deaths()
                first, second = (results.done_items(self.path(), name)
                                 for name in sorted(wanted, key=lambda name: name == map))
                self.assertTrue(first.all())
                self.assertFalse(second.all())
                self.run_well(program, *words, layout=after)
                self.assertEqual(self.everything(), wanted)
                os.unlink(self.path())
                os.unlink(log)

    @needs(COAST, "coast")
    def test_coast(self):
        self.check_killed_in("bands", "land", COAST, "--resolution", "c", "--step", 6)

    @needs(MONTECARLO, "montecarlo")
    def test_montecarlo(self):
        self.check_killed_in("table", "value", MONTECARLO, "--paths", 3000, "--dates", 8,
                             "--accuracy", 1)


if __name__ == "__main__":
    main()
