"""Whatever happens in a decoder process, the service gets a picture or a typed error, in time."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from imgguard.errors import CorruptImage, DecodeCrash, DecodeTimeout, DependencyError, ImageTooLarge, UnsupportedFormat
from imgguard.imaging import child, sandbox, wire
from imgguard.imaging.decode import decode_bytes
from imgguard.imaging.image import DecodeLimits
from imgguard.imaging.sandbox import SandboxedDecoder


@pytest.fixture(scope="module")
def png(picture, encode) -> bytes:
    return encode(picture, "PNG")


def pids(decoder: SandboxedDecoder) -> list[int]:
    return [one.pid for one in decoder._pool._all]


def wait_until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.01)


def is_gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_same_as_in_process(decoder, png, assets):
    for data in (png, (assets / "turned.heic").read_bytes()):
        there, here = decoder.decode(data), decode_bytes(data, DecodeLimits())
        assert (there.working == here.working).all()
        assert not there.working.flags.writeable
        assert wire.picture_header(there) == wire.picture_header(here)
        assert (there.sha256, there.byte_length) == (here.sha256, here.byte_length)


def test_errors_come_through_and_the_child_stays(decoder, png):
    decoder.decode(png)
    before = pids(decoder)
    for data, error in ((b"nothing", UnsupportedFormat), (png[:150], CorruptImage)):
        with pytest.raises(error):
            decoder.decode(data)
    decoder.decode(png)
    assert pids(decoder) == before


def test_children_start_when_needed():
    with SandboxedDecoder(DecodeLimits(), workers=4) as decoder:
        assert pids(decoder) == []


def test_too_many_bytes_are_refused_here(png):
    with SandboxedDecoder(DecodeLimits(max_bytes=10)) as decoder:
        with pytest.raises(ImageTooLarge):
            decoder.decode(png)
        assert pids(decoder) == []


def test_child_is_confined(decoder, png):
    decoder.decode(png)
    process = psutil.Process(pids(decoder)[0])
    for kind, bound in (
        (psutil.RLIMIT_AS, 2_000_000_000),
        (psutil.RLIMIT_CORE, 0),
        (psutil.RLIMIT_FSIZE, 0),
        (psutil.RLIMIT_NOFILE, 32),
    ):
        assert process.rlimit(kind) == (bound, bound)
    assert 20 < process.rlimit(psutil.RLIMIT_CPU)[0] < 30
    assert os.getsid(process.pid) != os.getsid(0)
    assert not {"HOME", "PATH", "PYTHONPATH"} & set(process.environ())
    os.kill(process.pid, signal.SIGINT)
    decoder.decode(png)
    assert pids(decoder) == [process.pid]


def test_hang(png):
    with SandboxedDecoder(DecodeLimits(seconds=0.5)) as decoder:
        decoder.decode(png)
        (pid,) = pids(decoder)
        os.kill(pid, signal.SIGSTOP)
        started = time.monotonic()
        with pytest.raises(DecodeTimeout):
            decoder.decode(png)
        assert time.monotonic() - started < 1.5
        assert is_gone(pid)
        decoder.decode(png)


def test_hang_while_a_large_file_is_sent(png):
    with SandboxedDecoder(DecodeLimits(seconds=0.5)) as decoder:
        decoder.decode(png)
        os.kill(pids(decoder)[0], signal.SIGSTOP)
        with pytest.raises(DecodeTimeout):
            decoder.decode(png + bytes(20_000_000))


def test_slow_file(huge_png):
    with SandboxedDecoder(DecodeLimits(seconds=0.3)) as decoder, pytest.raises(DecodeTimeout):
        decoder.decode(huge_png)


@pytest.mark.parametrize(
    ("number", "name"), [(signal.SIGKILL, "SIGKILL"), (signal.SIGSEGV, "SIGSEGV"), (35, "signal 35")]
)
def test_crash_amid_a_file(number, name, decoder, png):
    decoder.decode(png)
    (pid,) = pids(decoder)
    os.kill(pid, signal.SIGSTOP)

    def strike() -> None:
        time.sleep(0.2)
        os.kill(pid, number)
        os.kill(pid, signal.SIGCONT)

    thread = threading.Thread(target=strike)
    thread.start()
    with pytest.raises(DecodeCrash, match=name):
        decoder.decode(png)
    thread.join()
    decoder.decode(png)


def test_file_that_crashes_the_library(decoder, assets: Path, png):
    """pi-heif 1.4 reads through a null pointer when the type of a metadata item is not UTF-8."""
    data = (assets / "turned.heic").read_bytes()
    at = data.index(b"Exif", data.index(b"iinf"))
    with pytest.raises((DecodeCrash, CorruptImage)):
        decoder.decode(data[:at] + b"\xff" + data[at + 1 :])
    decoder.decode(png)


def test_crash_while_idle_is_not_the_fault_of_the_next_file(png):
    with SandboxedDecoder(DecodeLimits(), workers=2) as decoder:
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(decoder.decode, [png] * 20))
        for pid in pids(decoder):
            os.kill(pid, signal.SIGKILL)
            wait_until(lambda pid=pid: is_gone(pid))
        decoder.decode(png)


def test_processor_time_is_the_backstop(decoder, png):
    decoder.decode(png)
    (pid,) = pids(decoder)
    os.kill(pid, signal.SIGSTOP)

    def strike() -> None:
        time.sleep(0.2)
        os.kill(pid, signal.SIGXCPU)
        os.kill(pid, signal.SIGCONT)

    thread = threading.Thread(target=strike)
    thread.start()
    with pytest.raises(DecodeTimeout):
        decoder.decode(png)
    thread.join()


def test_memory_bomb(huge_png, png):
    with SandboxedDecoder(DecodeLimits(memory_bytes=400_000_000)) as decoder:
        with pytest.raises(ImageTooLarge, match="memory"):
            decoder.decode(huge_png)
        decoder.decode(png)


def test_children_are_replaced(png, monkeypatch):
    monkeypatch.setattr(sandbox, "_REQUESTS_PER_CHILD", 3)
    with SandboxedDecoder(DecodeLimits()) as decoder:
        seen = []
        for _ in range(7):
            decoder.decode(png)
            seen += pids(decoder)
        assert len(set(seen)) == 3
        assert all(is_gone(pid) for pid in set(seen) - set(pids(decoder)))


def test_forged_reply_is_a_crash(decoder, png, monkeypatch):
    decoder.decode(png)
    (one,) = decoder._pool._all
    (pid,) = pids(decoder)
    monkeypatch.setattr(type(one), "_receive", lambda *_, **__: (b'{"width": 1}', bytearray()))
    with pytest.raises(DecodeCrash):
        decoder.decode(png)
    assert is_gone(pid)


def test_overlong_reply_is_not_read(decoder, png, monkeypatch):
    decoder.decode(png)
    (one,) = decoder._pool._all
    monkeypatch.setattr(type(one), "_read", lambda *_, **__: bytearray(b"\xff" * 8))
    with pytest.raises(DecodeCrash):
        decoder.decode(png)


def test_child_that_does_not_start(decoder, png, monkeypatch):
    monkeypatch.setattr(child, "_MODULE", "imgguard.imaging.nowhere")
    with pytest.raises(DependencyError, match="nowhere"):
        decoder.decode(png)
    assert pids(decoder) == []


def test_many_threads(png, picture, encode):
    files = [png, encode(picture, "BMP"), encode(picture.rotate(180), "PNG"), b"rubbish", encode(picture, "GIF")]
    expected = {data: decode_bytes(data, DecodeLimits()).pixel_digest for data in files if data != b"rubbish"}

    def work(data: bytes) -> None:
        if data in expected:
            assert decoder.decode(data).pixel_digest == expected[data]
        else:
            with pytest.raises(UnsupportedFormat):
                decoder.decode(data)

    with SandboxedDecoder(DecodeLimits(), workers=2) as decoder, ThreadPoolExecutor(8) as pool:
        list(pool.map(work, files * 20))
        assert len(pids(decoder)) <= 2


def test_close(png):
    decoder = SandboxedDecoder(DecodeLimits())
    decoder.decode(png)
    (pid,) = pids(decoder)
    decoder.close()
    decoder.close()
    assert is_gone(pid)
    with pytest.raises(RuntimeError, match="closed"):
        decoder.decode(png)


def test_close_while_decoding(png):
    decoder = SandboxedDecoder(DecodeLimits())
    decoder.decode(png)
    os.kill(pids(decoder)[0], signal.SIGSTOP)
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(decoder.decode, png)
        time.sleep(0.2)
        decoder.close()
        with pytest.raises(RuntimeError, match="closed"):
            running.result(timeout=5)


def test_forgotten_decoder_leaves_no_child(png):
    decoder = SandboxedDecoder(DecodeLimits())
    decoder.decode(png)
    (pid,) = pids(decoder)
    del decoder
    wait_until(lambda: is_gone(pid))


SERVICE = """
import os, sys, threading, time
from imgguard.imaging.image import DecodeLimits
from imgguard.imaging.sandbox import SandboxedDecoder
decoder = SandboxedDecoder(DecodeLimits())
small, large = (open(name, "rb").read() for name in sys.argv[1:3])
# The child outlives the thread that started it: only the process counts.
thread = threading.Thread(target=decoder.decode, args=(small,))
thread.start()
thread.join()
decoder.decode(small)
(one,) = decoder._pool._all
print(one.pid, flush=True)
if sys.argv[3] == "busy":
    decoder.decode(large)
time.sleep(60)
"""


@pytest.mark.parametrize("state", ["idle", "busy"])
def test_no_child_outlives_the_service(state, png, huge_png, tmp_path: Path):
    (tmp_path / "small").write_bytes(png)
    (tmp_path / "large").write_bytes(huge_png)
    command = [sys.executable, "-c", SERVICE, str(tmp_path / "small"), str(tmp_path / "large"), state]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as service:
        assert service.stdout is not None
        pid = int(service.stdout.readline())
        busy_before = sum(psutil.Process(pid).cpu_times()[:2])
        if state == "busy":
            wait_until(lambda: sum(psutil.Process(pid).cpu_times()[:2]) > busy_before + 0.1)
        service.kill()
    wait_until(lambda: is_gone(pid), seconds=0.5)


FORK = """
import os, sys
from pathlib import Path
from imgguard.imaging.image import DecodeLimits
from imgguard.imaging.sandbox import SandboxedDecoder
decoder = SandboxedDecoder(DecodeLimits())
data = Path(sys.argv[1]).read_bytes()
decoder.decode(data)
(mine,) = (one.pid for one in decoder._pool._all)
pid = os.fork()
decoder.decode(data)
(theirs,) = (one.pid for one in decoder._pool._all)
if pid == 0:
    assert theirs != mine
    sys.exit(0)
assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
assert theirs == mine
decoder.decode(data)
decoder.close()
"""


def test_fork_of_the_service_gets_its_own_children(png, tmp_path: Path):
    (tmp_path / "small").write_bytes(png)
    command = [sys.executable, "-W", "error", "-c", FORK, str(tmp_path / "small")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stderr) == (0, "")
