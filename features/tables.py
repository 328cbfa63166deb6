"""The Delta tables of a store: where they are, how they are opened and read."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit
from urllib.request import url2pathname

import pyarrow.dataset as ds
import pyarrow.fs as fs
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError, TableNotFoundError

from features.errors import LoadlineError


@dataclass(frozen=True)
class Tables:
    """Delta tables below a folder or a URL."""

    location: str

    def path(self, table: str) -> str:
        """Give the place of a table."""
        return f"{self.location.rstrip('/')}/{table}"

    def open(self, table: str) -> DeltaTable | None:
        """Open a table; None where there is none.

        Raises
        ------
        LoadlineError
            Where it cannot be read.
        """
        try:
            return DeltaTable(self.path(table))
        except TableNotFoundError:
            return None
        except (DeltaError, OSError) as error:
            raise LoadlineError(
                f"the store cannot be read ({first_line(error)})",
                where=self.path(table),
                hint="Check the path and the rights to it; else restore a backup.",
            ) from error


def readable(table: DeltaTable) -> ds.Dataset:
    """Open a table for reading.

    A local one is read without the files of Python that `deltalake` hands to Arrow: Arrow's threads may still let go of
    them when the program ends, which aborts it.
    """
    uri = urlsplit(table.table_uri)
    local = fs.SubTreeFileSystem(url2pathname(uri.path), fs.LocalFileSystem()) if uri.scheme == "file" else None
    return table.to_pyarrow_dataset(filesystem=local)


def first_line(error: Exception) -> str:
    """Give the first line of what an error says, or its kind."""
    return (str(error).splitlines() or [type(error).__name__])[0]
