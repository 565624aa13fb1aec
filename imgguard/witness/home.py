"""The folder of a witness: its key, its state, and evidence against logs. Made at the first start."""

from dataclasses import dataclass
from pathlib import Path

from imgguard.errors import ConfigurationError, InputError, StoreUnavailable
from imgguard.provenance.keys import new_key, parse_pem, to_pem
from imgguard.provenance.notes import COSIGNATURE, Signer, VerifierKey, is_key_name
from imgguard.witness.evidence import Evidence
from imgguard.witness.files import FOLDER_MODE, sync_folder, write_once
from imgguard.witness.state import WitnessState

KEY = "witness-key.pem"
STATE = "witness.sqlite3"
EVIDENCE = "evidence"

_NEW_KEY = f"{KEY}.new"
_FORGOTTEN = (
    "Restore the file if you have it as it was last, not an older one. Else begin with an empty folder and another "
    "name: a witness that has forgotten what it signed could sign what contradicts it."
)


@dataclass(frozen=True, slots=True)
class WitnessHome:
    """What is in the folder. ``signer`` has a key of type `COSIGNATURE`."""

    signer: Signer
    state: WitnessState
    evidence: Evidence


def open_home(folder: Path, name: str | None = None) -> WitnessHome:
    """That of ``folder``, made if there is none; then it needs a ``name``, which never changes.

    A key whose state is gone is never used again: so a new key gets its place when the state on the disk has its vkey.
    Raises ConfigurationError, also for a key or a state that is missing, and StoreUnavailable.
    """
    key_path, state_path = folder / KEY, folder / STATE
    try:
        if not state_path.exists():
            if key_path.exists():
                raise ConfigurationError(f"{state_path} is missing, and {key_path} is there", hint=_FORGOTTEN)
            _require_name(name)
            folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
            sync_folder(folder.parent)
        state = WitnessState.make(state_path)
        vkey = state.vkey()
        if vkey is None:
            return _first_start(folder, state, _require_name(name))
        return _opened(folder, state, VerifierKey.parse(vkey), name)
    except OSError as error:
        raise StoreUnavailable(f"{folder} cannot be read or written: {error.strerror}") from error


def existing_home(folder: Path) -> WitnessHome:
    """As `open_home`, for a folder that was made before. Raises ConfigurationError when there is none."""
    if not (folder / STATE).exists() and not (folder / KEY).exists():
        raise ConfigurationError(f"{folder} is not the folder of a witness", hint="`imgguard witness serve` makes one.")
    return open_home(folder)


def _require_name(name: str | None) -> str:
    if name is None:
        raise ConfigurationError(
            "a new witness needs a name", hint="Give --name, such as witness.example.org; it never changes."
        )
    if not is_key_name(name):
        raise ConfigurationError(
            f"{name!r} cannot be the name of a witness", hint="Give one without spaces and plus signs."
        )
    return name


def _first_start(folder: Path, state: WitnessState, name: str) -> WitnessHome:
    path, new = folder / KEY, folder / _NEW_KEY
    if path.exists():
        raise ConfigurationError(f"{folder / STATE} is empty, and {path} is there", hint=_FORGOTTEN)
    new.unlink(missing_ok=True)
    write_once(new, to_pem(new_key()))
    signer = _signer(new, name)
    state.set_vkey(signer.key)
    new.rename(path)
    sync_folder(folder)
    return WitnessHome(signer, state, Evidence(folder / EVIDENCE))


def _opened(folder: Path, state: WitnessState, key: VerifierKey, name: str | None) -> WitnessHome:
    path, new = folder / KEY, folder / _NEW_KEY
    if name not in (None, key.name):
        raise ConfigurationError(f"this witness is {key.name}, not {name}", hint="Another name needs another folder.")
    if not path.exists() and new.exists():  # the first start ended early
        new.rename(path)
        sync_folder(folder)
    if not path.exists():
        raise ConfigurationError(f"{path} is missing, and the state of its witness is there", hint=_FORGOTTEN)
    signer = _signer(path, key.name)
    if signer.key != key:
        raise ConfigurationError(f"{path} is not the key that the state was made with", hint=_FORGOTTEN)
    return WitnessHome(signer, state, Evidence(folder / EVIDENCE))


def _signer(path: Path, name: str) -> Signer:
    try:
        return Signer(name, parse_pem(path.read_bytes()), key_type=COSIGNATURE)
    except InputError as error:
        raise ConfigurationError(f"the witness cannot sign with {path}: {error.detail}", hint=error.advice) from error
