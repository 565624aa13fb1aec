"""Synthetic embeddings: reproducible, of unit length, and like those they were learnt from."""

import numpy as np
import pytest

from imgguard.bench.synthetic import BLOCK, Generator, nearest_cosines, resemblance
from imgguard.index.base import Vectors


@pytest.fixture(scope="module")
def real() -> Vectors:
    rng = np.random.default_rng(5)
    drawn = rng.standard_normal((400, 32)) * np.linspace(2, 0.3, 32) + 0.2
    drawn[::2] += 3 * drawn[1::2]  # sisters
    return (drawn / np.linalg.norm(drawn, axis=1, keepdims=True)).astype(np.float32)


def test_blocks_are_reproducible_and_differ(real: Vectors) -> None:
    generator = Generator.of(real, seed=1)
    assert (generator.block(3) == Generator.of(real, seed=1).block(3)).all()
    assert (generator.block(3) != generator.block(4)).any()
    assert np.linalg.norm(generator.block(0), axis=1) == pytest.approx(1.0, abs=1e-5)


def test_any_number_of_vectors(real: Vectors) -> None:
    parts = list(Generator.of(real, seed=1).vectors(BLOCK + 7))
    assert [len(part) for part in parts] == [BLOCK, 7]


def test_they_resemble_what_they_were_learnt_from(real: Vectors) -> None:
    drawn = Generator.of(real, seed=1).block(0)
    found = resemblance(real, drawn)
    assert found["synthetic"]["random_pair_mean"] == pytest.approx(found["real"]["random_pair_mean"], abs=0.05)
    assert found["synthetic"]["random_pair_sd"] == pytest.approx(found["real"]["random_pair_sd"], abs=0.05)


def test_a_file_that_is_stored_twice_is_not_its_own_neighbour() -> None:
    vectors = np.eye(3, dtype=np.float32)[[0, 0, 1, 2]]
    assert nearest_cosines(vectors).tolist() == [0.0, 0.0, 0.0, 0.0]
