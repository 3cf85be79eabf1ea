"""First moments of an embedded server's process: tie it to its parent, step down from root.

Run as a script (``python -I -S embedded_child.py PARENT SIGNAL ROOT FOLDER PROGRAM ARG…``) between
fork and exec. A script of its own, and not a ``preexec_fn``, because Python code between fork and
exec may deadlock when the parent has threads.
"""

from __future__ import annotations

import ctypes
import os
import pwd
import sys

PR_SET_PDEATHSIG = 1
CLONE_NEWUSER = 0x10000000

REFUSED_EXIT = 97
"""Exit status when the server could not be started at all; the reason stands in its log."""


def main(arguments: list[str]) -> None:
    """Become ``PROGRAM``.

    Args:
        arguments: parent's process id; number of the signal that follows its death;
            ``as-root`` or ``not-as-root``; the server's folder; the program and its arguments.
    """
    parent, death_signal, root, folder, *command = arguments
    if root == "not-as-root" and os.geteuid() == 0:
        _step_down_from_root(folder, command[0])
    # After the change of identity, which clears the setting.
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)
    if os.getppid() != int(parent):
        _refuse("its parent ended before it started")
    os.execv(command[0], command)


def _step_down_from_root(folder: str, program: str) -> None:
    """Leave root for a user namespace, else for the user ``nobody``.

    In a new user namespace without a mapping the process is nobody to itself, while the kernel
    still lets it own root's files: no file changes hands and no other user is needed. The
    environment variable LOYALTY_EMBEDDED_USER_NAMESPACE=off takes the second way at once.
    """
    _own(folder, 0, 0)
    libc = ctypes.CDLL(None, use_errno=True)
    forbidden = os.environ.get("LOYALTY_EMBEDDED_USER_NAMESPACE") == "off"
    if not forbidden and libc.unshare(CLONE_NEWUSER) == 0:
        return
    reason = "switched off" if forbidden else os.strerror(ctypes.get_errno())
    try:
        nobody = pwd.getpwnam("nobody")
        _own(folder, nobody.pw_uid, nobody.pw_gid)
        os.setgroups([])
        os.setgid(nobody.pw_gid)
        os.setuid(nobody.pw_uid)
    except (KeyError, OSError) as error:
        _refuse(f"user namespaces are forbidden ({reason}) and becoming nobody failed: {error}")
    for path, mode, wanted in ((program, os.X_OK, "run"), (folder, os.W_OK | os.X_OK, "write")):
        if not os.access(path, mode):
            _refuse(
                f"user namespaces are forbidden ({reason}), and the user nobody may not {wanted} "
                f"{path}: allow user namespaces, start this as a user other than root, or keep "
                "both in folders that everybody may pass"
            )


def _own(folder: str, uid: int, gid: int) -> None:
    """Hand a folder with all that is in it to one owner."""
    if os.stat(folder).st_uid == uid:
        return
    os.chown(folder, uid, gid)
    for parent, folders, files in os.walk(folder):
        for name in (*folders, *files):
            os.chown(os.path.join(parent, name), uid, gid, follow_symlinks=False)


def _refuse(reason: str) -> None:
    print(f"not started: {reason}", file=sys.stderr, flush=True)
    os._exit(REFUSED_EXIT)


if __name__ == "__main__":
    main(sys.argv[1:])
