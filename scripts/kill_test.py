"""Kill imgguard at random moments and see whether it keeps what it acknowledged.

    python scripts/kill_test.py --kills 50 [--seed 1] [--folder DIR]

Each round starts a real `imgguard register` or `imgguard remove`, kills it (SIGKILL) at a random moment, and then
demands: every reference whose registration was printed is listed, its stored bytes have the printed digest, and a
check of its file finds it; every printed removal holds; bytes whose erasure was printed are gone.
"""

import argparse
import hashlib
import json
import random
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

IMGGUARD = Path(sys.executable).with_name("imgguard")
SAMPLES = Path(__file__).resolve().parents[1] / "sample_images" / "originals"
OWNER = "Kill Test"


@dataclass(kw_only=True)
class Summary:
    """What happened. ``problems`` is empty when nothing acknowledged was lost."""

    kills: int = 0
    finished: int = 0
    registered: int = 0
    removed: int = 0
    erased: int = 0
    checks: int = 0
    problems: list[str] = field(default_factory=list)


class KillTest:
    """``work`` holds the store and copies of the images."""

    def __init__(self, work: Path, *, seed: int, images: int = 16) -> None:
        self.random = random.Random(seed)
        self.home = work / "home"
        self.images = work / "images"
        self.images.mkdir(parents=True)
        for path in sorted(SAMPLES.iterdir())[:images]:
            shutil.copy(path, self.images)
        self.active: dict[str, tuple[str, str]] = {}  # reference id -> file, digest
        self.ended: dict[str, str] = {}  # reference id -> withdrawn or erased
        self.erased: set[str] = set()  # digests of bytes whose erasure was printed and that were not registered since
        self.summary = Summary()

    def round(self) -> None:
        """One command, killed, and everything acknowledged so far looked at."""
        if self.active and self.random.random() < 0.4:
            self._remove()
        else:
            self._register()
        self._verify()

    def _register(self) -> None:
        files = [str(path) for path in self.images.iterdir()]
        self.random.shuffle(files)
        # Killed at any moment, this may have stored any of the files again without saying so.
        self.erased.clear()
        for line in self._killed("register", *files, "--owner", OWNER, "--json"):
            if line["status"] == "rejected":
                self.summary.problems.append(f"rejected: {line}")
                continue
            self.summary.registered += line["status"] == "registered"
            self.active[line["reference_id"]] = (line["file"], line["sha256"])

    def _remove(self) -> None:
        wanted = self.random.sample(sorted(self.active), self.random.randint(1, len(self.active)))
        erase = self.random.random() < 0.6
        options = ["--erase", "--yes"] if erase else []
        for line in self._killed("remove", *wanted, *options, "--json"):
            self.summary.removed += 1
            _, sha256 = self.active.pop(line["reference_id"])
            if line["status"] == "erased" and line["error"] is None:  # an error says that the bytes are still there
                self.erased.add(sha256)
            if line["status"] != ("erased" if erase else "withdrawn"):
                self.summary.problems.append(f"not removed: {line}")
            self.ended[line["reference_id"]] = line["status"]
        self._forget_unacknowledged(wanted)

    def _forget_unacknowledged(self, wanted: list[str]) -> None:
        """A removal that was under way may have happened or not; which one it is, the store says."""
        statuses = self._statuses()
        for identifier in wanted:
            if identifier in self.active and statuses.get(identifier) != "active":
                del self.active[identifier]

    def _killed(self, *arguments: str) -> list[dict[str, Any]]:
        """The complete lines that a command printed before it was killed."""
        command = [str(IMGGUARD), "--home", str(self.home), *arguments]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
            assert process.stdout is not None
            # Somewhere between the start of Python and the end of the work; mostly while it works.
            lines = [process.stdout.readline()] if self.random.random() < 0.8 else []
            time.sleep(self.random.uniform(0.0, 1.2))
            if process.poll() is None:
                self.summary.kills += 1
                process.kill()
            else:
                self.summary.finished += 1
            lines += process.stdout.read().splitlines(keepends=True)
        return [json.loads(line) for line in lines if line.endswith(b"\n")]

    def _run(self, *arguments: str) -> list[dict[str, Any]]:
        command = [str(IMGGUARD), "--home", str(self.home), *arguments, "--json"]
        done = subprocess.run(command, capture_output=True, check=False)
        if done.returncode != 0:
            self.summary.problems.append(f"{arguments[0]} exited with {done.returncode}: {done.stderr.decode()}")
        return [json.loads(line) for line in done.stdout.splitlines()]

    def _statuses(self) -> dict[str, str]:
        return {line["reference_id"]: line["status"] for line in self._run("list")}

    def _stored(self, sha256: str) -> Path:
        return self.home / "originals" / sha256[:2] / sha256[2:4] / sha256

    def _verify(self) -> None:
        listed = self._run("list")
        statuses = {line["reference_id"]: line["status"] for line in listed}
        self._verify_erased(used={line["sha256"] for line in listed})
        for identifier, (file, sha256) in self.active.items():
            stored = self._stored(sha256)
            if statuses.get(identifier) != "active":
                self.summary.problems.append(f"{identifier} is {statuses.get(identifier)}, not active")
            elif not stored.is_file() or hashlib.sha256(stored.read_bytes()).hexdigest() != sha256:
                self.summary.problems.append(f"the bytes of {identifier} ({file}) are lost or damaged")
        for identifier, status in self.ended.items():
            if statuses.get(identifier) != status:
                self.summary.problems.append(f"{identifier} is {statuses.get(identifier)}, not {status}")
        self._find_all()

    def _verify_erased(self, *, used: set[str | None]) -> None:
        """Bytes whose erasure was printed are gone, though they were checked too; unless other references use them."""
        for sha256 in self.erased - used:
            self.summary.erased += 1
            if self._stored(sha256).exists():
                self.summary.problems.append(f"bytes that were erased are still there: {sha256}")
            temporary = [path for path in (self.home / "originals" / ".tmp").iterdir() if path.is_file()]
            if any(hashlib.sha256(path.read_bytes()).hexdigest() == sha256 for path in temporary):
                self.summary.problems.append(f"bytes that were erased are still in a temporary file: {sha256}")

    def _find_all(self) -> None:
        """Check every file that is registered: its reference must be among the copies that are found."""
        if not self.active:
            return
        files = {file: identifier for identifier, (file, _) in self.active.items()}
        for line in self._run("check", *files, "--profile", "quick"):
            self.summary.checks += 1
            found = {match["reference_id"] for match in line["matches"] if match["verdict"] == "copy"}
            if files[line["file"]] not in found:
                self.summary.problems.append(f"{files[line['file']]} ({line['file']}) was not found: {line['verdict']}")
            if found & set(self.ended):
                self.summary.problems.append(f"removed references are still matched: {found & set(self.ended)}")

    def finish(self) -> Summary:
        """Run to the end what was killed, and have the doctor look at the store."""
        self._run("register", str(self.images), "--owner", OWNER)
        for line in self._run("doctor", "--deep"):
            # Bytes that were stored just before a kill wait for their registration to be repeated.
            if line["status"] != "ok" and line["title"] != "Orphan files":
                self.summary.problems.append(f"doctor: {line['title']}: {line['detail']}")
        return self.summary


def run(work: Path, *, kills: int, seed: int, images: int = 16) -> Summary:
    """Rounds until so many processes were killed, or a problem appeared."""
    test = KillTest(work, seed=seed, images=images)
    while test.summary.kills < kills and not test.summary.problems:
        test.round()
    return test.finish()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="an empty folder for the store; default: a temporary one")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="imgguard-kill-") as temporary:
        started = time.monotonic()
        summary = run((chosen.folder or Path(temporary)) / "kill", kills=chosen.kills, seed=chosen.seed)
    print(
        f"{summary.kills} processes killed, {summary.finished} ended before; {summary.registered} registrations and "
        f"{summary.removed} removals acknowledged; {summary.erased} times erased bytes were looked for; "
        f"{summary.checks} checks; {len(summary.problems)} problems; "
        f"{time.monotonic() - started:.0f} s"
    )
    for problem in summary.problems:
        print(f"  {problem}")
    return 1 if summary.problems else 0


if __name__ == "__main__":
    sys.exit(main())
