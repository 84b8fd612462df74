"""SQLAlchemy: reflection, ORM with relationships, savepoints, a pool, streamed results; over both Python drivers."""

import datetime
import decimal
import sys

import sqlalchemy
from sqlalchemy import (JSON, Boolean, Column, Date, DateTime, Enum, Float, ForeignKey, Integer, LargeBinary, Numeric,
                        String, Text, create_engine, event, exc, func, inspect, select, text)
from sqlalchemy.orm import Session, declarative_base, relationship

Base = declarative_base()


class Author(Base):
    __tablename__ = "authors"
    id = Column(Integer, primary_key=True)
    name = Column(String(100), nullable=False, unique=True)
    born = Column(Date)
    kind = Column(Enum("human", "machine"))
    books = relationship("Book", back_populates="author", cascade="all, delete-orphan", order_by="Book.id")


class Book(Base):
    __tablename__ = "books"
    id = Column(Integer, primary_key=True)
    author_id = Column(ForeignKey("authors.id"), nullable=False, index=True)
    title = Column(String(200))
    price = Column(Numeric(12, 4))
    weight = Column(Float)
    read = Column(Boolean, default=False)
    printed = Column(DateTime)
    tags = Column(JSON)
    content = Column(LargeBinary)
    summary = Column(Text)
    author = relationship("Author", back_populates="books")


def show(title, result):
    print(title, list(result.keys()), [tuple(row) for row in result], flush=True)


def orm(engine):
    with Session(engine) as session:
        for n in range(5):
            author = Author(name=f"Ünï {n} 😀", born=datetime.date(1900 + n, 2, 28), kind="human")
            author.books = [Book(title=f"book {n}.{m}", price=decimal.Decimal("12.3456") * m, weight=m / 3,
                                 printed=datetime.datetime(2024, 2, 29, 12, m), tags={"n": [n, m, None]},
                                 content=bytes(range(m * 10)), summary=None if m % 2 else "s" * m) for m in range(20)]
            session.add(author)
        session.commit()
        with session.begin_nested() as savepoint:
            session.add(Author(name="not kept"))
            session.flush()
            savepoint.rollback()
        try:
            session.add(Author(name="Ünï 1 😀"))
            session.flush()
        except exc.IntegrityError as error:
            print("duplicate:", error.orig.args)
            session.rollback()
        first = session.execute(select(Author).order_by(Author.id)).scalars().first()
        print(first.name, first.born, [(b.title, b.price, b.tags, b.content, b.read) for b in first.books])
        first.books[0].title = "changed"
        session.delete(session.get(Author, 2))
        session.commit()
        show("grouped", session.execute(select(Author.name, func.count(Book.id), func.sum(Book.price)).join(Book)
                                        .group_by(Author.name).order_by(Author.name)))


def run(driver, host, port, user, password, schema):
    url = sqlalchemy.engine.URL.create(f"mysql+{driver}", user, password, host, int(port), query={"charset": "utf8mb4"})
    admin = create_engine(url)
    with admin.begin() as connection:
        connection.execute(text(f"DROP DATABASE IF EXISTS {schema}"))
        connection.execute(text(f"CREATE DATABASE {schema} CHARACTER SET utf8mb4"))
    admin.dispose()
    engine = create_engine(url.set(database=schema), pool_size=3, pool_pre_ping=True, isolation_level="READ COMMITTED")
    event.listen(engine, "before_cursor_execute", lambda *what: print("statement:", what[2], flush=True))
    print(driver, engine.dialect.name)
    Base.metadata.create_all(engine)
    orm(engine)
    inspector = inspect(engine)
    for table in sorted(inspector.get_table_names()):
        print(table, [{**c, "type": repr(c["type"])} for c in inspector.get_columns(table)],
              inspector.get_pk_constraint(table), inspector.get_foreign_keys(table), inspector.get_indexes(table))
    with engine.connect() as connection:
        streamed = connection.execution_options(stream_results=True).execute(select(Book.id, Book.title).order_by(Book.id))
        print("streamed:", sum(len(part) for part in streamed.partitions(7)))
        try:
            connection.execute(text("SELECT * FROM missing"))
        except exc.ProgrammingError as error:
            print("missing:", error.orig.args)
        show("isolation", connection.execute(text("SELECT @@transaction_isolation")
                                             if engine.dialect.is_mariadb is False else text("SELECT @@tx_isolation")))
        open_together = [engine.connect() for _ in range(2)]
        print("together:", [c.execute(text("SELECT 1")).scalar() for c in open_together], engine.pool.checkedout())
        for other in open_together:
            other.close()
    Base.metadata.drop_all(engine)
    engine.dispose()


def main(host, port, user, password, schema, _sql_folder):
    for driver in ("pymysql", "mysqldb"):
        run(driver, host, port, user, password, schema)
    print("end of script")


main(*sys.argv[1:])
