from __future__ import annotations

from django.db import migrations


def first_user_administers(apps, schema_editor):
    """Whoever set the installation up administers it."""
    users = apps.get_model("accounts", "User").objects
    first = users.order_by("date_joined", "pk").first()
    if first is not None and not users.filter(is_superuser=True).exists():
        first.is_superuser = True
        first.save(update_fields=["is_superuser"])


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_api_keys")]

    operations = [migrations.RunPython(first_user_administers, migrations.RunPython.noop)]
