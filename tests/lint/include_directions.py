#!/usr/bin/env python3
"""Holds the sources to the house's rules (docs/architecture.md): which folder may include which, which library may be
used where, how long a file may be, and no names of one machine or of one mirror.

  include_directions.py [ROOT]     checks the tree; exit status 1 and one line per breach
  include_directions.py --self-test   proves on made-up trees that every kind of breach is found
"""

import os
import re
import sys
import tempfile

LINES_MAX = 450
REASON = "Long because"

# A folder, and the folders whose headers it may include besides its own. The longest matching folder counts.
ALLOWED = {
    "protocol": set(),  # protocol/result.hpp
    "protocol/wire": {"protocol/result.hpp"},
    "protocol/message": {"protocol/wire", "protocol/auth", "protocol/result.hpp"},
    "protocol/auth": {"protocol/wire", "protocol/message", "protocol/result.hpp"},
    "protocol/binlog": {"protocol/wire", "protocol/message", "protocol/auth", "protocol/result.hpp"},
    "protocol/sql": {"protocol/wire", "protocol/result.hpp"},
    "proxy/session": {"protocol"},
    "proxy/net": {"proxy/session", "protocol"},
    "proxy/main": {"proxy", "migration", "admin", "protocol", "bench"},
    "migration": {"protocol"},
    "migration/mysql": {"migration", "protocol"},
    "admin": {"migration", "protocol"},
    "bench/throwaway": set(),
    "bench/load": set(),
    "tests/support": {"protocol", "bench"},
    "tests/unit/wire": {"protocol/wire", "protocol/message", "protocol/auth", "protocol/result.hpp", "tests"},
    "tests/unit/binlog": {"protocol", "tests"},
    "tests/unit/sql": {"protocol/wire", "protocol/sql", "protocol/result.hpp", "tests"},
    "tests/unit/session": {"proxy/session", "protocol", "tests"},
    "tests/unit/proxy": {"proxy", "protocol", "tests"},
    "tests/unit/migration": {"migration", "protocol", "tests"},
    "tests/unit/mysql": {"migration", "protocol", "tests"},
    "tests/unit/admin": {"admin", "migration", "protocol", "tests"},
    "tests/simulation": {"migration", "proxy/session", "protocol", "tests"},
    "tests": {"tests", "protocol", "proxy", "migration", "admin", "bench"},
    "cmake": set(),
}

# Exceptions: parts of what ALLOWED gives (or of the folder itself) that are out of reach all the same.
FORBIDDEN = {
    "migration": {"migration/mysql"},
    "admin": {"migration/mysql"},
}

SANS_IO = ("protocol", "proxy/session")
SYSTEM_RULES = [
    # (pattern of the header, why, folders where it is forbidden, folders where alone it is allowed)
    (r"boost/(asio|beast)", "sockets and timers", SANS_IO + ("migration", "bench", "tests/support"), None),
    (r"(mysql|mysql/.*|mysqld_error|errmsg|mariadb.*)\.h$", "the client library", None,
     ("migration/mysql", "tests/support", "bench/load")),
    (r"(thread|mutex|shared_mutex|condition_variable|future|semaphore|latch|barrier|stop_token)$", "threads", SANS_IO,
     None),
    (r"(sys/socket|netinet/.*|arpa/inet|poll|sys/epoll|sys/select|netdb)\.h$", "sockets",
     SANS_IO + ("migration/ports", "migration/model", "migration/sql", "migration/check"), None),
    (r"spdlog/", "logging", SANS_IO, None),
    (r"(CLI|toml\+\+|prometheus)/", "the command line and the configuration", SANS_IO + ("migration", "proxy/net"), None),
]

SOURCE_SUFFIXES = (".cpp", ".hpp")
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
MACHINE_PATH = re.compile(r"/(?:work|root)/[A-Za-z0-9_.]")
# Put together here, so that this file does not name them either.
HOSTS = ["registry." + "npmjs.org", "deb." + "debian.org", "ftp." + "debian.org", "security." + "debian.org",
         "snapshot." + "debian.org", "archive." + "ubuntu.com", "pypi." + "org", "files." + "pythonhosted.org",
         "proxy." + "golang.org", "repo.maven." + "apache.org", "rubygems." + "org", "static." + "crates.io",
         "packages.cloud." + "google.com", "deb." + "nodesource.com"]
TEXT_SUFFIXES = SOURCE_SUFFIXES + (".txt", ".cmake", ".json", ".md", ".py", ".toml", ".sh", ".yml", ".yaml", ".html",
                                   ".js", ".css", "")
SKIPPED_FOLDERS = {"build", ".git", ".cache", "node_modules", "__pycache__"}


def inside(path, folder):
    return path == folder or path.startswith(folder + "/")


def rule_of(path, rules):
    matching = [folder for folder in rules if inside(path, folder)]
    return max(matching, key=len) if matching else None


def check_repository_include(path, header, root):
    if header.startswith(("./", "../")) or not os.path.exists(os.path.join(root, header)):
        return f'"{header}" is no file of this repository (includes are written from its top)'
    own = rule_of(path, ALLOWED)
    if own is None:
        return f'no rule says what {os.path.dirname(path)} may include (add one to ALLOWED)'
    for forbidden in FORBIDDEN.get(own, ()):
        if inside(header, forbidden):
            return f'{own} must not include {forbidden}: "{header}"'
    if inside(header, own) and rule_of(header, ALLOWED) == own:
        return None
    if any(inside(header, allowed) for allowed in ALLOWED[own]):
        return None
    return f'{own} must not include "{header}"'


def check_system_include(path, header):
    for pattern, what, forbidden, only in SYSTEM_RULES:
        if not re.match(pattern, header):
            continue
        if forbidden is not None and any(inside(path, folder) for folder in forbidden):
            return f"<{header}> ({what}) must not be used here"
        if only is not None and not any(inside(path, folder) for folder in only):
            return f"<{header}> ({what}) is for {', '.join(only)} only"
    return None


def check_source(path, lines, root):
    if len(lines) > LINES_MAX and not any(REASON in line for line in lines[:30]):
        yield None, f'{len(lines)} lines; over {LINES_MAX}, the head must say "{REASON} ..."'
    for number, line in enumerate(lines, 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        kind, header = match.groups()
        repository = kind == '"' or os.path.exists(os.path.join(root, header))
        problem = (check_repository_include(path, header, root) if repository else check_system_include(path, header))
        if problem:
            yield number, problem


def check_text(lines):
    for number, line in enumerate(lines, 1):
        machine = MACHINE_PATH.search(line)
        if machine:
            yield number, f"a path of one machine: {machine.group(0)}"
        for host in HOSTS:
            if host in line:
                yield number, f"the name of a package host: {host}"


def files(root):
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if name not in SKIPPED_FOLDERS)
        for name in sorted(names):
            yield os.path.relpath(os.path.join(folder, name), root)


def breaches(root):
    for path in files(root):
        if os.path.splitext(path)[1] not in TEXT_SUFFIXES:
            continue
        with open(os.path.join(root, path), encoding="utf-8", errors="replace") as stream:
            lines = stream.read().splitlines()
        found = list(check_text(lines))
        if path.endswith(SOURCE_SUFFIXES):
            found += check_source(path, lines, root)
        for number, problem in found:
            yield f"{path}:{number or 1}: {problem}"


def self_test():
    headers = ["protocol/result.hpp", "protocol/wire/a.hpp", "protocol/message/a.hpp", "protocol/auth/a.hpp",
               "protocol/binlog/a.hpp", "protocol/binlog/value/a.hpp", "protocol/sql/a.hpp", "proxy/session/a.hpp",
               "proxy/net/a.hpp", "proxy/main/a.hpp", "migration/model/a.hpp", "migration/ports/a.hpp",
               "migration/mysql/a.hpp", "admin/a.hpp", "bench/load/a.hpp", "tests/support/a.hpp"]
    good = [
        ("protocol/wire/x.cpp", '#include "protocol/result.hpp"'),
        ("protocol/message/x.cpp", '#include "protocol/wire/a.hpp"'),
        ("protocol/binlog/x.cpp", '#include "protocol/message/a.hpp"'),
        ("protocol/binlog/value/x.cpp", '#include "protocol/binlog/a.hpp"'),
        ("protocol/auth/x.cpp", "#include <openssl/evp.h>"),
        ("proxy/session/x.cpp", '#include "protocol/sql/a.hpp"'),
        ("proxy/net/x.cpp", "#include <boost/asio/io_context.hpp>"),
        ("proxy/net/x.cpp", '#include "proxy/session/a.hpp"'),
        ("proxy/main/x.cpp", '#include "migration/mysql/a.hpp"'),
        ("migration/copy/x.cpp", '#include "migration/ports/a.hpp"'),
        ("migration/mysql/x.cpp", "#include <mysql.h>"),
        ("migration/mysql/x.cpp", '#include "migration/ports/a.hpp"'),
        ("migration/engine/x.cpp", "#include <thread>"),
        ("admin/x.cpp", '#include "migration/model/a.hpp"'),
        ("bench/load/x.cpp", "#include <mysql.h>"),
        ("tests/integration/x.cpp", '#include "migration/mysql/a.hpp"'),
        ("protocol/wire/x.cpp", "// Long because the table has one row per type\n" + "//\n" * 500),
    ]
    bad = [
        ("protocol/wire/x.cpp", '#include "protocol/message/a.hpp"'),
        ("protocol/message/x.cpp", '#include "protocol/binlog/a.hpp"'),
        ("protocol/sql/x.cpp", '#include "protocol/message/a.hpp"'),
        ("protocol/sql/x.cpp", '#include "proxy/session/a.hpp"'),
        ("protocol/x.hpp", '#include "migration/model/a.hpp"'),
        ("protocol/wire/x.cpp", "#include <boost/asio.hpp>"),
        ("protocol/wire/x.cpp", "#include <boost/asio/buffer.hpp>"),
        ("protocol/binlog/x.cpp", "#include <mysql.h>"),
        ("protocol/binlog/x.cpp", "#include <mysql/mysql.h>"),
        ("protocol/wire/x.cpp", "#include <sys/socket.h>"),
        ("proxy/session/x.cpp", "#include <thread>"),
        ("proxy/session/x.cpp", "#include <spdlog/spdlog.h>"),
        ("proxy/session/x.cpp", "#  include <boost/asio.hpp>"),
        ("proxy/session/x.cpp", '#include "proxy/net/a.hpp"'),
        ("proxy/session/x.cpp", '#include "migration/ports/a.hpp"'),
        ("proxy/net/x.cpp", '#include "migration/ports/a.hpp"'),
        ("proxy/net/x.cpp", '#include "proxy/main/a.hpp"'),
        ("proxy/net/x.cpp", "#include <mysql.h>"),
        ("migration/copy/x.cpp", '#include "proxy/session/a.hpp"'),
        ("migration/copy/x.cpp", '#include "migration/mysql/a.hpp"'),
        ("migration/copy/x.cpp", "#include <boost/asio.hpp>"),
        ("migration/copy/x.cpp", "#include <mysql.h>"),
        ("migration/mysql/x.cpp", '#include "proxy/net/a.hpp"'),
        ("admin/x.cpp", '#include "proxy/net/a.hpp"'),
        ("admin/x.cpp", '#include "migration/mysql/a.hpp"'),
        ("bench/load/x.cpp", '#include "protocol/wire/a.hpp"'),
        ("tests/unit/wire/x.cpp", '#include "proxy/session/a.hpp"'),
        ("proxy/net/x.cpp", '#include "../session/a.hpp"'),
        ("proxy/net/x.cpp", '#include "a.hpp"'),
        ("proxy/net/x.cpp", "#include <migration/ports/a.hpp>"),
        ("elsewhere/x.cpp", '#include "protocol/wire/a.hpp"'),
        ("protocol/wire/x.cpp", "//\n" * 451),
        ("scripts/x", "cd /wo" + "rk/main"),
        ("proxy/main/x.cpp", 'const char* file = "/ro' + 'ot/.cache";'),
        ("docs/x.md", "curl https://" + HOSTS[0]),
    ]
    failures = 0
    for must_pass, cases in ((True, good), (False, bad)):
        for path, text in cases:
            with tempfile.TemporaryDirectory() as root:
                for name, content in [(header, "#pragma once\n") for header in headers] + [(path, text + "\n")]:
                    os.makedirs(os.path.dirname(os.path.join(root, name)), exist_ok=True)
                    with open(os.path.join(root, name), "w", encoding="utf-8") as stream:
                        stream.write(content)
                found = list(breaches(root))
            if must_pass == bool(found):
                failures += 1
                print(f"self-test: {path} with {text.splitlines()[0]!r}: expected "
                      f"{'no breach' if must_pass else 'a breach'}, found {found}")
    print(f"self-test: {len(good) + len(bad) - failures} of {len(good) + len(bad)} cases right")
    return 1 if failures else 0


def main(arguments):
    if arguments == ["--self-test"]:
        return self_test()
    root = arguments[0] if arguments else os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
    found = list(breaches(root))
    for breach in found:
        print(breach)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
