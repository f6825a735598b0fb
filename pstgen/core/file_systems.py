"""Which file system a folder lies on: what only works among processes of one machine must not be tried on a network's."""

import re
from pathlib import Path

MOUNTS = Path("/proc/self/mounts")  # Linux: device, folder, file system, …, a line each (man 5 proc)
NETWORK = re.compile(
    r"nfs\d?|cifs|smb\d?|smbfs|lustre|gpfs|beegfs|ceph|glusterfs|panfs|wekafs|9p|afs|fuse\.(sshfs|glusterfs|ceph)"
)


def is_networked(folder: Path) -> bool:
    """Is a folder on a network file system? False where this machine does not say."""
    try:
        return on_network(folder.resolve(), MOUNTS.read_text(errors="replace"))
    except OSError:
        return False


def on_network(folder: Path, mounts: str) -> bool:
    r"""The same by lines as in /proc/self/mounts: of several folders that hold it, the deepest counts.

    >>> on_network(Path("/home/ann/.cache"), "/dev/sda1 / ext4 rw 0 0\nserver:/home /home nfs4 rw 0 0\n")
    True
    """
    found, kind = -1, ""
    for line in mounts.splitlines():
        _, place, system, *_ = [*line.split(" "), "", ""]
        place = re.sub(r"\\([0-7]{3})", lambda code: chr(int(code[1], 8)), place)
        if place and folder.is_relative_to(place) and len(place) > found:
            found, kind = len(place), system
    return bool(NETWORK.fullmatch(kind))
