import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0001_initial'),
        ('builder', '0005_pronunciations'),
    ]

    operations = [
        migrations.CreateModel(
            name='FavouriteVoice',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('connection', models.CharField(default='local', max_length=40)),
                ('voice', models.CharField(max_length=200)),
                ('organization', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='favourite_voices', to='accounts.organization')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('organization', 'connection', 'voice'), name='favourite_voice_once')],
            },
        ),
    ]
