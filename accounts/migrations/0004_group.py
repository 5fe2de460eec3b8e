from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0003_clinic_contact"),
    ]

    operations = [
        migrations.CreateModel(
            name="Group",
            fields=[
                ("id", models.PositiveSmallIntegerField(default=1, editable=False, primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=60, verbose_name="name of the group")),
            ],
            options={
                "verbose_name": "group of clinics",
                "verbose_name_plural": "groups of clinics",
                "constraints": [models.CheckConstraint(condition=models.Q(("id", 1)), name="group_is_one")],
            },
        ),
    ]
