"""Which reader a file needs."""

from pathlib import Path

from loyalty.connectors.csv_rows import CsvFile
from loyalty.connectors.rows import RowFile
from loyalty.errors import BadInput

PARQUET_MARK = b"PAR1"


def open_rows(path: Path, delimiter: str) -> RowFile:
    """The file's reader, by what the file begins with.

    Args:
        delimiter: between the cells of a CSV line.

    Raises:
        BadInput: the file is not there, not readable, or neither CSV nor Parquet.
    """
    try:
        with path.open("rb") as file:
            head = file.read(len(PARQUET_MARK))
    except OSError as problem:
        raise BadInput(f"cannot read {path}: {problem.strerror}") from problem
    if head == PARQUET_MARK:
        # Here, so that a CSV import does not wait for pyarrow to load.
        from loyalty.connectors.parquet_rows import ParquetRows

        return ParquetRows(path)
    return CsvFile(path, delimiter)
