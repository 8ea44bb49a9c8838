# SPDX-License-Identifier: BSD-3-Clause
"""The file system fights back: full, failing, slow, taken away. The run ends with a message that
says what, where and what to do, and status 1; nothing is marked done that is not in the file; the
same command goes on once all is well (promises P3, P4 and P7).

The faults are made by faulty.c; test_mounts.py has real ones.
"""

import errno
import os
import resource
import shutil
import signal
import unittest

import results
from faults import FAULTY, faulty
from launch import KNOWN, WEFT, SystemTest, environment, main, run, strike

COUNT = 1200
JOB = ["--count", COUNT, "--grain", 10, "--item-us", 300, "--seed", 3, "--progress", "never"]
AGAIN = "run the same command again"


class FilesystemTest(SystemTest):
    def words(self, *more, name="result.h5"):
        return ["--out", self.path(name), *JOB, "--sync", "0.02", *more]

    def check_error(self, ending, *says, name="result.h5"):
        """Status 1, and one message that names the file and has all these words."""
        self.assert_ended(ending, 1)
        messages = [line for line in ending.err.splitlines() if line.startswith("weft: error: ")]
        self.assertEqual(len(messages), 1, str(ending))
        for word in (self.path(name), *says):
            self.assertIn(word, messages[0], str(ending))

    def check_file(self, name="result.h5"):
        """Nothing is marked done that is not; how many items are."""
        path = self.path(name)
        self.assertIsNone(results.opens_everywhere(path))
        self.assertEqual(list(results.wrong_items(path, seed=3)), [])
        if WEFT:
            self.run_well(WEFT, "verify", path, layout=(0, None))
        return int(results.done_items(path).sum())

    def check_goes_on(self, *more, name="result.h5", layout=(0, 1)):
        ending = self.run_well(KNOWN, *self.words(*more, name=name), layout=layout)
        self.assertIn(f"{COUNT} of {COUNT} items done", ending.err)
        self.assertEqual(results.all_bytes(self.path(name)), results.known_bytes(COUNT, seed=3))

    def data_offset(self):
        """Where the tables end and the results begin, in every file of this job."""
        self.run_well(KNOWN, *self.words("--item-us", 0, name="sample.h5"))
        with results.open_result(self.path("sample.h5")) as file:
            return min(file["known"][name].id.get_offset() for name in results.known_values(1))


@unittest.skipUnless(FAULTY, "faulty.so is not built here")
class Faults(FilesystemTest):
    def test_failing_calls(self):
        """A call fails for good: the error says why, and what is recorded is right."""
        data = self.data_offset()
        cases = (
            ((2, 1), f"call=pwrite,rank=1,from={data},after=9", errno.ENOSPC,
             ["No space left", "MB are free", "make room", AGAIN]),
            ((0, 1), f"call=pwrite,from={data},after=9", errno.EDQUOT, ["quota", AGAIN]),
            ((0, 0), f"call=pwrite,from={data},after=9", errno.ESTALE, ["server"]),
            ((2, 2), f"call=pwrite,rank=0,before={data},after=4", errno.EIO, ["dmesg"]),
            ((2, 1), "call=fdatasync,rank=1,after=3", errno.EIO, ["not recorded", "dmesg"]),
            ((0, 1), "call=futimens,path=.lock;call=fdatasync,after=2", errno.ENOSPC,
             ["to disk", "make room"]))
        for number, (layout, rule, reason, says) in enumerate(cases):
            name = f"{number}.h5"
            with self.subTest(rule=rule, reason=reason):
                # Longer than a rank may be late, so that each has its part of the work.
                ending = run(KNOWN, *self.words("--item-us", 10000, name=name), layout=layout,
                             env=faulty(f"{rule},errno={reason}"))
                self.check_error(ending, "host ", *says, name=name)
                self.assertLess(self.check_file(name), COUNT)
                # Faults that are alike are mended alike.
                if number % 3 == 0:
                    self.check_goes_on("--item-us", 0, name=name)

    def test_sync_that_fails_once(self):
        """After a failed sync the system has dropped the bytes, and says that all is well."""
        for layout, rank in (((2, 1), 1), ((0, 1), 0)):
            name = f"{rank}.h5"
            rule = f"call=fdatasync,rank={rank},after=1,times=1,errno={errno.EIO}"
            ending = run(KNOWN, *self.words("--sync", "0.1", "--item-us", 5000, name=name),
                         layout=layout, env=faulty(rule))
            self.check_error(ending, "to disk", name=name)
            with results.open_result(self.path(name)) as file:
                by_rank = file["weft/known/tiles"][()]
            done = by_rank[by_rank["state"] > 0]
            # The one sync before it has covered the first few tiles.
            self.assertLess((done["rank"] == rank).sum(), COUNT / 10 / 4)
            self.check_file(name)

    def test_interrupted_and_short_writes(self):
        ending = run(KNOWN, *self.words("--item-us", 0), layout=(2, 1),
                     env=faulty("call=pwrite,short=7,times=500",
                                f"call=fallocate,path=.new,errno={errno.EINTR},times=3"))
        self.assert_ended(ending, 0)
        self.assertEqual(self.check_file(), COUNT)
        interrupted = f"call=pwrite,errno={errno.EINTR},times=50"
        self.assert_ended(run(KNOWN, *self.words("--item-us", 0, "--fresh"), layout=(2, 1),
                              env=faulty(interrupted)), 0)
        self.assertEqual(self.check_file(), COUNT)

    def test_fresh_where_renaming_replaces(self):
        """Not every file system can rename without replacing, or has links: backups stay."""
        rules = [f"call=renameat2,errno={errno.EINVAL}", f"call=link,errno={errno.EPERM}"]
        for env in (environment(), faulty(rules[0]), faulty(*rules)):
            self.run_well(KNOWN, *self.words("--item-us", 0, "--fresh"), env=env)
            self.run_well(KNOWN, *self.words("--item-us", 0, "--fresh"), env=env)
        files = ["result.h5", "result.h5.bak", *(f"result.h5.bak.{i}" for i in range(2, 6))]
        self.assertEqual(sorted(os.listdir(self.folder)), files)
        for name in files:
            self.assertEqual(results.all_bytes(self.path(name)),
                             results.known_bytes(COUNT, seed=3))

    def test_errors_at_the_very_end(self):
        """With --sync 0 a file system may keep its errors until the file is closed."""
        rule = f"call=close,rank=1,errno={errno.EIO}"
        ending = run(KNOWN, *self.words("--item-us", 0, "--sync", 0), layout=(2, 1),
                     env=faulty(rule))
        self.check_error(ending, "weft verify")

    def test_creation(self):
        for rule in (f"call=fallocate,path=.new,errno={errno.ENOSPC}",
                     f"call=fallocate,path=.new,errno={errno.EDQUOT}",
                     f"call=pwrite,path=.new,errno={errno.EIO}",
                     f"call=pwrite,path=.new,errno={errno.EIO},after=1",
                     f"call=fsync,path=.new,errno={errno.EIO}",
                     f"call=open,path=.h5.lock,errno={errno.EROFS}",
                     f"call=open,path=.h5.new,errno={errno.EACCES}"):
            with self.subTest(rule=rule):
                self.check_error(run(KNOWN, *self.words(), env=faulty(rule)), AGAIN)
                self.assertEqual(os.listdir(self.folder), [])
        unsupported = f"call=fallocate,path=.new,errno={errno.EOPNOTSUPP}"
        self.assert_ended(run(KNOWN, *self.words("--item-us", 0), env=faulty(unsupported)), 0)
        self.assertEqual(self.check_file(), COUNT)

    def test_file_that_cannot_be_seen(self):
        """That is not the same as a file that is not there: it must not be replaced."""
        self.run_well(KNOWN, *self.words("--item-us", 0))
        os.rename(self.path(), self.path("kept.h5"))
        os.link(self.path("kept.h5"), self.path())
        ending = run(KNOWN, *self.words(), env=faulty(f"call=stat,errno={errno.ESTALE}"))
        self.check_error(ending, "cannot look", AGAIN)
        self.assertTrue(os.path.samefile(self.path("kept.h5"), self.path()))

    def test_file_that_cannot_be_read(self):
        """That is not the same as another's file, or a damaged one."""
        self.run_well(KNOWN, *self.words("--item-us", 0))
        for program, words in ((KNOWN, self.words()), (WEFT, ["verify", self.path()])):
            for after in (0, 1, 3) if program else ():
                rule = f"call=pread,errno={errno.EIO},after={after}"
                ending = run(program, *words, layout=(0, 1 if program is KNOWN else None),
                             env=faulty(rule))
                self.check_error(ending, "cannot read", "dmesg", AGAIN)
        self.assertEqual(self.check_file(), COUNT)

    def test_slow_disk(self):
        """Longer than ranks may be silent: the tables on rank 0, a sync, results on rank 1; and the
        leases, for which the others have to wait."""
        data = self.data_offset()
        with results.open_result(self.path("sample.h5")) as file:
            leases = file["weft/known/leases"].id.get_offset()
            end = leases + file["weft/known/leases"].size
            tiles = file["weft/known/tiles"].id.get_offset()
        # The first writes there are those that make the file.
        for rules in ((f"call=pwrite,rank=0,from={tiles},before={leases},after=4,times=1,delay=6",
                       "call=fdatasync,rank=0,after=1,times=1,delay=6",
                       f"call=pwrite,rank=1,from={data},after=6,times=1,delay=6"),
                      (f"call=pwrite,rank=0,from={leases},before={end},after=2,times=1,delay=6",)):
            log = self.path("log")
            self.run_well(KNOWN, *self.words("--fresh", "--item-us", 2000), layout=(2, 1),
                          env=faulty(*rules, log=log))
            with open(log, encoding="ascii") as file:
                self.assertEqual(len(file.readlines()), len(rules))
            self.assertEqual(self.check_file(), COUNT)
            os.unlink(log)

    def test_main_thread_never_waits(self):
        """The thread that has to answer the other ranks leaves the file to others."""
        log = self.path("log")
        rules = ["call=futimens,path=.h5.lock,thread=main",
                 *(f"call={call},thread=main" for call in ("pwrite", "fdatasync", "fsync"))]
        for words, status in ((["--fail", "7,77"], 3), (["--retry-failed"], 0)):
            self.run_well(KNOWN, *self.words(*words), layout=(2, 1), status=status,
                          env=faulty(*rules, log=log))
            self.assertFalse(os.path.exists(log), "it was seen to write, or to sync")

    def test_nothing_is_forced_to_disk_unasked(self):
        """With --sync 0, whether the file is made, continued, or passed as complete; without it the
        file before it has its name, its folder, the results and their records."""
        log = self.path("log")
        rules = ["call=fsync,path=", "call=fdatasync,path="]  # also on what has another name
        for layout in ((0, 0), (0, 2), (2, 1)):
            for words, status in ((["--fresh", "--fail", "7,77"], 3), (["--retry-failed"], 0),
                                  ([], 0)):
                self.run_well(KNOWN, *self.words("--item-us", 0, "--sync", 0, *words),
                              layout=layout, status=status, env=faulty(*rules, log=log))
                self.assertFalse(os.path.exists(log), "something was forced to disk")
        self.run_well(KNOWN, *self.words("--item-us", 0, "--sync", 10, "--fresh"), layout=(0, 2),
                      env=faulty(*rules, log=log))
        with open(log, encoding="ascii") as file:
            lines = file.readlines()
        self.assertEqual(sum("fsync" in line for line in lines), 2, lines)
        self.assertGreaterEqual(sum("fdatasync" in line for line in lines), 2, lines)
        os.unlink(log)

    def test_a_new_file_is_not_read(self):
        log = self.path("log")
        for layout in ((0, 2), (2, 1)):
            self.run_well(KNOWN, *self.words("--item-us", 0, "--fresh", "--fail", "7"), status=3,
                          layout=layout, env=faulty("call=pread,path=.h5", log=log))
            self.assertFalse(os.path.exists(log), "the file that was just made was read")
        self.run_well(KNOWN, *self.words("--item-us", 0, "--retry-failed"),
                      env=faulty("call=pread,path=.h5", log=log))
        self.assertTrue(os.path.exists(log))

    def test_limit_of_file_size(self):
        def limit():
            resource.setrlimit(resource.RLIMIT_FSIZE, (6 << 20, 6 << 20))  # MPI needs some
        self.check_error(run(KNOWN, *self.words("--count", 400000), preexec_fn=limit), "ulimit -f",
                         AGAIN)
        self.assertEqual(os.listdir(self.folder), [])


class TakenAway(FilesystemTest):
    """A file that goes while a run writes to it; several runs at a time, since all have to last."""

    def begin(self, name, *more):
        launch = self.start(KNOWN, *self.words("--item-us", 20000, *more, name=name),
                            *self.gated(after=200), layout=(0, 1))
        launch.wait_for(lambda: os.path.exists(self.path(name)) and
                        results.done_items(self.path(name)).any(), "work begins")
        return launch

    def test_taken_away(self):
        removed, moved, replaced, cut = (self.path(f"{name}.h5") for name in
                                         ("removed", "moved", "replaced", "cut"))
        launches = [self.begin(os.path.basename(path)) for path in (removed, moved, replaced, cut)]
        shutil.copy(replaced, self.path("copy.h5"))
        os.unlink(removed)
        os.rename(moved, self.path("elsewhere.h5"))
        os.rename(self.path("copy.h5"), replaced)
        os.truncate(cut, os.path.getsize(cut) // 2)
        endings = [launch.finish() for launch in launches]
        self.check_error(endings[0], "was removed", "lost", AGAIN, name="removed.h5")
        self.check_error(endings[1], "was moved", "move it back", AGAIN, name="moved.h5")
        self.check_error(endings[2], "was removed", "another file now", name="replaced.h5")
        self.check_error(endings[3], "was cut", "--fresh", name="cut.h5")
        self.assertFalse(os.path.exists(removed))
        self.check_goes_on("--item-us", 0, name="removed.h5")
        os.rename(self.path("elsewhere.h5"), moved)
        self.assertGreater(self.check_file("moved.h5"), 0)
        self.check_goes_on("--item-us", 0, name="moved.h5")
        self.check_file("replaced.h5")
        if WEFT:
            self.assert_ended(run(WEFT, "verify", cut, layout=(0, None)), 1)
        self.assert_ended(run(KNOWN, *self.words(name="cut.h5")), 1)

    def test_at_the_end(self):
        """A run that is over within a second looks as well."""
        launch = self.start(KNOWN, *self.words("--item-us", 0), *self.gated(items=[COUNT - 1]))
        launch.wait_for(lambda: os.path.exists(self.path()) and
                        results.done_items(self.path()).any(), "work begins")
        os.unlink(self.path())
        self.open_gate()
        self.check_error(launch.finish(), "was removed")

    def test_an_error_does_not_wait_for_kernels(self):
        for layout in ((0, 2), (2, 1)):
            with self.subTest(layout=layout):
                launch = self.start(KNOWN, *self.words("--fresh", "--slow", "0", "--slow-s", 600),
                                    layout=layout)
                launch.wait_for(lambda: os.path.exists(self.path()) and
                                results.done_items(self.path()).any(), "work begins")
                os.unlink(self.path())
                self.check_error(launch.finish(limit_s=60), "was removed")

    def test_lock_is_removed(self):
        """It comes back, and keeps others out."""
        launch = self.begin("result.h5")
        lock = self.path("result.h5.lock")
        os.unlink(lock)
        launch.wait_for(lambda: os.path.exists(lock), "the lock is back")
        self.assert_ended(run(KNOWN, *self.words()), 2)
        strike(launch.pid, signal.SIGUSR1)
        self.assert_ended(launch.finish(), 75)
        self.assertFalse(os.path.exists(lock))

    def test_foreign_lock(self):
        with open(self.path("result.h5.lock"), "w", encoding="ascii") as file:
            file.write("numpy==1.24\n")
        ending = run(KNOWN, *self.words())
        self.assert_ended(ending, 2)
        self.assertIn("not a lock of weft", ending.err)
        self.assertEqual(os.listdir(self.folder), ["result.h5.lock"])

    def test_lock_of_another_host(self):
        """Left behind by a run that died elsewhere: nobody holds it."""
        with open(self.path("result.h5.lock"), "w", encoding="ascii") as file:
            file.write("host elsewhere pid 1 started 1 since 2026-01-31T12:34:56Z\n")
        self.check_goes_on("--item-us", 0)


if __name__ == "__main__":
    main()
