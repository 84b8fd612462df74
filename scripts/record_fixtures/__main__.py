"""Records what real servers say, into tests/fixtures, for the unit tests of the protocol library.

  python3 scripts/record_fixtures [mysql97] [mysql56] [mariadb1011]

Needs what scripts/setup installs. Per server and section of SQL (sections.py): NAME.binlog, the file as the server wrote
it; NAME.events, what SHOW BINLOG EVENTS says about it; for sections with values, NAME.values, what SELECT says about the
rows. dump.stream holds the packets of a COM_BINLOG_DUMP with their headers. *.bin are replies of conversations
(conversations.py), listed in replies.txt.
"""

import pathlib
import sys

sys.dont_write_bytecode = True

import conversations
import sections
import servers
from client import Client

FIXTURES = pathlib.Path(__file__).resolve().parents[2] / "tests/fixtures"
FILE_SIZE_MAX = 60 * 1024


def binlog_in_use(client):
    return client.text("SHOW BINARY LOGS")[-1][0]


def lines(rows):
    escape = {"\\": "\\\\", "\n": "\\n", "\t": "\\t"}
    return "".join("\t".join("".join(escape.get(c, c) for c in str(cell)) for cell in row) + "\n" for row in rows)


def run(server, statements):
    session = Client(server.port, schema="fixtures")
    for statement in statements:
        session.query(statement)
    session.close()


def record_section(server, client, section, folder):
    run(server, section.before)
    client.query("FLUSH BINARY LOGS")
    name = binlog_in_use(client)
    values = []
    for step in section.steps:
        if callable(step):
            values += step(server.port)
        else:
            run(server, step)
    client.query("FLUSH BINARY LOGS")
    run(server, section.after)
    data = (server.data / name).read_bytes()
    if len(data) > FILE_SIZE_MAX:
        raise SystemExit(f"{section.name}: {len(data)} bytes are too many for a fixture")
    (folder / f"{section.name}.binlog").write_bytes(data)
    shown = [row[1:] for row in client.text(f"SHOW BINLOG EVENTS IN '{name}'")]
    (folder / f"{section.name}.events").write_text(lines(shown))
    if values:
        (folder / f"{section.name}.values").write_text(lines(values))


def record(kind):
    folder = FIXTURES / kind.name
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    with kind() as server:
        client = Client(server.port)
        client.query("CREATE DATABASE fixtures")
        client.query("USE fixtures")
        for section in sections.for_server(kind.name):
            record_section(server, client, section, folder)
        conversations.record(server, client, folder)
        client.close()
    print(f"{kind.name}: {len(list(folder.iterdir()))} files")


for wanted in sys.argv[1:] or servers.ALL:
    record(servers.ALL[wanted])
