"""Replies of a server to one command each, byte for byte, under several sets of capabilities."""

import struct

import client as protocol
from client import BASIC, DEPRECATE_EOF, SESSION_TRACK, Client, ServerError


def record(server, root, folder):
    index = []

    def keep(name, data, what):
        (folder / name).write_bytes(data)
        index.append(f"{name}\t{what}\n")

    root.query("CREATE TABLE replies (id INT PRIMARY KEY, t VARCHAR(50), n DECIMAL(5,2))")
    root.query("INSERT INTO replies VALUES (1, 'one', 1.5), (2, NULL, NULL), (3, REPEAT('x', 50), -3)")
    for suffix, capabilities in (("", BASIC), ("_deprecate_eof", BASIC | DEPRECATE_EOF | SESSION_TRACK)):
        connection = Client(server.port, capabilities, schema="fixtures")
        if suffix and not connection.capabilities & DEPRECATE_EOF:
            connection.close()
            continue
        note = f"capabilities {connection.capabilities:#010x}"
        if not suffix:
            keep("greeting.bin", connection.greeting, "first packet of the server")
            keep("login_request.bin", connection.login_request, "what the client answered to a greeting, " + note)
        keep(f"login_reply{suffix}.bin", connection.login_reply, note)
        for name, sql in (
                ("select", "SELECT id, t, n FROM replies ORDER BY id"),
                ("select_empty", "SELECT id FROM replies WHERE id > 9"),
                ("ok_update", "UPDATE replies SET n = 2 WHERE id < 3"),
                ("ok_begin", "BEGIN"),
                ("ok_commit", "COMMIT"),
                ("ok_use", "USE mysql"),
                ("ok_set", "SET NAMES latin1"),
                ("error_syntax", "SELEC 1"),
                ("error_in_second", "SELECT 1; SELECT * FROM fixtures.nowhere"),
                ("multi", "SELECT 1; SET @a = 1; SELECT 2, 3"),
        ):
            keep(f"query_{name}{suffix}.bin", reply(connection, protocol.COM_QUERY, sql.encode()), f"{note}: {sql}")
        sql = "SELECT id, t FROM fixtures.replies WHERE id >= ? ORDER BY id"
        connection.send(protocol.COM_STMT_PREPARE, sql.encode())
        statement = read_prepare(connection)
        keep(f"prepare{suffix}.bin", connection.take_kept(), f"{note}: {sql}")
        execute = struct.pack("<IBIBBHi", statement, 0, 1, 0, 1, 3, 2)
        keep(f"execute{suffix}.bin", reply(connection, protocol.COM_STMT_EXECUTE, execute), note + ": with 2")
        connection.close()
    (folder / "replies.txt").write_text("".join(index))
    record_dump(server, root, folder)


def reply(connection, command, payload):
    connection.send(command, payload)
    try:
        connection.read_result()
    except ServerError:
        pass  # the error is the reply
    return connection.take_kept()


def read_prepare(connection):
    first = connection.check(connection.read_packet())
    statement, columns, parameters = struct.unpack_from("<IHH", first, 1)
    connection.read_columns(parameters)
    connection.read_columns(columns)
    return statement


def record_dump(server, root, folder):
    """The packets of a dump stream, from the start of the current file to the second heartbeat."""
    root.query("FLUSH BINARY LOGS")
    root.query("CREATE TABLE dumped (id INT PRIMARY KEY, t VARCHAR(20))")
    root.query("INSERT INTO dumped VALUES (1, 'a'), (2, 'b')")
    name = root.text("SHOW BINARY LOGS")[-1][0]
    connection = Client(server.port)
    checksum = root.text("SELECT @@GLOBAL.binlog_checksum")[0][0]
    connection.query(f"SET @master_binlog_checksum = '{checksum}', @source_binlog_checksum = '{checksum}'")
    connection.query("SET @master_heartbeat_period = 100000000, @source_heartbeat_period = 100000000")
    connection.query("SET @mariadb_slave_capability = 4")
    connection.send(protocol.COM_BINLOG_DUMP, struct.pack("<IHI", 4, 0, 99) + name.encode())
    heartbeats = 0
    while heartbeats < 2:
        packet = connection.check(connection.read_packet())
        heartbeats += packet[5] in (27, 41)
    (folder / "dump.stream").write_bytes(connection.take_kept())
    (folder / "dump.checksum").write_text(checksum + "\n")
    connection.close()
