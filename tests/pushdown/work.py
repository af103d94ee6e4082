"""Opens, reads, duplicates and closes files in every way that names a path. Run by tests/pushdown/check; its folder is
argument 1, the name that its process takes argument 2. Ends with 0 even where a call fails: what counts is that it is the
same twice."""
import ctypes
import os
import socket
import struct
import sys

base = sys.argv[1]
libc = ctypes.CDLL(None, use_errno=True)


def attempt(call, *args, **kwargs):
    try:
        return call(*args, **kwargs)
    except OSError:
        return -1


def touch(path, flags=os.O_RDONLY, **kwargs):
    fd = attempt(os.open, path, flags, 0o600, **kwargs)
    if fd < 0:
        return
    copy = os.dup(fd)
    if flags & os.O_ACCMODE != os.O_WRONLY:
        attempt(os.read, copy, 4)
    if flags & os.O_ACCMODE != os.O_RDONLY:
        attempt(os.write, fd, b"x")
    os.close(copy)
    os.close(fd)


def openat2(path, flags):
    how = struct.pack("QQQ", flags, 0, 0)
    fd = libc.syscall(437, -100, path.encode(), how, len(how))
    if fd >= 0:
        os.close(fd)


def in_child(work):
    pid = os.fork()
    if pid == 0:
        try:
            work()
        finally:
            os._exit(0)
    os.waitpid(pid, 0)


def absolute_paths():
    for name in ["watched/secret", "watched/plain", "other/secret", "other/plain", "link", "watched/none", "none/secret"]:
        for flags in [os.O_RDONLY, os.O_RDWR, os.O_WRONLY]:
            touch(f"{base}/{name}", flags)
        openat2(f"{base}/{name}", os.O_RDONLY)
    for odd in ["other/../watched/secret", "//watched//secret", "watched/./secret", "other/..secret", "watched/",
                "x" * 300 + "/secret", "y/" * 300 + "secret"]:
        touch(f"{base}/{odd}")
    touch(f"{base}/other/made", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    attempt(os.close, libc.creat(f"{base}/watched/made".encode(), 0o600))
    for _ in range(20):
        touch(f"{base}/other/plain")
        touch(f"{base}/other/plein")


def relative_paths():
    os.chdir(f"{base}/watched")
    for name in ["secret", "plain", "../other/plain", "../watched/secret", "./secret", "none"]:
        touch(name)
    os.chdir(f"{base}/other")
    for name in ["secret", "plain", "../watched/plain", "deep/er"]:
        touch(name)
    touch("plain", os.O_RDWR)


def relative_to_fds():
    folder = os.open(f"{base}/watched", os.O_RDONLY | os.O_DIRECTORY)
    for name in ["secret", "plain", "../other/secret", "none"]:
        touch(name, dir_fd=folder)
    again = os.dup(folder)
    os.close(folder)
    touch("secret", dir_fd=again)
    os.fchdir(again)
    touch("plain")
    other = os.open("../other", os.O_PATH)
    touch("secret", dir_fd=other)
    import fcntl
    moved = fcntl.fcntl(other, fcntl.F_DUPFD, 50)
    touch("plain", dir_fd=moved)


def renamed_folders():
    os.makedirs(f"{base}/watched/moving", exist_ok=True)
    os.chdir(f"{base}/watched/moving")
    touch("secret", os.O_RDWR | os.O_CREAT)
    os.rename(f"{base}/watched/moving", f"{base}/other/moved")
    touch("secret")
    touch("plain", os.O_RDWR | os.O_CREAT)
    os.rename(f"{base}/other/moved", f"{base}/watched/moving")
    touch("secret")
    for name in ["secret", "plain"]:
        attempt(os.unlink, name)
    os.rmdir(f"{base}/watched/moving")
    touch("secret")


def another_root():
    attempt(os.chroot, f"{base}/root")
    for path in [f"{base}/watched/secret", "/watched/secret", "secret", "../secret"]:
        touch(path)
    attempt(os.chdir, "/")
    touch("watched/secret")


def sockets():
    server = socket.socket()
    server.bind(("127.0.0.1", 0))
    server.listen(1)
    client = socket.socket()
    client.connect(server.getsockname())
    served, _ = server.accept()
    client.send(b"abc")
    copy = os.dup(served.fileno())
    os.read(copy, 3)
    os.close(copy)
    refused = socket.socket()
    attempt(refused.connect, ("127.0.0.1", 1))
    datagram = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    datagram.sendto(b"x", ("127.0.0.1", 9))
    datagram.sendto(b"x", ("127.0.0.1", 10))


def names():
    attempt(os.rename, f"{base}/other/made", f"{base}/watched/renamed")
    attempt(os.unlink, f"{base}/watched/renamed")
    attempt(os.symlink, "secret", f"{base}/watched/symlink")
    attempt(os.unlink, f"{base}/watched/symlink")
    os.chdir(f"{base}/watched")
    attempt(os.mkdir, "folder")
    attempt(os.rmdir, "folder")
    attempt(os.chmod, "secret", 0o600)


with open("/proc/self/comm", "w") as comm:
    comm.write(sys.argv[2])
for part in [absolute_paths, relative_paths, relative_to_fds, renamed_folders, another_root, sockets, names]:
    in_child(part)
