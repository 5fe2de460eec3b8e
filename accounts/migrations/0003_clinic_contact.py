from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_api_access")]

    operations = [
        migrations.AddField(
            model_name="clinic",
            name="address",
            field=models.CharField(blank=True, db_default="", default="", max_length=120, verbose_name="address"),
        ),
        migrations.AddField(
            model_name="clinic",
            name="phone",
            field=models.CharField(blank=True, db_default="", default="", max_length=40, verbose_name="telephone"),
        ),
    ]
