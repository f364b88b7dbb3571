"""power - what a disk may hold after the power went, from the record that fault.so took of every change.

The model is the one that file systems promise: what was flushed is there. Of what was written since, every part may be there
or not, in any order, down to sectors; a file that only grows at its end (the log) is there up to some byte, or has zeros from
there on. A new name is there once its directory was flushed; with lenient=True a flush of the file is enough for it, as on
ext4, XFS and btrfs.
"""
import os, struct
from pathlib import Path

HEAD = struct.Struct("=c3xIQQQ")
SECTOR = 512


class Event:
    __slots__ = ("kind", "path", "to", "inode", "offset", "data")

    def __init__(self, kind, path, to, inode, offset, data):
        self.kind, self.path, self.to, self.inode, self.offset, self.data = kind, path, to, inode, offset, data


def read_record(path):
    data, at, events = Path(path).read_bytes(), 0, []
    while at < len(data):
        kind, path_size, inode, offset, data_size = HEAD.unpack_from(data, at)
        at += HEAD.size
        name, _, to = data[at:at + path_size].decode().partition("\0")
        at += path_size
        events.append(Event(kind.decode(), name, to, inode, offset, data[at:at + data_size]))
        at += data_size
    return [e for e in events if not e.path.endswith("-shm")]  # memory that the processes share, not the disk's


def _write(content, offset, data):
    if len(content) < offset:
        content.extend(bytes(offset - len(content)))
    content[offset:offset + len(data)] = data


def _apply(content, event):
    if event.kind == "T":
        del content[event.offset:]
        content.extend(bytes(event.offset - len(content)))
    else:
        _write(content, event.offset, event.data)


class Disk:
    def __init__(self, lenient):
        self.lenient = lenient
        self.durable, self.pending = {}, {}    # by inode: bytes, and events since the last flush
        self.names, self.safe_names = {}, {}   # path -> inode

    def run(self, events):
        for event in events:
            getattr(self, f"_on_{event.kind}")(event)

    def _on_O(self, event):
        self.names[event.path] = event.inode
        self.durable.setdefault(event.inode, bytearray())
        self.pending.setdefault(event.inode, [])
        if event.offset:  # O_TRUNC
            self.pending[event.inode].append(Event("T", event.path, "", event.inode, 0, b""))

    def _on_W(self, event):
        self.pending[event.inode].append(event)

    _on_T = _on_W

    def _on_S(self, event):
        for change in self.pending[event.inode]:
            _apply(self.durable[event.inode], change)
        self.pending[event.inode].clear()
        if self.lenient:
            self.safe_names.update({path: inode for path, inode in self.names.items() if inode == event.inode})

    def _on_D(self, event):
        for names in self.safe_names, self.names:
            for path in [p for p in names if os.path.dirname(p) == event.path]:
                if path in self.names:
                    self.safe_names[path] = self.names[path]
                else:
                    del self.safe_names[path]

    def _on_R(self, event):
        self.names[event.to] = self.names.pop(event.path)

    def _on_U(self, event):
        self.names.pop(event.path, None)

    def _survivor(self, inode, chance, stats):
        content, changes = bytearray(self.durable[inode]), self.pending[inode]
        size, keep = len(content), chance.choice((0, 0.2, 0.5, 0.8, 1))
        if all(c.kind == "W" and c.path.endswith(".log") for c in changes):
            for change in changes:
                _apply(content, change)
            cut = len(content) if keep == 1 else chance.randint(size, len(content))
            stats["bytes of the log lost"] += len(content) - cut
            if chance.random() < 0.4:  # the size has reached the disk, the bytes have not
                content[cut:] = bytes(len(content) - cut)
                stats["bytes of the log that are zero"] += len(content) - cut
            else:
                del content[cut:]
            return content
        for change in changes:
            if change.kind == "T":
                if chance.random() < keep:
                    _apply(content, change)
                continue
            for start in range(0, len(change.data), SECTOR):
                if chance.random() < keep:
                    _write(content, change.offset + start, change.data[start:start + SECTOR])
                else:
                    stats["sectors of the database lost"] += 1
        return content

    def after_the_cut(self, chance, stats):
        """{path: (inode, bytes)}"""
        names = {}
        for path in {*self.names, *self.safe_names}:
            inode = chance.choice((self.names, self.safe_names)).get(path)
            if inode is not None:
                names[path] = inode
            stats["names lost"] += path in self.names and inode is None
        return {path: (inode, self._survivor(inode, chance, stats)) for path, inode in names.items()}
