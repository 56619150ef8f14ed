"""MiniStack as a process of ours, and what it lacks."""

import contextlib
import os
import pathlib
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request

from loopback import free_port

REGION = "eu-west-1"
ACCOUNT = "123456789012"
READY_WITHIN_SECONDS = 60

# What has to be put differently for MiniStack 1.5, and nothing else: each must be found exactly once.
CONCESSIONS = [
    # It asks for this action on any resource, where AWS asks for it on the path.
    (r"(Action: ssm:GetParametersByPath\n\s+Resource: ).*", r'\1"*"'),
]


def conceded(template: str) -> str:
    """The template with the concessions made."""
    for pattern, instead in CONCESSIONS:
        template, found = re.subn(pattern, instead, template)
        if found == 0:
            sys.exit(f"nothing in the template looks like {pattern} any more; the concession to MiniStack can go")
    return template


def environment(endpoint: str) -> dict[str, str]:
    """What a client of the emulator must have in its environment; nothing of ours that could reach AWS itself."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return kept | {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_EC2_METADATA_DISABLED": "true",
        "SAM_CLI_TELEMETRY": "0",
    }


@contextlib.contextmanager
def running(folder: pathlib.Path):
    """Runs the emulator on a free port of loopback, with its files in a folder, and answers its address."""
    port = free_port()
    endpoint = f"http://127.0.0.1:{port}"
    (folder / "tmp").mkdir(parents=True)
    own = {
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        "MINISTACK_REGION": REGION,
        # Every call is checked against the policies of whoever makes it.
        "AUTH": "true",
        "TMPDIR": str(folder / "tmp"),
    }
    log = folder / "ministack.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "ministack"],
            env=environment(endpoint) | own,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        until_ready(process, endpoint)
        yield endpoint
    except BaseException:
        print(log.read_text(errors="replace")[-8_000:], file=sys.stderr)
        raise
    finally:
        # The functions are its children and go with it.
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def until_ready(process: subprocess.Popen, endpoint: str) -> None:
    deadline = time.monotonic() + READY_WITHIN_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(urllib.error.URLError, ConnectionError):
            urllib.request.urlopen(f"{endpoint}/_ministack/health", timeout=1)
            return
        time.sleep(0.1)
    raise RuntimeError("MiniStack does not come up")
