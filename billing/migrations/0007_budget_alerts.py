import django.utils.timezone
from django.db import migrations, models


def both_were_told(apps, schema_editor):
    """One moment stood for the mail and the web hook alike."""
    apps.get_model("billing", "BudgetAlert").objects.update(called_at=models.F("mailed_at"))


class Migration(migrations.Migration):

    dependencies = [
        ('billing', '0006_usage_months'),
    ]

    operations = [
        migrations.RenameField(
            model_name='budgetalert',
            old_name='delivered_at',
            new_name='mailed_at',
        ),
        migrations.AddField(
            model_name='budgetalert',
            name='called_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='budgetalert',
            name='queued_at',
            field=models.DateTimeField(auto_now_add=True, default=django.utils.timezone.now),
            preserve_default=False,
        ),
        migrations.RunPython(both_were_told, migrations.RunPython.noop),
    ]
