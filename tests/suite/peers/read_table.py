"""Reads a Parquet file or a spreadsheet as somebody else's program does, and prints it as JSON: heads, what the columns are, and every row."""

import datetime
import json
import sys

import openpyxl
import pyarrow
import pyarrow.parquet


def plain(value):
    if isinstance(value, datetime.datetime):
        return value.isoformat(timespec="milliseconds")
    return value


def parquet(path):
    table = pyarrow.parquet.read_table(path)
    facts = {key.decode(): value.decode() for key, value in (table.schema.metadata or {}).items()}
    return {
        "heads": table.column_names,
        "kinds": [str(kind) for kind in table.schema.types],
        "facts": facts,
        "rows": [[plain(value) for value in row.values()] for row in table.to_pylist()],
    }


def spreadsheet(path):
    sheet = openpyxl.load_workbook(path, read_only=True).worksheets[0]
    rows = [[plain(value) for value in row] for row in sheet.iter_rows(values_only=True)]
    return {"heads": rows[0], "rows": rows[1:]}


read = spreadsheet if sys.argv[1].endswith(".xlsx") else parquet
print(json.dumps(read(sys.argv[1]), ensure_ascii=False))
