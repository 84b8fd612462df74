import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [
        migrations.CreateModel("Customer", [
            ("id", models.AutoField(auto_created=True, primary_key=True, serialize=False)),
            ("name", models.CharField(max_length=100)),
            ("email", models.EmailField(max_length=254, null=True)),
            ("created", models.DateTimeField()),
        ]),
        migrations.CreateModel("Product", [
            ("id", models.AutoField(auto_created=True, primary_key=True, serialize=False)),
            ("title", models.CharField(max_length=200)),
            ("price", models.DecimalField(decimal_places=2, max_digits=8)),
            ("weight", models.FloatField(null=True)),
            ("picture", models.BinaryField(null=True)),
            ("released", models.DateField(null=True)),
            ("lasts", models.DurationField(null=True)),
            ("available", models.BooleanField(default=True)),
            ("key", models.UUIDField(null=True)),
        ]),
        migrations.CreateModel("Purchase", [
            ("id", models.AutoField(auto_created=True, primary_key=True, serialize=False)),
            ("comment", models.TextField(blank=True)),
            ("customer", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="purchases",
                                           to="shop.customer")),
            ("products", models.ManyToManyField(to="shop.product")),
        ]),
    ]
