"""The same import with django-import-export: ``python peer.py DATABASE WORKBOOK RUNS``.

DATABASE is a file for SQLite or ``host:name:user`` for PostgreSQL. The package is used as its manual says: a
ModelResource over a model of the six columns, the file loaded as xlsx, a dry run that shows the differences,
then the import, with ``skip_unchanged``. Prints the seconds of processor and clock of each run as JSON.
Runs in an environment of its own (``requirements.txt``).
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import django
from django.conf import settings


def database(told: str) -> dict[str, str]:
    """Return the settings of the database that was named."""
    host, _, rest = told.partition(":")
    if not rest:
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": told}
    name, user = rest.split(":")
    engine = "django.db.backends.postgresql"
    return {"ENGINE": engine, "NAME": name, "HOST": host, "USER": user}


def set_up(told: str) -> None:
    """Let Django use the database that was named, and nothing else."""
    settings.configure(
        INSTALLED_APPS=["import_export"],
        DATABASES={"default": database(told)},
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        USE_I18N=False,
        USE_TZ=True,
    )
    django.setup()


def declare() -> tuple[Any, Any]:
    """Return a model of the six columns and how it stands in a workbook."""
    from django.db import models
    from import_export import resources
    from import_export.fields import Field

    class Item(models.Model):
        """One row of the list."""

        serial = models.CharField(max_length=20)
        category = models.CharField(max_length=100)
        name = models.CharField(max_length=300, unique=True)
        departments = models.TextField()
        superior_duty = models.TextField()
        township_duty = models.TextField()

        class Meta:
            app_label = "import_export"

    class ItemResource(resources.ModelResource):
        """How the list stands in a workbook."""

        serial = Field(attribute="serial", column_name="序号")
        category = Field(attribute="category", column_name="类别")
        name = Field(attribute="name", column_name="事项名称")
        departments = Field(attribute="departments", column_name="对应上级部门")
        superior_duty = Field(attribute="superior_duty", column_name="上级部门职责")
        township_duty = Field(attribute="township_duty", column_name="乡镇（街道）配合职责")

        class Meta:
            model = Item
            import_id_fields = ("name",)
            exclude = ("id",)
            skip_unchanged = True
            report_skipped = True
            use_transactions = True

    return Item, ItemResource


def main(told: str, workbook: str, runs: str) -> None:
    """Import the workbook into an empty table, as often as told."""
    set_up(told)
    from django.db import connection
    from tablib import Dataset

    item, resource = declare()
    with connection.schema_editor() as editor:
        editor.create_model(item)
    for _run in range(int(runs)):
        item.objects.all().delete()
        worked, began = time.process_time(), time.perf_counter()
        rows = Dataset().load(Path(workbook).read_bytes(), format="xlsx")
        seen = resource().import_data(rows, dry_run=True, raise_errors=True)
        done = resource().import_data(rows, dry_run=False, raise_errors=True)
        taken = [time.process_time() - worked, time.perf_counter() - began]
        assert seen.totals["new"] == done.totals["new"] == item.objects.count() == len(rows)
        print(json.dumps(taken), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
