"""The fields that two runs of the same script cannot have in common. Everything else has to be equal, byte for byte."""

import re

# Pattern, what takes its place, and why the field differs.
MASKS = [
    (rb"(?m)^(\s*Connection id:\s+)\d+$", rb"\1N", "the server numbers its connections one after the other"),
    (rb"(?m)^(\s*TCP port:\s+)\d+$", rb"\1N", "the proxy has a port of its own"),
    (rb"(\(host=127\.0\.0\.1\)\(port=)\d+\)", rb"\1N)", "Connector/J names the address in some errors"),
    (rb"(?m)^(\s*Uptime:\s+).*$", rb"\1T", "seconds since the server's start"),
    (rb"(?m)^(Threads: ).*$", rb"\1N", "the server's counters: they go on counting from run to run"),
    (rb"\((?:\d+ min )?\d+\.\d+ sec\)", rb"(T sec)", "how long a statement took"),
]

_COMPILED = [(re.compile(pattern), replacement) for pattern, replacement, _ in MASKS]


def masked(transcript):
    for pattern, replacement in _COMPILED:
        transcript = pattern.sub(replacement, transcript)
    return transcript
