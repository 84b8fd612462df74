from django.db import models


class Customer(models.Model):
    name = models.CharField(max_length=100, unique=True)
    email = models.EmailField(null=True)
    created = models.DateTimeField()
    settings = models.JSONField(default=dict)


class Product(models.Model):
    title = models.CharField(max_length=200, db_index=True)
    price = models.DecimalField(max_digits=12, decimal_places=4)
    weight = models.FloatField(null=True)
    picture = models.BinaryField(null=True)
    released = models.DateField(null=True)
    lasts = models.DurationField(null=True)
    available = models.BooleanField(default=True)
    key = models.UUIDField(null=True)


class Purchase(models.Model):
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="purchases")
    products = models.ManyToManyField(Product)
    note = models.TextField(blank=True)
