"""The drivers: where their programs are, which server they talk to, and how to tell their versions."""

import os
import re
import shutil
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
CACHE = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "sluice")
NODE_MODULES = os.path.join(CACHE, "node", "node_modules")
MYSQL_TREE = os.path.join(CACHE, "mysql-9.7")
MARIADB_CONNECTOR_J = "/usr/share/java/mariadb-java-client.jar"
# Debian's own: the packages of the distribution's drivers are there, and not in any other python3 on the PATH.
PYTHON = "/usr/bin/python3"

MYSQL = "mysql-9.7"
MARIADB = "mariadb-10.11"
# Rows of more than 16 MiB are part of the scripts.
SERVER_ARGUMENTS = ["--max-allowed-packet=64M"]


class Missing(Exception):
    pass


def _said_by(*command, environment=None):
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              env={**os.environ, **(environment or {})}, check=False)
    except OSError as failure:
        raise Missing(f"{command[0]} is missing ({failure.strerror}): run scripts/setup") from failure
    if done.returncode != 0:
        raise Missing(f"{' '.join(command)[:200]} fails: run scripts/setup\n" + done.stdout.decode(errors="replace"))
    return done.stdout.decode().strip()


class Driver:
    """One driver. prepare() returns the command; what it writes goes to a scratch folder."""

    def __init__(self, name, servers, script, version, interpreter=(), environment=None, own_comparison=False,
                 statements_min=20):
        self.name = name
        self.servers = servers
        self.script = os.path.join(HERE, script)
        self._version = version
        self._interpreter = list(interpreter)
        self._environment = environment or {}
        self.own_comparison = own_comparison
        self.statements_min = statements_min

    def environment(self):
        return self._environment

    def version(self):
        return " ".join(_said_by(*self._version, environment=self._environment).split())

    def prepare(self, _scratch):
        self.version()
        return self._interpreter + [self.script]


class GoDriver(Driver):
    def prepare(self, scratch):
        self.version()
        program = os.path.join(scratch, "go_sql_driver")
        _said_by("go", "build", "-o", program, self.script, environment=self._environment)
        return [program]


class JavaDriver(Driver):
    def prepare(self, scratch):
        self.version()
        _said_by("javac", "-d", scratch, "-cp", MARIADB_CONNECTOR_J, self.script)
        name = os.path.splitext(os.path.basename(self.script))[0]
        return ["java", "-Xshare:auto", "-XX:TieredStopAtLevel=1", "-cp", f"{scratch}:{MARIADB_CONNECTOR_J}", name]


class CommandLine(Driver):
    """MySQL's programs come from the unpacked tree, which has a C library of its own; MariaDB's from the system."""

    def __init__(self, name, servers, script, flavour, program, **others):
        super().__init__(name, servers, script, (), **others)
        self._flavour = flavour
        self._program = program

    def _command_of(self, program):
        if self._flavour == "mysql":
            binary = os.path.join(MYSQL_TREE, "usr/bin", program)
            if not os.access(binary, os.X_OK):
                raise Missing(f"{binary} is missing: run scripts/setup")
            return [os.path.join(MYSQL_TREE, "usr/lib64/ld-linux-x86-64.so.2"), "--library-path",
                    os.path.join(MYSQL_TREE, "usr/lib/x86_64-linux-gnu"), binary]
        found = shutil.which(program)
        if not found:
            raise Missing(f"{program} is missing: run scripts/setup")
        return [found]

    def version(self):
        said = _said_by(*self._command_of(self._program), "--version")
        return re.sub(r"^\S*/", "", said)

    def prepare(self, scratch):
        """Programs by their names, in a folder that the script finds first in its PATH."""
        self.version()
        folder = os.path.join(scratch, "bin")
        os.mkdir(folder)
        for program in self._programs():
            wrapper = os.path.join(folder, program)
            with open(wrapper, "w", encoding="utf-8") as file:
                quoted = " ".join(f"'{part}'" for part in self._command_of(program))
                file.write(f"#!/bin/sh\nexec {quoted} \"$@\"\n")
            os.chmod(wrapper, 0o755)
        return [PYTHON, "-B", self.script, self._flavour, folder]

    def _programs(self):
        if self._flavour == "mysql":
            return ["mysql", "mysqldump", "mysqlslap", "mysqlbinlog", "mysqladmin"]
        return ["mariadb", "mariadb-dump", "mariadb-slap", "mariadb-binlog", "mariadb-admin"]


class Sysbench(CommandLine):
    """Looks at its tables with MariaDB's command line."""

    def __init__(self, name, servers, script):
        super().__init__(name, servers, script, "mariadb", "mariadb")

    def version(self):
        super().version()
        return _said_by("sysbench", "--version")


def _python(name, script, servers, version_of, **others):
    return Driver(name, servers, script, (PYTHON, "-c", version_of), interpreter=(PYTHON, "-B"), **others)


def _node(name, script, servers):
    shown = f"console.log('{name} ' + JSON.parse(require('fs').readFileSync('{NODE_MODULES}/{name}/package.json'))" \
            ".version + ', node ' + process.version)"
    environment = {"NODE_PATH": NODE_MODULES}
    return Driver("node_" + name, servers, script, ("node", "-e", shown), interpreter=("node",),
                  environment=environment)


PHP = ("php", "-d", "mysqli.allow_local_infile=1", "-d", "memory_limit=512M")
GO = {"GO111MODULE": "off", "GOPATH": "/usr/share/gocode", "GOFLAGS": ""}

DRIVERS = [
    CommandLine("mysql_command_line", [MYSQL], "command_line/command_line.py", "mysql", "mysql"),
    CommandLine("mariadb_command_line", [MARIADB, MYSQL], "command_line/command_line.py", "mariadb", "mariadb"),
    CommandLine("mysqldump", [MYSQL], "command_line/dumps.py", "mysql", "mysqldump", own_comparison=True),
    CommandLine("mariadb_dump", [MARIADB], "command_line/dumps.py", "mariadb", "mariadb-dump", own_comparison=True),
    Sysbench("sysbench", [MYSQL, MARIADB], "command_line/sysbench.py"),
    _python("pymysql", "python/pymysql_script.py", [MYSQL, MARIADB],
            "import pymysql, cryptography; print('PyMySQL', pymysql.__version__)"),
    _python("mysqlclient", "python/mysqlclient_script.py", [MYSQL, MARIADB],
            "import MySQLdb; print('mysqlclient', MySQLdb.__version__, 'library', MySQLdb.get_client_info())"),
    _python("sqlalchemy", "python/sqlalchemy_script.py", [MYSQL, MARIADB],
            "import sqlalchemy, pymysql, MySQLdb; print('SQLAlchemy', sqlalchemy.__version__)"),
    _python("django", "python/django_script.py", [MARIADB, MYSQL],
            "import django, MySQLdb; print('Django', django.get_version())"),
    Driver("dbd_mysql", [MYSQL, MARIADB], "perl/dbd_mysql.pl",
           ("perl", "-MDBD::mysql", "-e", "print \"DBD::mysql $DBD::mysql::VERSION, perl $^V\""), interpreter=("perl",)),
    Driver("php_mysqli", [MYSQL, MARIADB], "php/mysqli.php",
           ("php", "-r", "new ReflectionClass('mysqli'); echo 'mysqli (mysqlnd), PHP ', PHP_VERSION;"),
           interpreter=PHP),
    Driver("php_pdo", [MYSQL, MARIADB], "php/pdo.php",
           ("php", "-r", "PDO::MYSQL_ATTR_LOCAL_INFILE; echo 'PDO mysql (mysqlnd), PHP ', PHP_VERSION;"),
           interpreter=PHP),
    Driver("ruby_mysql2", [MYSQL, MARIADB], "ruby/mysql2.rb",
           ("ruby", "-rmysql2", "-e", "puts \"mysql2 #{Mysql2::VERSION}, ruby #{RUBY_VERSION}\""), interpreter=("ruby",)),
    JavaDriver("mariadb_connector_j", [MYSQL, MARIADB], "java/ConnectorJ.java",
               ("sh", "-c", "dpkg-query -W -f 'Connector/J ${Version} ' libmariadb-java && javac -version")),
    GoDriver("go_sql_driver", [MYSQL, MARIADB], "go/go_sql_driver.go",
             ("dpkg-query", "-W", "-f", "go-sql-driver ${Version}", "golang-github-go-sql-driver-mysql-dev"), environment=GO),
    _node("mysql2", "node/mysql2.js", [MYSQL, MARIADB]),
    _node("mariadb", "node/mariadb.js", [MARIADB, MYSQL]),
    _node("knex", "node/knex.js", [MYSQL]),
    _node("sequelize", "node/sequelize.js", [MYSQL]),
    _node("typeorm", "node/typeorm.js", [MYSQL]),
]
