#!/usr/bin/env python3
"""Writes the fuzzers' seeds: a folder per target, and dictionaries of words for the SQL targets.

  make_seeds.py FIXTURES OUT

The recorded packets and binary logs under tests/fixtures are cut up here, so that they are not stored twice. Each
target's first bytes are choices of its own (see the head of run() in its source); here they are put in front.
"""

import os
import struct
import sys
import zlib

HEADER_SIZE = 19
CHECKSUM_SIZE = 4
FORMAT_DESCRIPTION = 15
SERVERS = ("mysql56", "mysql97", "mariadb1011")

SQL = [
    "SELECT a.b, 'it''s \\' x', \"y\"\"z\", `q``r` FROM s.t JOIN u ON t.1x = .5e-3 WHERE x->>'$.a' <=> 0x1F",
    "INSERT INTO `t` (a, b) VALUES (1, b'01'), (x'ab', n'c'), (?, @v), (@@session.sql_mode, 1e5) -- end",
    "/*!50100 SELECT */ /*+ hint */ 1 /*M!100100 x */ # c\n; UPDATE t SET a = /* ; */ ';' ; CALL p()",
    "SET SESSION a = (1, 2), @@global.b := 'x', NAMES gbk COLLATE gbk_bin, @`c d` = 5, CHARACTER SET sjis",
    "PREPARE s FROM 'SELECT ''x'' FROM t'; EXECUTE s USING @a; DEALLOCATE PREPARE s",
    "CREATE DEFINER=`a`@`b` TRIGGER t BEFORE INSERT ON x FOR EACH ROW BEGIN SET @a = 1; END",
    "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY; COMMIT AND CHAIN; ROLLBACK WORK TO SAVEPOINT x",
    "WITH c AS (SELECT 1) DELETE FROM orders USING orders JOIN c; LOCK TABLES orders READ; XA START 'x'",
    "LOAD DATA LOCAL INFILE 'f' INTO TABLE orders FIELDS TERMINATED BY ','; HANDLER t OPEN; FLUSH TABLES t",
    "SHOW MIGRATIONS WHERE state = 'copying';",
    "SHOW MIGRATIONS LIKE 'shop.%'",
    "SHOW MIGRATION '\\0\\n\\Z''abc'",
    "SHOW PROXY STATUS",
    "ALTER TABLE `s`.`t` ADD COLUMN (a INT, INDEX i ((lower(b)), c(5) DESC)), CHANGE x y ENUM('a,b') NOT NULL",
    "ADD CONSTRAINT f FOREIGN KEY k (a, b) REFERENCES s.p (x) ON DELETE CASCADE, DROP PRIMARY KEY, ENGINE=InnoDB "
    "COMMENT='x' ROW_FORMAT DYNAMIC, ORDER BY a, b DESC PARTITION BY RANGE (a) (PARTITION p VALUES LESS THAN (5))",
    "DROP COLUMN a, RENAME COLUMN b TO c, MODIFY d INT AUTO_INCREMENT UNIQUE, ALTER e SET DEFAULT 1, ALGORITHM=INPLACE",
    "ADD UNIQUE KEY IF NOT EXISTS u (a), RENAME INDEX u TO v, CONVERT TO CHARACTER SET utf8mb4, FORCE, LOCK=NONE",
]
WORDS = """ADD ALTER AND AS BEGIN BY CALL CHAIN CHANGE CHARACTER CHECK COLUMN COMMIT CONSTRAINT CONVERT CREATE DEALLOCATE
DEFAULT DEFINER DELETE DESCRIBE DO DROP ENGINE EXECUTE EXISTS EXPLAIN EXPORT FLUSH FOR FOREIGN FROM HANDLER IF INDEX
INSERT INTO JOIN KEY LIKE LOAD LOCAL LOCK MIGRATION MIGRATIONS MODIFY NAMES NOT OPEN ORDER PARTITION PREPARE PRIMARY
PROXY READ REFERENCES RELEASE RENAME REPLACE ROLLBACK SAVEPOINT SELECT SET SHOW SNAPSHOT START STATUS TABLE TABLES
TO TRANSACTION TRUNCATE UNION UNIQUE UNLOCK UPDATE USE VALUES VIEW WHERE WITH WORK XA t orders shop""".split()
MARKS = ["/*!", "/*!50100", "/*M!", "/*+", "*/", "-- ", "#", "@@", "@", "``", "''", "\\\\", "->>", ":=", "\\xBF\\x5C"]

UUIDS = ("3e11fa47-71ca-11e1-9e33-c80aa9429562", "3E11FA47-71CA-11E1-9E33-C80AA9429563")
GTID_SETS = [
    "", f"{UUIDS[0]}:1", f"{UUIDS[0]}:1-5:7-9:11", f"{UUIDS[0]}:1-5,\n {UUIDS[1]}:7:9-11",
    f"{UUIDS[0]}:1-5:tag:1-3, {UUIDS[1]}:_t1:9223372036854775806,,", f"{UUIDS[0]}:3:1:2:2-9",
]


def files(folder, suffix):
    return sorted(name for name in os.listdir(folder) if name.endswith(suffix))


def read(*path):
    with open(os.path.join(*path), "rb") as stream:
        return stream.read()


def frames(stream):
    """Payloads of the frames of a recorded stream; none if it is not frames from end to end."""
    payloads = []
    at = 0
    while at + 4 <= len(stream):
        size = int.from_bytes(stream[at:at + 3], "little")
        payloads.append(stream[at + 4:at + 4 + size])
        at += 4 + size
    return payloads if at == len(stream) else []


def events(log):
    at = 4
    while at + HEADER_SIZE <= len(log):
        size = int.from_bytes(log[at + 9:at + 13], "little")
        yield log[at:at + size]
        at += size


def has_checksums(log):
    first = next(events(log))
    return len(first) > CHECKSUM_SIZE + 1 and first[4] == FORMAT_DESCRIPTION and first[-CHECKSUM_SIZE - 1] == 1


def without_checksum(event):
    if event[4] == FORMAT_DESCRIPTION:
        return event[:-CHECKSUM_SIZE - 1] + b"\0" * (CHECKSUM_SIZE + 1)
    return event[:-CHECKSUM_SIZE]


class Seeds:
    def __init__(self, out):
        self.out = out
        self.count = 0

    def add(self, target, data):
        folder = os.path.join(self.out, target)
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, f"{self.count:05}"), "wb") as stream:
            stream.write(data)
        self.count += 1


def session_choices(*bits):
    return struct.pack("<H", sum(1 << bit for bit in bits))


MODERN = session_choices(0, 1, 6, 7, 8, 9, 10, 11, 12, 13)
CLASSIC = session_choices(6, 7, 8, 9, 10, 11, 12, 13)
# session_core: a login to a server that lacks nothing, with 4 bytes of authentication data, ended by a plain OK.
LOGIN = b"\1\0\0\4\0auth\0"
QUERY, PREPARE, EXECUTE = 0x03, 0x16, 0x17


def add_packets(seeds, folder):
    for name in files(folder, ".bin"):
        data = read(folder, name)
        choices = MODERN if "deprecate_eof" in name else CLASSIC
        # A few recorded files hold one payload, without its frame.
        payloads = frames(data) or [data]
        stream = data if frames(data) else struct.pack("<I", len(data))[:3] + b"\0" + data
        seeds.add("frame", b"\xff\xff\0\0\7\0" + stream)
        for kind in range(5):
            if "greeting" in name or "login" in name:
                seeds.add("handshake", bytes([kind]) + choices + payloads[0])
        for kind in range(10):
            for payload in payloads[:3] + payloads[-1:]:
                seeds.add("server_messages", bytes([kind]) + choices + payload)
        command = PREPARE if name.startswith("prepare") else EXECUTE if name.startswith("execute") else QUERY
        seeds.add("response_tracker", choices + b"\7\0" + bytes([2, command, 0, QUERY, 2]) + stream)
        # login, the command, its recorded reply as raw server bytes
        script = choices + LOGIN + b"\4\1"
        for at in range(0, len(stream), 255):
            piece = stream[at:at + 255]
            script += bytes([1, len(piece)]) + piece
        seeds.add("session_core", script)
    greeting = read(folder, "greeting.bin")
    reply = frames(read(folder, "login_reply.bin"))
    packets = [(frames(greeting) or [greeting])[0]] + reply
    for choices in (0, 2, 3, 15, 31):
        seeds.add("client_login", bytes([choices]) + b"".join(struct.pack("<H", len(p)) + p for p in packets))


def add_logins(seeds, greeting):
    scramble = b"0123456789abcdefghij\0"
    key = b"-----BEGIN PUBLIC KEY-----\nMA==\n-----END PUBLIC KEY-----\n"
    answers = [b"\xfemysql_native_password\0" + scramble, b"\xfecaching_sha2_password\0" + scramble, b"\1\3", b"\1\4",
               b"\1" + key, b"\2second_factor\0x", b"\xff\x15\4#28000no", b"\xfe", b"\xfemysql_clear_password\0"]
    for answer in answers:
        for choices in (0, 2, 3, 15):
            packets = [greeting, answer, b"\1\4", b"\1" + key, b"\0\0\0\2\0\0\0"]
            seeds.add("client_login", bytes([choices]) + b"".join(struct.pack("<H", len(p)) + p for p in packets))


def add_logs(seeds, folder):
    for name in files(folder, ".binlog"):
        log = read(folder, name)
        sums = has_checksums(log)
        all_events = list(events(log))
        for as_sums in ((0, 1) if sums else (0,)):
            wanted = all_events if as_sums or not sums else [without_checksum(event) for event in all_events]
            # Short scripts: the file's head and a window of what follows.
            for at in range(1, len(wanted), 12):
                window = [wanted[0]] + wanted[at:at + 12]
                script = b"".join(struct.pack("<H", len(event)) + event for event in window if len(event) < 2048)
                seeds.add("binlog_events", bytes([as_sums]) + script)
                if not as_sums:
                    inner = b"".join(struct.pack("<H", len(event)) + event for event in window[1:] if len(event) < 2048)
                    seeds.add("binlog_events", bytes([8]) + inner)


def add_gtid_sets(seeds):
    uuid = bytes.fromhex(UUIDS[0].replace("-", ""))
    plain = struct.pack("<Q", 1) + uuid + struct.pack("<QQQQQ", 2, 1, 6, 8, 9)
    tagged = bytes([1, 1, 0, 0, 0, 0, 0, 1]) + uuid + b"\6tag" + struct.pack("<QQQ", 1, 1, 4)
    forms = [(1, text.encode()) for text in GTID_SETS] + [(0, plain), (0, tagged)]
    for first_kind, first in forms:
        for second_kind, second in forms:
            seeds.add("gtid_set", bytes([first_kind, second_kind]) + struct.pack("<H", len(first)) + first + second)


def add_commands(seeds):
    bodies = [b"\3SELECT 1", b"\3\0\1SELECT 1", b"\3\1\1\0\1\xfd\0\1a\1xSELECT 1", b"\x16SELECT ?",
              b"\x17\1\0\0\0\1\1\0\0\0", b"\x18\1\0\0\0\0\0abc", b"\x19\1\0\0\0", b"\x1a\1\0\0\0", b"\x1b\0\0",
              b"\x1c\1\0\0\0\5\0\0\0", b"\2shop", b"\x0c\1\0\0\0", b"\x12\4\0\0\0\0\0\7\0\0\0binlog.000001",
              b"\x15\7\0\0\0\1h\1u\1p\xea\x0c\0\0\0\0\0\0\0\0",
              b"\x1e\4\0\7\0\0\0\0\0\0\0\4\0\0\0\0\0\0\0\x08\0\0\0\0\0\0\0\0\0\0\0", b"\xfa\1\0\0\0\0\0"]
    for body in bodies:
        for choices in (MODERN, session_choices(2, 13)):
            seeds.add("client_commands", choices + body)
    change = b"\x11app\0\x14" + b"x" * 20 + b"shop\0\x2d\0caching_sha2_password\0\6\1a\1b\1c"
    seeds.add("handshake", b"\3" + MODERN + change)
    state = b"\0\x0f\x0asql_mode\4ANSI"[:17] + b"\1\5\4shop" + b"\2\1" + b"1" + b"\5\x09\x08T_______"
    seeds.add("server_messages", b"\x08" + MODERN + state)
    seeds.add("server_messages", b"\0" + MODERN + b"\0\0\0\2\x40\0\0\0" + bytes([len(state)]) + state)


def add_scripts(seeds):
    """Scripts for session_core: a login, then gates and statements."""
    for statement in range(20):
        for reply in range(4):
            play = bytes([7, 0, 0, 4, statement, 6, reply, 1, 4, 1, 6, reply, 0])
            seeds.add("session_core", MODERN + LOGIN + play)
            held = bytes([7, 0, 0, 7, 0, 2, 9, 4, statement, 7, 0, 4, 20, 6, reply, 0, 7, 0, 3, 9, 0])
            seeds.add("session_core", CLASSIC + LOGIN + held)
    for lacking in (session_choices(9), session_choices(7, 9), session_choices(13)):
        seeds.add("session_core", MODERN + b"\1" + lacking + struct.pack("<H", 300) + b"x" * 300 + b"\0")
    change = b"\x11app\0\0shop\0\x2d\0caching_sha2_password\0"
    seeds.add("session_core", MODERN + LOGIN + bytes([2, 0, len(change)]) + change + bytes([3, 1, 2, 1, 4, 2, 3, 1]) + b"\2")


def add_proxy_headers(seeds):
    for line in (b"TCP4 10.0.0.1 192.168.1.7 4711 3306", b"TCP6 ::1 2001:db8::2 4711 3306", b"UNKNOWN", b"UNKNOWN x y",
                 b"TCP6 ::ffff:10.0.0.1 1:2:3:4:5:6:7:8 0 65535"):
        seeds.add("proxy_header", b"PROXY " + line + b"\r\n")
    blocks = {0x11: bytes(range(12)), 0x21: bytes(range(36)), 0x31: b"/run/a" + bytes(210), 0x00: b""}
    for family, block in blocks.items():
        for command in (0x20, 0x21):
            for extension in (b"", b"\4\0\3pad"):
                size = struct.pack(">H", len(block + extension))
                seeds.add("proxy_header", b"\r\n\r\n\0\r\nQUIT\n" + bytes([command, family]) + size + block + extension)


def add_compressed_frames(seeds):
    """compressed_frame: algorithm and kind, a seed, the room; then plain bytes, a frame's content, or frames."""
    plain = b"a row, and the next row, and the next; " * 12
    # zstd frames by hand: a raw block, one of the same byte, a window of 16 MiB, one too large.
    raw = b"\x28\xb5\x2f\xfd\x20" + bytes([20]) + struct.pack("<I", 20 << 3 | 1)[:3] + plain[:20]
    repeated = b"\x28\xb5\x2f\xfd\x20\xc8" + struct.pack("<I", 200 << 3 | 3)[:3] + b"A"
    windows = [b"\x28\xb5\x2f\xfd\0" + bytes([window]) + struct.pack("<I", 100 << 3 | 3)[:3] + b"A"
               for window in (0x70, 0x78)]
    for room in (0, 1, 40, 5000):
        for algorithm in (0, 1):
            seeds.add("compressed_frame", struct.pack("<BHH", algorithm, 5, room) + plain)
        for body, size, algorithm in ((zlib.compress(plain), len(plain), 0), (raw, 20, 1), (repeated, 200, 1),
                                      (windows[0], 100, 1), (windows[1], 100, 1), (plain[:30], 0, 0)):
            header = struct.pack("<I", len(body))[:3] + b"\0" + struct.pack("<I", size)[:3]
            seeds.add("compressed_frame", struct.pack("<BHH", 4 | algorithm, 9, room) + (header + body) * 2)
            seeds.add("compressed_frame", struct.pack("<BHH", 2 | algorithm, max(size, 1) - 1, room) + body)


def add_sql(seeds, out):
    for text in SQL:
        for options in (b"\0\3", b"\1\3", b"\x06\4", b"\x18\1", b"\x28\0"):
            for target in ("sql_lexer", "sql_statements"):
                seeds.add(target, options + text.encode())
    with open(os.path.join(out, "sql.dict"), "w", encoding="ascii") as stream:
        for word in WORDS:
            stream.write(f'" {word} "\n')
        for mark in MARKS:
            stream.write(f'"{mark}"\n')


def main():
    fixtures, out = sys.argv[1:]
    os.makedirs(out, exist_ok=True)
    seeds = Seeds(out)
    for server in SERVERS:
        folder = os.path.join(fixtures, server)
        add_packets(seeds, folder)
        add_logs(seeds, folder)
        greeting = read(folder, "greeting.bin")
        add_logins(seeds, (frames(greeting) or [greeting])[0])
    add_commands(seeds)
    add_gtid_sets(seeds)
    add_scripts(seeds)
    add_compressed_frames(seeds)
    add_proxy_headers(seeds)
    add_sql(seeds, out)


if __name__ == "__main__":
    main()
