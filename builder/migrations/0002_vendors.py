from django.db import migrations, models


def forget_the_voice_s_provider(apps, schema_editor):
    """Voices were all local; now a voice has a connection, and a provider no more."""
    for model, field in (("Agent", "draft"), ("AgentVersion", "config")):
        for row in apps.get_model("builder", model).objects.all():
            config = getattr(row, field)
            if config.get("voice", {}).pop("provider", None) is not None:
                row.save(update_fields=[field])


class Migration(migrations.Migration):

    dependencies = [
        ("builder", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="modelconnection",
            name="vendor",
            field=models.CharField(default="compatible", max_length=40),
            preserve_default=False,
        ),
        migrations.AlterField(
            model_name="modelconnection",
            name="base_url",
            field=models.CharField(blank=True, max_length=300),
        ),
        migrations.AlterField(
            model_name="modelconnection",
            name="default_model",
            field=models.CharField(blank=True, max_length=120),
        ),
        migrations.RunPython(forget_the_voice_s_provider, migrations.RunPython.noop),
    ]
