"""Signatures of statements with SSH keys, as git knows them: made and checked by `ssh-keygen -Y`."""

from __future__ import annotations

import base64
import binascii
import re
import subprocess
import tempfile
from enum import StrEnum
from pathlib import Path, PurePosixPath

from esc_skills.errors import EscError, InputError
from esc_skills.evidence.files import SIGNATURE, STATEMENT
from esc_skills.git import Repository


class Purpose(StrEnum):
    """What a signature is for, as ssh-keygen's namespace: one that was made for a commit or a login is none for evidence."""

    EVIDENCE = "esc-skills-evidence"
    OWNERS = "esc-skills-owners"
    DRAWN = "esc-skills-drawn"


_TIMEOUT = 120
#: What ssh-keygen writes, and nothing around it: words beside a signature would lie in the repository, shown to nobody.
_ARMOUR = re.compile(
    rb"-----BEGIN SSH SIGNATURE-----\n((?:[A-Za-z0-9+/]{1,76}={0,2}\n){1,60})-----END SSH SIGNATURE-----\n?"
)
_MAGIC = b"SSHSIG"


class SignatureError(EscError):
    """A statement could not be signed, or its signature does not hold."""


def sign(data: bytes, key: Path, purpose: Purpose) -> bytes:
    """Return the signature of some bytes.

    Args:
        data: What is signed.
        key: A private key's file, or the public key of one that an agent holds.
        purpose: What it is for.

    Raises:
        SignatureError: There is no such key, or ssh-keygen refused.
    """
    if not key.is_file():
        raise SignatureError(f"{key}: no such file", "give a key's file, such as ~/.ssh/id_ed25519")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "statement")
        file.write_bytes(data)
        # The passphrase, if any, is asked for on the terminal by ssh-keygen itself.
        _run(["-q", "-Y", "sign", "-f", str(key), "-n", purpose, str(file)], None, f"{key}: could not sign")
        return Path(folder, "statement.sig").read_bytes()


def is_signature(data: bytes) -> bool:
    """Whether some bytes have the form of a signature, whoever made it and of whatever."""
    found = _ARMOUR.fullmatch(data)
    if found is None:
        return False
    try:
        return base64.b64decode(found[1]).startswith(_MAGIC)
    except binascii.Error:
        return False


def check_signature(data: bytes, signature: bytes, signers: bytes, purpose: Purpose) -> str:
    """Return who signed some bytes.

    Args:
        data: What is signed.
        signature: The signature.
        signers: The allowed signers, in the form of `ssh-keygen(1)`: a name, options and a public key a line.
        purpose: What the signature has to be for.

    Raises:
        SignatureError: It is no signature, another's, or not of these bytes.
    """
    with tempfile.TemporaryDirectory() as folder:
        allowed, file = Path(folder, "allowed"), Path(folder, "signature")
        allowed.write_bytes(signers)
        file.write_bytes(signature)
        found = _run(["-Y", "find-principals", "-s", str(file), "-f", str(allowed)], None, "no allowed signer's")
        names = found.split("\n")[0].strip()
        if not names:
            raise SignatureError("the signature is no allowed signer's", "ask whom to trust before you add the key")
        name = names.split(",")[0]
        options = ["-Y", "verify", "-f", str(allowed), "-I", name, "-n", purpose, "-s", str(file)]
        _run(options, data, f"the signature by {name} does not hold")
        return name


def _run(options: list[str], data: bytes | None, refused: str) -> str:
    try:
        done = subprocess.run(
            ["ssh-keygen", *options],
            input=data,
            stdin=None if data is not None else subprocess.DEVNULL,
            capture_output=True,
            timeout=_TIMEOUT,
            check=False,
        )
    except FileNotFoundError as error:
        raise SignatureError("ssh-keygen was not found", "install OpenSSH 8.2 or newer") from error
    except subprocess.TimeoutExpired as error:
        raise SignatureError(f"ssh-keygen did not end within {_TIMEOUT} seconds") from error
    if done.returncode:
        said = " ".join((done.stderr or done.stdout).decode("utf-8", "replace").split())[:200]
        raise SignatureError(f"{refused}: {said}" if said else refused)
    return done.stdout.decode("utf-8", "replace")


def sign_proposal(repository: Repository, base: str, branch: str, key: Path) -> str:
    """Add the signature of a proposal's statement to its branch, and return the signature's path.

    Raises:
        InputError: The branch holds no proposal, is signed, or is checked out.
        SignatureError: The key cannot sign.
    """
    commit = repository.resolve(branch)
    fork = repository.merge_base(repository.resolve(base), commit)
    statements = [each.path for each in repository.changed_files(fork, commit) if each.path.endswith(f"/{STATEMENT}")]
    if len(statements) != 1:
        raise InputError(f"{branch} adds {len(statements)} statements to {base}", "name the branch of one proposal")
    path = str(PurePosixPath(statements[0]).with_name(SIGNATURE))
    if repository.read_file(commit, path) is not None:
        raise InputError(f"{path}: is there already", "delete it in a commit, then sign again")
    signature = sign(repository.read_file(commit, statements[0]) or b"", key, Purpose.EVIDENCE)
    repository.add_to_branch(branch, commit, {path: signature}, f"Sign {PurePosixPath(path).parent.name}")
    return path
