"""Forged signatures: who vouches for a statement."""

from __future__ import annotations

import subprocess

from esc_skills.evidence.files import SIGNATURE, STATEMENT
from esc_skills.evidence.kinds import SIGNERS

from .kind import Asked, family, refused
from .workshop import Workshop

REQUIRED = Asked(options=("--require-signature",))
NAMESPACE = "esc-skills-evidence"


def key(shop: Workshop, name: str) -> str:
    """Make a key, and return its public half."""
    folder = shop.folder / ".git"
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", name]
    subprocess.run(command, cwd=folder, check=True, capture_output=True, stdin=subprocess.DEVNULL)
    return (folder / f"{name}.pub").read_text()


def signature(shop: Workshop, name: str, data: bytes, namespace: str = NAMESPACE) -> bytes:
    """Sign data with a key."""
    command = ["ssh-keygen", "-q", "-Y", "sign", "-f", name, "-n", namespace]
    done = subprocess.run(command, cwd=shop.folder / ".git", check=True, capture_output=True, input=data)
    return done.stdout


def with_signer(shop: Workshop) -> None:
    """Make `main` name the key `keeper` as an allowed signer."""
    shop.commit({SIGNERS: f"keeper@example.invalid {key(shop, 'keeper')}".encode()}, branch="signers")
    shop.git("update-ref", "refs/heads/main", "signers")


def signed_by(shop: Workshop, data: bytes) -> Asked:
    """Propose the real change with a signature."""
    shop.propose({**shop.real.evidence, SIGNATURE: data})
    return REQUIRED


family("signatures")


@refused("signature", r"statement\.json\.sig: is missing", status="missing")
def a_signature_is_asked_for_and_there_is_none(shop: Workshop) -> Asked:
    with_signer(shop)
    shop.propose(shop.real.evidence)
    return REQUIRED


@refused("signature", r"the base holds no file allowed_signers", status="missing")
def a_signature_is_asked_for_and_nobody_s_counts(shop: Workshop) -> Asked:
    key(shop, "keeper")
    return signed_by(shop, signature(shop, "keeper", shop.real.evidence[STATEMENT]))


@refused(
    "signature", r"the signature by keeper@example\.invalid does not hold.*incorrect signature", "not of these bytes"
)
def a_statement_is_edited_after_it_was_signed(shop: Workshop) -> Asked:
    with_signer(shop)
    return signed_by(shop, signature(shop, "keeper", shop.real.evidence[STATEMENT] + b"\n"))


@refused(
    "signature", r"the signature by keeper@example\.invalid does not hold.*incorrect signature", "not of these bytes"
)
def the_signature_is_that_of_another_proposal(shop: Workshop) -> Asked:
    with_signer(shop)
    return signed_by(shop, signature(shop, "keeper", shop.other.evidence[STATEMENT]))


@refused("signature", r"namespace")
def the_signature_was_made_for_something_else(shop: Workshop) -> Asked:
    with_signer(shop)
    return signed_by(shop, signature(shop, "keeper", shop.real.evidence[STATEMENT], "git"))


@refused("signature", r"no allowed signer's: No principal matched")
def somebody_else_signed(shop: Workshop) -> Asked:
    with_signer(shop)
    key(shop, "stranger")
    return signed_by(shop, signature(shop, "stranger", shop.real.evidence[STATEMENT]))


@refused("signature", r"is no SSH signature; it may hold nothing else")
def the_signature_is_none(shop: Workshop) -> Asked:
    with_signer(shop)
    return signed_by(shop, b"Signed by everybody.\n")


@refused("scope", r"allowed_signers: lies outside")
def the_proposal_names_its_own_signer(shop: Workshop) -> Asked:
    public = key(shop, "stranger")
    files = {**shop.real.evidence, SIGNATURE: signature(shop, "stranger", shop.real.evidence[STATEMENT])}
    evidence = {f"evidence/{shop.real.name}/{path}": data for path, data in files.items()}
    shop.commit({**shop.real.skills, **evidence, SIGNERS: f"me {public}".encode()})
    return REQUIRED
