"""A tiny MySQL client that keeps every byte the server sends. Accounts without a password only."""

import socket
import struct

LONG_PASSWORD, FOUND_ROWS, LONG_FLAG, CONNECT_WITH_DB = 0x1, 0x2, 0x4, 0x8
LOCAL_FILES, PROTOCOL_41, TRANSACTIONS, SECURE_CONNECTION = 0x80, 0x200, 0x2000, 0x8000
MULTI_STATEMENTS, MULTI_RESULTS, PS_MULTI_RESULTS, PLUGIN_AUTH = 0x10000, 0x20000, 0x40000, 0x80000
SESSION_TRACK, DEPRECATE_EOF = 0x800000, 0x1000000

BASIC = (LONG_PASSWORD | LONG_FLAG | PROTOCOL_41 | TRANSACTIONS | SECURE_CONNECTION | MULTI_STATEMENTS |
         MULTI_RESULTS | PS_MULTI_RESULTS | PLUGIN_AUTH)

COM_QUIT, COM_QUERY, COM_FIELD_LIST, COM_STATISTICS, COM_PING = 1, 3, 4, 9, 14
COM_BINLOG_DUMP, COM_REGISTER_SLAVE, COM_STMT_PREPARE, COM_STMT_EXECUTE = 18, 21, 22, 23
COM_STMT_CLOSE, COM_STMT_RESET, COM_SET_OPTION, COM_STMT_FETCH, COM_BINLOG_DUMP_GTID = 25, 26, 27, 28, 30

SERVER_MORE_RESULTS = 0x8


class ServerError(Exception):
    pass


def lenenc(data, at):
    first = data[at]
    if first < 0xFB:
        return first, at + 1
    if first == 0xFB:
        return None, at + 1
    size = {0xFC: 2, 0xFD: 3, 0xFE: 8}[first]
    return int.from_bytes(data[at + 1:at + 1 + size], "little"), at + 1 + size


class Client:
    def __init__(self, port, capabilities=BASIC, schema=None):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self.kept = bytearray()
        greeting = self.read_packet()
        self.greeting = self.take_kept()
        end = greeting.index(0, 1) + 1
        server = struct.unpack_from("<H", greeting, end + 13)[0] | struct.unpack_from("<H", greeting, end + 18)[0] << 16
        if schema is not None:
            capabilities |= CONNECT_WITH_DB
        self.capabilities = capabilities & server
        plugin = b"mysql_native_password"
        if self.capabilities & PLUGIN_AUTH:
            plugin = greeting[end + 44:].split(b"\0")[0]
        payload = struct.pack("<IIB23x", self.capabilities, 0x1000000, 45 if b"5.6" not in greeting[:8] else 33)
        payload += b"root\0" + b"\0"
        if schema is not None:
            payload += schema.encode() + b"\0"
        payload += plugin + b"\0"
        self.login_request = struct.pack("<I", len(payload) | 1 << 24) + payload
        self.socket.sendall(self.login_request)
        self.check(self.read_packet())
        self.login_reply = self.take_kept()

    def close(self):
        self.socket.close()

    def take_kept(self):
        kept, self.kept = bytes(self.kept), bytearray()
        return kept

    def read_exactly(self, count):
        data = bytearray()
        while len(data) < count:
            part = self.socket.recv(count - len(data))
            if not part:
                raise ServerError("the server closed the connection")
            data += part
        self.kept += data
        return bytes(data)

    def read_packet(self):
        packet = b""
        while True:
            head = self.read_exactly(4)
            size = int.from_bytes(head[:3], "little")
            packet += self.read_exactly(size)
            if size < 0xFFFFFF:
                return packet

    def check(self, packet):
        if packet[:1] == b"\xff":
            raise ServerError(packet[3:].decode("utf-8", "replace"))
        return packet

    def send(self, command, payload=b""):
        self.take_kept()
        self.socket.sendall(struct.pack("<IB", len(payload) + 1, command) + payload)

    def ends_rows(self, packet):
        return packet[:1] == b"\xfe" and len(packet) < (0xFFFFFF if self.capabilities & DEPRECATE_EOF else 9)

    def status_of_end(self, packet):
        if self.capabilities & DEPRECATE_EOF:
            return self.status_of_ok(packet)
        return struct.unpack_from("<H", packet, 3)[0]

    @staticmethod
    def status_of_ok(packet):
        _, at = lenenc(packet, 1)
        _, at = lenenc(packet, at)
        return struct.unpack_from("<H", packet, at)[0]

    def read_columns(self, count):
        for _ in range(count):
            self.read_packet()
        if count and not self.capabilities & DEPRECATE_EOF:
            self.read_packet()

    def read_result(self):
        """One whole reply with all its result sets; returns the text rows of the last one that has any."""
        rows = []
        while True:
            first = self.check(self.read_packet())
            if first[:1] == b"\x00":
                status = self.status_of_ok(first)
            else:
                self.read_columns(lenenc(first, 0)[0])
                rows = []
                while True:
                    packet = self.check(self.read_packet())
                    if self.ends_rows(packet):
                        status = self.status_of_end(packet)
                        break
                    rows.append(packet)
            if not status & SERVER_MORE_RESULTS:
                return rows

    def query(self, sql):
        """Text rows as lists of bytes or None."""
        self.send(COM_QUERY, sql.encode())
        try:
            packets = self.read_result()
        except ServerError as refused:
            raise ServerError(f"{refused}: {sql}") from None
        rows = []
        for packet in packets:
            row, at = [], 0
            while at < len(packet):
                size, at = lenenc(packet, at)
                row.append(None if size is None else packet[at:at + size])
                at += size or 0
            rows.append(row)
        return rows

    def text(self, sql):
        return [[None if cell is None else cell.decode() for cell in row] for row in self.query(sql)]
