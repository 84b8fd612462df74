#!/usr/bin/env python3
"""Runs clang-tidy on the sources that have changed since it last found nothing in them.

    tidy_changed.py BUILD_FOLDER < names of sources, one a line

clang-tidy takes seconds for a file, the preprocessor a fraction of one. What a source is after the preprocessor, its
comments included, with the configuration and the version of clang-tidy, is what the verdict depends on: a hash of that
is kept for each source in which nothing was found. The exit status is 1 when something is found now.
"""

import concurrent.futures
import hashlib
import json
import os
import pathlib
import shlex
import subprocess
import sys
import time

KEPT = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "sluice" / "tidy"
KEPT_DAYS = 30


def preprocessor(command):
    """The compiler's command without what it is to write, and to where."""
    words, kept, skip = shlex.split(command), [], False
    for word in words:
        if skip:
            skip = False
        elif word in ("-o", "-MF", "-MT", "-MQ"):
            skip = True
        elif word not in ("-c", "-MD", "-MMD"):
            kept.append(word)
    return kept + ["-E", "-P", "-C"]


def fingerprint(entry, common, root):
    """Of all that the verdict depends on; None when the preprocessor fails."""
    made = subprocess.run(preprocessor(entry["command"]), cwd=entry["directory"], capture_output=True)
    if made.returncode != 0:
        return None
    # A clone in another folder is the same source.
    text = made.stdout.replace(os.fsencode(root), b".")
    return hashlib.sha256(common + text).hexdigest()


def tidy(source, entry, common, root, build):
    stamp = fingerprint(entry, common, root)
    if stamp and (KEPT / stamp).exists():
        (KEPT / stamp).touch()
        return ""
    run = subprocess.run(["clang-tidy", "-p", build, "--quiet", "--extra-arg=-w", source], capture_output=True, text=True)
    if run.returncode == 0:
        if stamp:
            (KEPT / stamp).touch()
        return ""
    return run.stdout + "".join(line for line in run.stderr.splitlines(True) if "warnings generated" not in line)


def main():
    build = sys.argv[1]
    root = os.getcwd()
    KEPT.mkdir(parents=True, exist_ok=True)
    for stamp in KEPT.iterdir():
        if stamp.stat().st_mtime < time.time() - KEPT_DAYS * 86_400:
            stamp.unlink(missing_ok=True)
    version = subprocess.run(["clang-tidy", "--version"], capture_output=True, check=True).stdout
    common = version + pathlib.Path(".clang-tidy").read_bytes()
    with open(os.path.join(build, "compile_commands.json"), encoding="utf-8") as file:
        entries = {os.path.relpath(os.path.join(one["directory"], one["file"]), root): one for one in json.load(file)}
    sources = sys.stdin.read().split()
    unknown = [source for source in sources if source not in entries]
    if unknown:
        sys.exit("not in compile_commands.json: " + " ".join(unknown))
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        found = [text for text in pool.map(lambda s: tidy(s, entries[s], common, root, build), sources) if text]
    print("".join(found), end="")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
