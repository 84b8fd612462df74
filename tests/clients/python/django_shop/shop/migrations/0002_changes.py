from django.db import migrations, models


def add_rows(apps, _schema_editor):
    product = apps.get_model("shop", "Product")
    product.objects.bulk_create([product(title=f"old {n}", price=n) for n in range(10)])


class Migration(migrations.Migration):
    dependencies = [("shop", "0001_initial")]
    operations = [
        migrations.RunPython(add_rows, migrations.RunPython.noop),
        migrations.AlterField("product", "price", models.DecimalField(decimal_places=4, max_digits=12)),
        migrations.AlterField("product", "title", models.CharField(db_index=True, max_length=200)),
        migrations.AlterField("customer", "name", models.CharField(max_length=100, unique=True)),
        migrations.AddField("customer", "settings", models.JSONField(default=dict)),
        migrations.RenameField("purchase", "comment", "note"),
    ]
