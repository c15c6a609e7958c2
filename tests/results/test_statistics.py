"""Intervals, tests and ranks against scipy and against plain loops."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from results.stand_in import table
from sodbench.metrics.aggregate import dataset_scores
from sodbench.results.average_ranks import rank
from sodbench.results.paired_tests import holm, win_tie_loss
from sodbench.results.resampling import bootstrap, paired_bootstrap, permutation_test, scores_of
from sodbench.results.seeds import over_seeds, seed_of, spread


@pytest.mark.parametrize("method", ["bca", "percentile"])
@pytest.mark.parametrize("level", [0.9, 0.95])
def test_intervals_of_a_mean_equal_scipys(method, level: float) -> None:
    made = table(40, seed=3)
    ours = bootstrap(scores_of(made), 40, 500, level, seed=7, method=method)
    for metric in ("MAE", "S", "wF"):
        values = made.per_image[metric].to_numpy()
        theirs = stats.bootstrap(
            (values,), np.mean, n_resamples=500, confidence_level=level, rng=np.random.default_rng(7),
            method=method, vectorized=True,
        ).confidence_interval  # fmt: skip
        assert ours[metric].value == pytest.approx(values.mean(), abs=1e-15)
        assert (ours[metric].low, ours[metric].high) == pytest.approx((theirs.low, theirs.high), abs=1e-12)


@pytest.mark.parametrize("protocol", ["pysodmetrics", "basnet2019"])
def test_intervals_of_max_f_equal_scipys_with_the_curves_resampled(protocol: str) -> None:
    """Both families of max F, recomputed for each resample by the textbook formula."""
    levels = 255 if protocol == "basnet2019" else 256
    made = table(30, seed=1, protocol=protocol, levels=levels)
    p, r = (made.image_curves[name].astype(float) for name in ("precision", "recall"))

    def max_f(images: np.ndarray, axis: int = -1) -> np.ndarray:
        p_drawn, r_drawn = p[images], r[images]
        if protocol == "basnet2019":
            mean_p, mean_r = p_drawn.mean(axis=-2), r_drawn.mean(axis=-2)
            return (1.3 * mean_p * mean_r / (0.3 * mean_p + mean_r + 1e-8)).max(axis=-1)
        f = np.nan_to_num(1.3 * p_drawn * r_drawn / (0.3 * p_drawn + r_drawn))
        return f.mean(axis=-2).max(axis=-1)

    with np.errstate(invalid="ignore"):
        theirs = stats.bootstrap(
            (np.arange(30),), max_f, n_resamples=300, rng=np.random.default_rng(0), vectorized=True
        ).confidence_interval
    ours = bootstrap(scores_of(made), 30, 300)["maxF"]
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=1e-7)


def test_paired_intervals_are_those_of_the_differences() -> None:
    one, two = table(50, seed=1), table(50, seed=2)
    interval = paired_bootstrap(scores_of(one), scores_of(two), 50, 400, seed=5)["MAE"]
    differences = (one.per_image["MAE"] - two.per_image["MAE"]).to_numpy()
    theirs = stats.bootstrap(
        (differences,), np.mean, n_resamples=400, rng=np.random.default_rng(5), vectorized=True
    ).confidence_interval
    assert (interval.low, interval.high) == pytest.approx((theirs.low, theirs.high), abs=1e-12)


def test_small_permutation_tests_are_exact_as_scipys() -> None:
    one, two = table(9, seed=1), table(9, seed=2)
    p_values = permutation_test(scores_of(one, two), 9, resamples=1000)
    for metric in ("MAE", "S", "adpF"):
        theirs = stats.permutation_test(
            (one.per_image[metric].to_numpy(), two.per_image[metric].to_numpy()),
            lambda a, b, axis: np.mean(a, axis=axis) - np.mean(b, axis=axis),
            permutation_type="samples", n_resamples=1000, vectorized=True,
        )  # fmt: skip
        assert p_values[metric] == pytest.approx(theirs.pvalue, abs=1e-12)


def test_exact_permutation_of_max_f_equals_a_plain_loop() -> None:
    one, two = (table(6, seed=seed, protocol="basnet2019", levels=255) for seed in (1, 2))
    kept = {name: np.stack([one.image_curves[name], two.image_curves[name]]) for name in one.image_curves}
    columns = {name: np.stack([one.per_image[name], two.per_image[name]]) for name in one.per_image}

    def difference(code: int) -> float:
        pick = np.array([(code >> i) & 1 for i in range(6)])
        scores = [
            dataset_scores(
                {name: values[side, np.arange(6)] for name, values in columns.items()},
                {name: values[side, np.arange(6)] for name, values in kept.items()},
                one.protocol,
            )["maxF"]
            for side in (pick, 1 - pick)
        ]
        return scores[0] - scores[1]

    null = np.array([difference(code) for code in range(64)])
    expected = min(1.0, 2 * min((null >= null[0] - 1e-9).mean(), (null <= null[0] + 1e-9).mean()))
    assert permutation_test(scores_of(one, two), 6, resamples=64)["maxF"] == pytest.approx(expected)


def test_random_permutation_tests_agree_with_scipys() -> None:
    one, two = table(60, seed=1), table(60, seed=2)
    two.per_image["MAE"] = one.per_image["MAE"] + np.random.default_rng(0).normal(0.04, 0.2, 60)
    p_value = permutation_test(scores_of(one, two), 60, resamples=5000)["MAE"]
    theirs = stats.permutation_test(
        (one.per_image["MAE"].to_numpy(), two.per_image["MAE"].to_numpy()),
        lambda a, b, axis: np.mean(a - b, axis=axis),
        permutation_type="samples", n_resamples=5000, vectorized=True, rng=np.random.default_rng(1),
    ).pvalue  # fmt: skip
    assert 0.01 < theirs < 0.5
    # two Monte Carlo estimates of one p: four standard errors of their difference
    assert abs(p_value - theirs) < 4 * np.sqrt(2 * 2 * theirs / 5000)


def test_the_same_method_twice_does_not_differ() -> None:
    one = table(30)
    p_values = permutation_test(scores_of(one, one), 30, resamples=200)
    assert all(p == 1 for p in p_values.values())
    interval = paired_bootstrap(scores_of(one), scores_of(one), 30, 200)["maxF"]
    assert (interval.value, interval.low, interval.high) == (0, 0, 0)


def test_images_that_a_protocol_leaves_out_stay_out_of_the_resamples() -> None:
    made = table(20)
    made.per_image.loc["0003", "S"] = np.nan
    interval = bootstrap(scores_of(made), 20, 200)["S"]
    assert interval.value == pytest.approx(made.per_image["S"].mean())
    assert interval.low < interval.value < interval.high


def test_tables_without_image_curves_give_the_means_only() -> None:
    import dataclasses

    intervals = bootstrap(scores_of(dataclasses.replace(table(), image_curves=None)), 12, 100)
    assert "MAE" in intervals and "maxF" not in intervals


@given(st.lists(st.floats(0, 1), max_size=8))
def test_holm_equals_the_definition(p_values: list[float]) -> None:
    corrected = holm(p_values)
    order = np.argsort(p_values, kind="stable")
    for place, i in enumerate(order):
        earlier = [(len(p_values) - j) * p_values[order[j]] for j in range(place + 1)]
        assert corrected[i] == pytest.approx(min(1.0, max(earlier)))


def test_holm_leaves_out_what_is_no_number() -> None:
    corrected = holm([0.01, float("nan"), 0.04])
    assert corrected[0] == 0.02 and np.isnan(corrected[1]) and corrected[2] == 0.04


def test_wins_ties_and_losses_follow_the_direction() -> None:
    one, two = np.array([0.1, 0.5, 0.3, np.nan]), np.array([0.2, 0.5, 0.1, 0.4])
    assert win_tie_loss(one, two, higher_is_better=True) == (1, 1, 1)
    assert win_tie_loss(one, two + 0.5, higher_is_better=False) == (3, 0, 0)


def test_critical_differences_are_those_of_the_published_table() -> None:
    """q at .05 for 2 to 10 methods: Demšar 2006, table 5 (a)."""
    q = {2: 1.960, 3: 2.343, 4: 2.569, 5: 2.728, 6: 2.850, 7: 2.949, 8: 3.031, 9: 3.102, 10: 3.164}
    for methods, value in q.items():
        scores = {str(m): [m, m + 0.5] for m in range(methods)}
        expected = value * np.sqrt(methods * (methods + 1) / 12)
        assert rank(scores, True).critical_difference == pytest.approx(expected, abs=2e-3 * expected)


def test_ranks_average_over_data_sets_and_group_what_is_close() -> None:
    scores = {"a": [0.9, 0.8, 0.9, 0.7], "b": [0.8, 0.8, 0.7, 0.6], "c": [0.1, 0.2, 0.3, 0.1]}
    ranking = rank(scores, higher_is_better=True)
    assert ranking.ranks == {"a": 1.125, "b": 1.875, "c": 3.0}
    assert ranking.p_value == pytest.approx(stats.friedmanchisquare(*scores.values()).pvalue)
    assert ranking.groups() == [["a", "b"], ["b", "c"]]
    assert rank(scores, higher_is_better=False).ranks["c"] == 1


def test_ranks_need_every_score() -> None:
    with pytest.raises(ValueError, match="every data set"):
        rank({"a": [0.1, np.nan], "b": [0.2, 0.3]}, True)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("basnet-tiny-seed3", ("basnet-tiny", 3)),
        ("net_seed=12", ("net", 12)),
        ("BASNet", None),
        ("seedling", None),
        ("seed1", None),
    ],
)
def test_seeds_are_read_from_names(name: str, expected) -> None:
    assert seed_of(name) == expected


def test_seeds_are_averaged_by_method_and_data_set() -> None:
    from results.stand_in import run

    runs = [run(f"net-seed{k}", seed=k) for k in range(3)] + [run("net-seed9", "ecssd"), run("other")]
    (group,) = over_seeds(runs)
    assert (group.method, group.dataset, len(group.runs)) == ("net", "sod", 3)
    values = [r.values()["MAE@pysodmetrics"] for r in runs[:3]]
    assert group.scores["MAE@pysodmetrics"].mean == pytest.approx(np.mean(values))
    assert group.scores["MAE@pysodmetrics"].deviation == pytest.approx(np.std(values, ddof=1))
    assert np.isnan(spread([{"S": 0.5}, {"S": float("nan")}])["S"].mean)
