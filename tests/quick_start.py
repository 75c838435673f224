"""Does as `python -m routemark ARGUMENTS`, but as a child of a nursery: `quick_start.py SOCKET ARGUMENTS`.

Streams, directory, environment, signals and exit status are passed on. Only modules that are there at once.
"""

import json
import os
import signal
import socket
import sys

nursery = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
nursery.connect(sys.argv[1])
order = {
    "argv": sys.argv[2:],
    "cwd": os.getcwd(),  # noqa: PTH109 - pathlib takes longer than all the rest
    "environ": dict(os.environ),
    "die": None,
    "file_limit": None,
}
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT, signal.SIGTERM])
socket.send_fds(nursery, [json.dumps(order).encode()], [0, 1, 2])
pid = int(nursery.recv(64))
for stream in (0, 1, 2):
    os.close(stream)  # its end must be seen by whoever is at the other one
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, lambda number, _: os.kill(pid, number))
signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT, signal.SIGTERM])
status = int(nursery.recv(64))
if status < 0:
    signal.signal(-status, signal.SIG_DFL)
    os.kill(os.getpid(), -status)
os._exit(status)
