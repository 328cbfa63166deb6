"""SQLite is not used where it could be damaged."""

from pathlib import Path

import pytest
from postgres import closing_database, sqlite_at

from features.errors import LoadlineError
from serving.database.connection import Database
from serving.database.guard import check_place, check_processes, file_system, sqlite_module

MOUNTS = """\
/dev/sda1 / ext4 rw 0 0
server:/homes /srv/homes nfs4 rw 0 0
tmpfs /srv/homes/local tmpfs rw 0 0
//files/bank /mnt/our\\040bank cifs rw 0 0
"""


def test_sqlite_guard_several_processes_need_a_version_that_keeps_what_they_write(tmp_path: Path):
    with closing_database(sqlite_at(tmp_path / "loadline.db")) as database:
        with pytest.raises(LoadlineError, match=r"SQLite 3\.51\.2 can lose what 2 processes write"):
            check_processes(database, workers=2, version=(3, 51, 2))
        check_processes(database, workers=2, version=(3, 51, 3))
        check_processes(database, workers=1, version=(3, 40, 0))
        check_processes(database, workers=2)  # the one that is installed
        with database.engine.connect() as connection:
            used = connection.exec_driver_sql("SELECT sqlite_version()").scalar_one()
        assert used == ".".join(map(str, sqlite_module().sqlite_version_info))
    check_processes(Database("postgresql://nobody@nowhere/none"), workers=8, version=(3, 0, 0))


@pytest.mark.parametrize(
    ("place", "kind"),
    [
        ("/srv/homes/bank/loadline.db", "nfs4"),
        ("/srv/homes/local/loadline.db", "tmpfs"),
        ("/srv/homesick/loadline.db", "ext4"),
        ("/mnt/our bank/loadline.db", "cifs"),
    ],
)
def test_sqlite_guard_a_file_system_of_another_machine_is_refused(tmp_path: Path, place: str, kind: str):
    mounts = tmp_path / "mounts"
    mounts.write_text(MOUNTS)
    assert file_system(Path(place), mounts=mounts) == kind
    if kind in ("nfs4", "cifs"):
        with pytest.raises(LoadlineError, match=f"another machine \\({kind}\\)"):
            check_place(Path(place), mounts=mounts)
    else:
        check_place(Path(place), mounts=mounts)


def test_where_it_cannot_be_told_it_is_allowed(tmp_path: Path):
    assert file_system(Path("/home"), mounts=tmp_path / "none") == ""
    check_place(Path("/home"), mounts=tmp_path / "none")
