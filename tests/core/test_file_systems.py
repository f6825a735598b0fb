"""A folder on a network file system is known by the list of mounts."""

from pathlib import Path

import pytest

from pstgen.core import file_systems

MOUNTS = r"""/dev/sda1 / ext4 rw 0 0
server:/home /home nfs4 rw 0 0
/dev/sdb1 /home/scratch xfs rw 0 0
box:/my\040files /mnt/my\040files cifs rw 0 0
10.0.0.1@tcp:/lustre /lustre lustre rw 0 0
"""


@pytest.mark.parametrize(
    ("folder", "networked"),
    [
        ("/tmp", False),
        ("/home/ann/.cache", True),
        ("/homes/ann", False),
        ("/home/scratch/ann", False),
        ("/mnt/my files/x", True),
        ("/lustre/ann", True),
    ],
)
def test_a_network_file_system_is_known_by_the_deepest_mount(folder, networked):
    assert file_systems.on_network(Path(folder), MOUNTS) == networked


def test_where_the_machine_does_not_say_it_is_none(tmp_path, monkeypatch):
    (tmp_path / "mounts").write_text(f"server:/ {tmp_path.resolve()} nfs4 rw 0 0")
    monkeypatch.setattr(file_systems, "MOUNTS", tmp_path / "mounts")
    assert file_systems.is_networked(tmp_path)
    monkeypatch.setattr(file_systems, "MOUNTS", tmp_path / "gone")
    assert not file_systems.is_networked(tmp_path)
