"""Writing to a repository: branches that are built beside the user's work, what is appended to them, and a new one.

Nothing here touches the work tree, the index or the current branch of a repository that is there.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from esc_skills.errors import GitError, InputError
from esc_skills.git.command import CommandError
from esc_skills.git.objects import REGULAR, Entry
from esc_skills.git.revisions import Revisions


class Repository(Revisions):
    """A git repository to be read and added to; see `Opened` for how it is opened."""

    def fetch_branch(self, remote: str, branch: str) -> str | None:
        """Fetch a branch of a remote and return its remote-tracking ref; None where the remote has no such branch.

        Raises:
            GitError: The remote cannot be reached.
        """
        ref = f"refs/remotes/{remote}/{branch}"
        try:
            listed = self._git.run("ls-remote", "--heads", "--", remote, f"refs/heads/{branch}", network=True)
            if not listed.strip():
                return None
            # Forced, so that a rewritten branch is seen as it is rather than as it was.
            self._git.run("fetch", "--quiet", "--no-tags", "--", remote, f"+refs/heads/{branch}:{ref}", network=True)
        except CommandError as error:
            raise _refused(branch, remote, error, "read") from error
        return ref

    def append_commits(
        self,
        branch: str,
        remote: str | None,
        head: str | None,
        steps: Sequence[Mapping[str, bytes | None]],
        message: str,
        at_remote: str | None = None,
    ) -> None:
        """Append commits to a branch, at the remote where there is one, and only where nobody did in between.

        Args:
            branch: The branch's name.
            remote: The remote that it is pushed to; None for a branch of this repository alone.
            head: The commit that it ended in when it was read; None where it did not exist.
            steps: New files by path, of one commit each; None deletes one.
            message: The commits' message.
            at_remote: The commit that the remote's branch ended in; None where it had none.

        Raises:
            GitError: Somebody else appended in between, or the remote cannot be reached; nothing is changed.
        """
        preview = f"refs/esc/append/{os.getpid()}"
        try:
            parent = head
            for files in steps:
                self._import(branch, _fast_import(preview, parent, files, message, self._author()), "--force")
                parent = self.resolve(preview)
            self._move(branch, remote, head if remote is None else at_remote, str(parent))
        finally:
            self._git.succeeds("update-ref", "-d", preview)

    def _import(self, branch: str, stream: bytes, *options: str) -> None:
        try:
            self._git.run("fast-import", "--quiet", *options, "--done", stdin=stream)
        except CommandError as error:
            raise _refused(branch, None, error) from error

    def _move(self, branch: str, remote: str | None, head: str | None, new: str) -> None:
        try:
            if remote is None:
                self._git.run("update-ref", f"refs/heads/{branch}", new, head or "0" * len(new))
            else:
                # With a lease, so that a branch which was made or moved in between is left as it is.
                lease = f"--force-with-lease=refs/heads/{branch}:{head or ''}"
                self._git.run("push", "--quiet", lease, "--", remote, f"{new}:refs/heads/{branch}", network=True)
        except CommandError as error:
            raise _refused(branch, remote, error) from error

    def require_author(self) -> None:
        """Raise where git does not know who commits, before anything is done that ends in a commit.

        Raises:
            GitError: It does not.
        """
        self._author()

    def require_push(self, remote: str, branch: str) -> None:
        """Raise where a remote does not let this person push, as far as that can be known without pushing.

        Raises:
            GitError: It cannot be reached, or does not let them push.
        """
        if not self.has_commits():
            return
        try:
            probe = f"HEAD:refs/heads/{branch}-push-probe"
            self._git.run("push", "--quiet", "--dry-run", "--no-verify", "--", remote, probe, network=True)
        except CommandError as error:
            raise _refused(branch, remote, error) from error

    def remote_url(self, remote: str) -> str:
        """Return where a remote is, without a password that may stand in its address."""
        try:
            address = self._git.run("remote", "get-url", "--push", "--", remote, network=True)
        except CommandError:
            return remote
        return re.sub(r"(?<=//)[^/@]*@", "", address)

    def has_uncommitted(self, folder: str) -> bool:
        """Whether the work tree or the index holds something below a folder that is in no commit."""
        if self.is_bare:
            return False
        return bool(self._git.run("status", "--porcelain", "--untracked-files=all", "--", folder))

    def commit_branch(self, branch: str, parent: str, files: Mapping[str, bytes | None], message: str) -> str:
        """Make a branch with one commit on top of `parent`, beside whatever is checked out.

        Args:
            branch: The new branch's name.
            parent: The commit that it starts from.
            files: New content by path from the root; None deletes the file.
            message: The commit message.

        Returns:
            The id of the new commit.

        Raises:
            GitError: The branch exists, no author is configured, or git refused; nothing is left behind.
        """
        if branch.startswith("-"):  # fast-import takes it, and no git command could name it afterwards
            raise GitError(f"{branch!r} is no name for a branch", "start it with a letter")
        if self.branch_exists(branch):
            raise GitError(
                f"the branch {branch} exists already", f"look at it, or delete it with `git branch -D {branch}`"
            )
        stream = _fast_import(f"refs/heads/{branch}", self.resolve(parent), files, message, self._author())
        self._import(branch, stream)
        return self.resolve(f"refs/heads/{branch}")

    def keep_blob(self, ref: str, data: bytes) -> None:
        """Store bytes under a ref of their own, beside all branches, where a fetch of branches does not carry them along."""
        blob = self._git.run("hash-object", "-w", "--stdin", stdin=data)
        self._git.run("update-ref", ref, blob)

    def add_to_branch(self, branch: str, head: str, files: Mapping[str, bytes | None], message: str) -> None:
        """Add a commit with some files to a local branch that is not checked out.

        Raises:
            InputError: It is checked out, here or in another work tree, or there is no such local branch.
            GitError: It moved in between, or git refused.
        """
        if not self.branch_exists(branch):
            raise InputError(f"{branch}: is no local branch", f"make one: git branch {branch} REV")
        if self.is_checked_out(branch):
            raise InputError(f"{branch}: is checked out", "switch to another branch first")
        self.append_commits(branch, None, head, [files], message)

    def tree_after(self, parent: str, files: Mapping[str, bytes | None], folder: str) -> str:
        """Return the id that a folder's tree would have after a change, without leaving a branch.

        Raises:
            GitError: The change leaves nothing in the folder.
        """
        start = f"{folder}/"
        inside = {
            path.removeprefix(start): None if data is None else Entry(REGULAR, self.blob_id(data))
            for path, data in files.items()
            if path.startswith(start)
        }
        after = self.tree_with(self.tree_id(parent, folder), inside)
        if after is None:
            raise GitError(f"{folder}: the change leaves nothing in it")
        return after

    def _author(self) -> str:
        try:
            return self._git.run("var", "GIT_COMMITTER_IDENT")
        except GitError as error:
            hint = "run `git config user.name NAME` and `git config user.email ADDRESS`"
            raise GitError("git does not know who commits", hint) from error


#: What git says in its own words, and what that means for whoever waits.
_REFUSALS = (
    (
        r"no space left|disk quota|(?:unable|cannot|failed) to (?:create|write|open)|read-only file system|unable to append",
        "this repository cannot be written to, or its disk is full",
        "make room, or ask whose files they are; nothing that was played is lost, and the same command goes on with it",
    ),
    (
        r"stale info|fetch first|non-fast-forward|cannot lock ref|reference already exists|remote rejected.*(?:changed|lock)",
        "somebody else appended to it in between",
        "give the same command again, with --resume where models play",
    ),
    (
        r"hook declined|pre-receive",
        "a hook of the remote refused the push",
        "its reason is below; the remote's keeper knows the rule",
    ),
    (
        r"permission|denied|403|401|authentication|could not read (?:username|password)|not allowed|read-only",
        "you may not push to it",
        "ask for the right to push, or register nothing with --offline and let a maintainer collect the evidence",
    ),
    (
        r"could not (?:resolve|connect|read from remote)|unable to access|does not appear to be a git|timed out|not found",
        "it cannot be reached",
        "check the network and the address: git remote --verbose",
    ),
)


def _refused(branch: str, remote: str | None, error: CommandError, wanted: str = "written") -> GitError:
    """Return why a branch could not be moved or read, in words for the person, with git's own behind them."""
    where = f"the branch {branch} of {remote}" if remote else f"the branch {branch}"
    for pattern, found, hint in _REFUSALS:
        if re.search(pattern, error.message, flags=re.IGNORECASE | re.DOTALL):
            return GitError(f"{where}: {found}", f"{hint} (git said: {error.said})")
    return GitError(f"{where} could not be {wanted}", f"git said: {error.said}")


def start_git(folder: Path) -> None:
    """Make a folder a git repository whose branch will be `main`; one that is one stays as it is."""
    import git

    if not (folder / ".git").exists():
        own = {"GIT_DIR": str(folder.resolve() / ".git"), "GIT_WORK_TREE": str(folder.resolve())}
        git.Repo.init(folder, initial_branch="main", env=own).close()


def is_in_repository(folder: Path) -> bool:
    """Whether a folder lies in a git repository, be it its top; git itself is not asked."""
    return any((each / ".git").exists() for each in (folder.absolute(), *folder.absolute().parents))


def enclosing_repository(folder: Path) -> Path | None:
    """Return the top of the repository that a folder lies in without being its top itself; None where there is none."""
    standing = next(each for each in (folder.absolute(), *folder.absolute().parents) if each.is_dir())
    try:
        with Repository(standing) as repository:
            top = repository.root.resolve()
    except GitError:
        return None
    return None if top == folder.resolve() else top


def create_repository(path: Path, files: Mapping[str, bytes], message: str) -> None:
    """Make a repository with one commit on `main`, checked out, by an author of its own.

    Args:
        path: A new or empty folder.
        files: Content by path from the root.
        message: The commit message.
    """
    import git

    for name, content in files.items():
        target = path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    # GitPython hands its child all of this process's environment, in which a hook's GIT_DIR may stand.
    author = git.Actor("esc-skills demo", "demo@localhost")
    own = {"GIT_DIR": str(path.resolve() / ".git"), "GIT_WORK_TREE": str(path.resolve())}
    with git.Repo.init(path, initial_branch="main", env=own) as repo:
        with repo.config_writer() as writer:
            writer.set_value("user", "name", str(author.name)).set_value("user", "email", str(author.email))
            writer.set_value("commit", "gpgsign", "false")
        repo.index.add(sorted(files))
        repo.index.commit(message, author=author, committer=author, skip_hooks=True)


def _fast_import(ref: str, parent: str | None, files: Mapping[str, bytes | None], message: str, author: str) -> bytes:
    """Return a fast-import stream: the whole branch in one process, without an index."""
    text = message.encode()
    start = f"\nfrom {parent}\n" if parent else "\n"
    parts = [f"commit {ref}\ncommitter {author}\ndata {len(text)}\n".encode(), text, start.encode()]
    for path in sorted(files):
        content = files[path]
        quoted = '"' + path.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
        if content is None:
            parts.append(f"D {quoted}\n".encode())
        else:
            parts += [f"M 100644 inline {quoted}\ndata {len(content)}\n".encode(), content, b"\n"]
    return b"".join([*parts, b"\ndone\n"])
