"""Django: migrations forwards and backwards, models, transactions, raw SQL, introspection (over mysqlclient)."""

import datetime
import decimal
import io
import os
import sys
import uuid


def say(*what):
    print(*what, flush=True)


def prepare(host, port, user, password, schema):
    import django
    import MySQLdb
    from django.conf import settings

    connection = MySQLdb.connect(host=host, port=int(port), user=user, password=password)
    connection.cursor().execute(f"DROP DATABASE IF EXISTS {schema}")
    connection.cursor().execute(f"CREATE DATABASE {schema} CHARACTER SET utf8mb4")
    connection.close()
    sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "django_shop"))
    settings.configure(
        INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "shop"], USE_TZ=True,
        DEFAULT_AUTO_FIELD="django.db.models.AutoField",
        DATABASES={"default": {"ENGINE": "django.db.backends.mysql", "HOST": host, "PORT": port, "USER": user,
                               "PASSWORD": password, "NAME": schema, "CONN_MAX_AGE": 60,
                               "OPTIONS": {"charset": "utf8mb4", "init_command": "SET default_storage_engine=INNODB"}}})
    django.setup()
    say("Django", django.get_version())


def call(*command, **options):
    from django.core.management import call_command
    out = io.StringIO()
    call_command(*command, stdout=out, no_color=True, **options)
    say(" ".join(command), "->", out.getvalue())


def models():
    from django.db import IntegrityError, connection, transaction
    from django.db.models import Avg, Count, Sum
    from shop.models import Customer, Product, Purchase

    when = datetime.datetime(2024, 2, 29, 12, 34, 56, 789012, tzinfo=datetime.timezone.utc)
    customers = [Customer.objects.create(name=f"Ünï {n} 😀", email=None if n % 2 else f"n{n}@example.org", created=when,
                                         settings={"n": n, "list": [1, None, "ü"]}) for n in range(10)]
    for n in range(30):
        Product.objects.create(title=f"product {n}", price=decimal.Decimal("1.2345") * n, weight=n / 7,
                               picture=bytes(range(n)), released=when.date(), lasts=datetime.timedelta(hours=n, microseconds=n),
                               available=bool(n % 3), key=uuid.UUID(int=n))
    for number, customer in enumerate(customers):
        purchase = Purchase.objects.create(customer=customer, note="'\"\\%s" * number)
        purchase.products.set(Product.objects.order_by("id")[number:number + 5])
    try:
        with transaction.atomic():
            Customer.objects.create(name="not kept", created=when)
            with transaction.atomic():
                Customer.objects.create(name="Ünï 3 😀", created=when)
    except IntegrityError as error:
        say("duplicate:", error.args)
    say(Customer.objects.count(), Customer.objects.filter(settings__n__gte=7).values_list("name", flat=True).order_by("id"))
    say(list(Product.objects.values_list().order_by("id")[8:16]))
    say(list(Customer.objects.annotate(spent=Sum("purchases__products__price"), count=Count("purchases__products"))
             .order_by("id").values_list("name", "spent", "count")))
    say(Product.objects.filter(title__icontains="PRODUCT 1").aggregate(Avg("price"), Sum("weight")))
    with transaction.atomic():
        locked = Product.objects.select_for_update().filter(id__lt=5)
        say(len(locked), locked.update(available=False))
    say(sum(1 for _ in Product.objects.order_by("id").iterator(chunk_size=7)))
    say(Customer.objects.filter(id=1).delete())
    say(Customer.objects.get_or_create(name="Ünï 2 😀", defaults={"created": when})[1])
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s, COUNT(*) FROM shop_product WHERE title LIKE %s", ["ü%", "product%"])
        say(cursor.fetchall())
        for table in sorted(connection.introspection.table_names(cursor)):
            say(table, connection.introspection.get_table_description(cursor, table),
                sorted(connection.introspection.get_constraints(cursor, table).items()))


def main(host, port, user, password, schema, _sql_folder):
    prepare(host, port, user, password, schema)
    call("migrate", verbosity=1)
    call("showmigrations")
    models()
    call("migrate", "shop", "0001", verbosity=1)
    call("migrate", "shop", verbosity=1)
    call("check", "--database", "default")
    call("inspectdb")
    call("dumpdata", "shop", "--indent=1")
    call("migrate", "shop", "zero", verbosity=1)
    say("end of script")


main(*sys.argv[1:])
