"""The processes of a run: started, waited for, and ended with all that they started."""

import contextlib
import ctypes
import os
import pathlib
import signal
import subprocess
import sys
import time

from loopback import guard

READY_WITHIN_SECONDS = 60
ENDED_WITHIN_SECONDS = 10
# Of each server's log, when a run fails: the end, which says why.
LOG_CHARACTERS = 4_000
# From <linux/prctl.h>.
PR_SET_CHILD_SUBREAPER = 36


def adopt_orphans() -> None:
    """Whatever a child of ours leaves behind becomes our child, and a signal ends us as an error would."""
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))


@contextlib.contextmanager
def running(command: list, environment: dict[str, str], log: pathlib.Path, port: int):
    """Runs a server until the block ends. It must be reached on this port of 127.0.0.1 and from nowhere else."""
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=environment, stdout=output, stderr=subprocess.STDOUT)
    try:
        until_ready(process, port)
        yield
    except BaseException:
        print(f"--- {log.name}\n{log.read_text(errors='replace')[-LOG_CHARACTERS:]}", file=sys.stderr)
        raise
    finally:
        end(process)


def until_ready(process: subprocess.Popen, port: int) -> None:
    deadline = time.monotonic() + READY_WITHIN_SECONDS
    while not is_listening(port):
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"{process.args[0]} does not come up")
        time.sleep(0.05)
    guard(process.pid)


def is_listening(port: int) -> bool:
    """Without connecting, which a server might take for a request."""
    lines = pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]
    return any(line.split()[1].endswith(f":{port:04X}") and line.split()[3] == "0A" for line in lines)


def end(process: subprocess.Popen) -> None:
    """Ends a server, first as a terminal would, and then what it left behind."""
    process.terminate()
    try:
        process.wait(ENDED_WITHIN_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def end_orphans() -> None:
    """Ends what ended servers have left behind; by then all our children are such."""
    while children := pathlib.Path(f"/proc/self/task/{os.getpid()}/children").read_text().split():
        for child in map(int, children):
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(child, 0)
