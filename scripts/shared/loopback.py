"""Servers that are reached from this machine only: a free port, and a look at where a process really listens.

    loopback.py free-port     prints one
    loopback.py guard PID     fails if the process listens anywhere but on 127.0.0.1
"""

import os
import pathlib
import socket
import sys

# As /proc/net has it: an address's bytes, in words of the machine's own order.
LOOPBACK_IPV4 = socket.inet_aton("127.0.0.1")
LISTENING = "0A"


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def guard(process: int) -> None:
    """Ends the script if a process can be reached from elsewhere."""
    addresses = listening_on(process)
    if not addresses or any(address != LOOPBACK_IPV4 for address in addresses):
        sys.exit(f"Process {process} must listen on 127.0.0.1 and nowhere else: {[a.hex('.') for a in addresses]}")


def listening_on(process: int) -> list[bytes]:
    """The addresses on which a process listens, IPv4 ones of an IPv6 socket as such."""
    own = {os.readlink(file) for file in pathlib.Path(f"/proc/{process}/fd").iterdir() if file.is_symlink()}
    addresses = []
    for table in ("tcp", "tcp6"):
        for line in pathlib.Path(f"/proc/{process}/net/{table}").read_text().splitlines()[1:]:
            _, local, _, state, *_, inode = line.split()[:10]
            if state == LISTENING and f"socket:[{inode}]" in own:
                addresses.append(address_of(local.partition(":")[0]))
    return addresses


def address_of(text: str) -> bytes:
    words = [int(text[start : start + 8], 16) for start in range(0, len(text), 8)]
    address = b"".join(word.to_bytes(4, sys.byteorder) for word in words)
    return address.removeprefix(bytes(10) + b"\xff\xff")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["free-port"]:
            print(free_port())
        case ["guard", process]:
            guard(int(process))
        case _:
            sys.exit(__doc__)
