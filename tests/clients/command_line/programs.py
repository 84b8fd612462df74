"""How the scripts call the command-line programs: `flavour` is mysql or mariadb, `folder` has them by their names."""

import os
import subprocess


class Programs:
    def __init__(self, flavour, folder, host, port, user, password):
        self.flavour = flavour
        self._folder = folder
        # Without TLS the password goes encrypted with the server's public key, which mysql fetches only when told to.
        safe = ["--ssl-mode=DISABLED", "--get-server-public-key"] if flavour == "mysql" else ["--skip-ssl"]
        self._login = ["--no-defaults", "--protocol=tcp", f"--host={host}", f"--port={port}", f"--user={user}",
                       *([f"--password={password}"] if password else ["--skip-password"]), *safe]

    def command(self, program, *arguments):
        """program: mysql, dump, slap, admin or binlog."""
        names = {"mysql": "mysql"} if self.flavour == "mysql" else {"mysql": "mariadb"}
        name = names.get(program, self.flavour + ("" if self.flavour == "mysql" else "-") + program)
        return [os.path.join(self._folder, name), *self._login, *arguments]

    def run(self, program, *arguments, text=None, input_file=None):
        """Exit status and output, standard error included; without the warning that a password was given."""
        source = {"stdin": input_file} if input_file else {"input": text.encode() if text else b""}
        done = subprocess.run(self.command(program, *arguments), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              check=False, **source)
        lines = [line for line in done.stdout.splitlines(keepends=True) if b"Using a password on the command line" not in line]
        return done.returncode, b"".join(lines)

    def output(self, program, *arguments):
        """Standard output alone, of a run that must succeed."""
        done = subprocess.run(self.command(program, *arguments), stdin=subprocess.DEVNULL, capture_output=True, check=False)
        if done.returncode != 0:
            raise SystemExit(f"{program} {arguments} failed: {done.stderr.decode(errors='replace')}")
        return done.stdout
