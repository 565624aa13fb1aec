"""Claims and proofs of references."""

from collections.abc import Iterator, Mapping

from imgguard.client.calls import Calls
from imgguard.client.claim_models import AttachedProof, StatedClaims
from imgguard.client.session import path_of
from imgguard.client.uploads import Source


class ClaimCalls(Calls):
    def state_claims(self, reference_id: str, claims: Mapping[str, object]) -> StatedClaims:
        """State something about an original: ``dates``, ``places``, ``urls``, ``statement`` (docs/claims.md). It cannot
        be taken back. Raises NotFoundProblem, InvalidProblem, ConflictProblem."""
        return self._session.post(path_of("references", reference_id, "claims"), claims).read(StatedClaims)

    def claims(self, reference_id: str) -> Iterator[StatedClaims]:
        """What its claimant states, oldest first. Raises NotFoundProblem."""
        return self._list(StatedClaims, path_of("references", reference_id, "claims"))

    def attach_proof(
        self, reference_id: str, source: Source, *, kind: str, name: str | None = None, file: str | None = None
    ) -> AttachedProof:
        """Attach a file, which the server keeps. ``name``: by default the file's, which ``file`` replaces.

        Raises OSError, NotFoundProblem, InvalidProblem, ConflictProblem, TooLargeProblem.
        """
        path = path_of("references", reference_id, "proofs")
        return self._upload(path, [("file", source, file)], {"kind": kind, "name": name}).read(AttachedProof)

    def attach_proof_digest(
        self, reference_id: str, *, kind: str, name: str, sha256: str, byte_length: int
    ) -> AttachedProof:
        """Commit to a file that is not sent. Raises NotFoundProblem, InvalidProblem, ConflictProblem."""
        path = path_of("references", reference_id, "proofs", "by-digest")
        body = {"kind": kind, "name": name, "sha256": sha256, "byte_length": byte_length}
        return self._session.post(path, body).read(AttachedProof)

    def proofs(self, reference_id: str) -> Iterator[AttachedProof]:
        """The files attached to an original, oldest first; removed ones too. Raises NotFoundProblem."""
        return self._list(AttachedProof, path_of("references", reference_id, "proofs"))

    def proof(self, reference_id: str, proof_id: str) -> bytes:
        """The bytes of an attached file. Raises NotFoundProblem, also when none is kept."""
        return self._session.ask("GET", path_of("references", reference_id, "proofs", proof_id), accept="*/*").body

    def remove_proof(self, reference_id: str, proof_id: str) -> AttachedProof:
        """Delete its file; the digest stays. Raises NotFoundProblem, ConflictProblem."""
        path = path_of("references", reference_id, "proofs", proof_id)
        return self._session.ask("DELETE", path).read(AttachedProof)
