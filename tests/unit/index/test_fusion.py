from imgguard.index.base import Hit
from imgguard.index.fusion import FusedHit, fuse


def hit(number: int, cosine: float) -> Hit:
    return Hit(number=number, cosine_similarity=cosine)


def fused(number: int, cosine: float, view: int) -> FusedHit:
    return FusedHit(number=number, cosine_similarity=cosine, view=view)


def test_the_best_view_of_each_number_counts() -> None:
    views = [[hit(1, 0.9), hit(2, 0.3)], [hit(2, 0.95), hit(1, 0.2), hit(3, 0.1)]]
    assert fuse(views, 10) == [fused(2, 0.95, 1), fused(1, 0.9, 0), fused(3, 0.1, 1)]
    assert fuse(views, 1) == [fused(2, 0.95, 1)]


def test_ties_go_to_the_lower_number_and_the_earlier_view() -> None:
    assert fuse([[hit(9, 0.5)], [hit(4, 0.5), hit(9, 0.5)]], 5) == [fused(4, 0.5, 1), fused(9, 0.5, 0)]


def test_nothing_in_nothing_out() -> None:
    assert fuse([], 5) == []
    assert fuse([[], []], 5) == []
    assert fuse([[hit(1, 0.5)]], 0) == []
