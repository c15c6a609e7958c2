"""Published numbers: complete, as printed, and compared only with what is comparable."""

import re
from dataclasses import replace

import pytest

from sodbench.errors import InputError
from sodbench.metrics.protocol import load_protocol, protocol_names
from sodbench.results import published
from sodbench.results.matching import verdict
from sodbench.results.published import (
    bibliography,
    method_of,
    methods,
    published_frame,
    published_values,
)


def pick(source: str, method: str, dataset: str, metric: str, printed: str = ""):
    matches = [
        v
        for v in published_values()
        if (v.source, v.method, v.dataset, v.metric) == (source, method, dataset, metric)
        and printed in v.printed_method
    ]
    assert len(matches) == 1, matches
    return matches[0]


@pytest.mark.parametrize(
    ("source", "method", "dataset", "metric", "printed"),
    [
        ("basnet2019", "BASNet", "duts-te", "maxF", ".860"),
        ("basnet2019", "BASNet", "sod", "relaxF", ".603"),
        ("basnet2019", "DSS", "sod", "relaxF", ".444"),
        ("basnet2019", "SRM", "duts-te", "MAE", ".058"),
        ("u2net2020", "U²-Net†", "sod", "relaxF", ".559"),
        ("u2net2020", "BASNet", "pascal-s", "maxF", ".856"),
        ("sodsurvey", "SCRN", "sod", "MAE", ".107"),
        ("sal-eval", "BASNet", "sod", "maxIoU", ".673"),
        ("f3net2020", "F3Net", "hku-is", "E", ".953"),
        ("ldf2020", "LDF", "thur15k", "adpF", ".764"),
        ("minet2020", "MINet", "pascal-s", "MAE", ".064"),
        ("icon2022", "BASNet", "duts-te", "MAE", ".040"),
        ("inspyrenet2022", "InSPyReNet", "davis-s", "mBA", ".743"),
        ("dis2022", "BASNet", "dis-te4", "HCE", "3601"),
        ("csu2023", "BAS", "nc4k", "maxF", ".782"),
        ("readmes", "GateNet", "ecssd", "maxF", ".9486"),
        ("lmfnet2025", "Amulet", "ecssd", "MAE", ".059"),
        ("lmfnet2025", "U²-Net", "hku-is", "F", ".922"),
        ("lmfnet2025", "FSMI-Net", "pascal-s", "E", ".821"),
        ("lmfnet2025", "LMFNet", "dut-omron", "S", ".808"),
        ("lmfnet2025", "CSNet", "efficiency", "GFLOPs", "0.01"),
    ],
)
def test_values_are_as_printed(source: str, method: str, dataset: str, metric: str, printed: str) -> None:
    value = pick(source, method, dataset, metric)
    assert value.printed == printed and value.value == float(printed)
    assert value.digits == len(printed.partition(".")[2])


def test_retrained_and_official_rows_of_salod_are_apart() -> None:
    rows = [v for v in published_values() if v.source == "salod" and v.method == "BASNet"]
    values = {v.variant: v.printed for v in rows if v.dataset == "duts-te" and v.metric == "maxF"}
    assert values == {None: ".859", "retrained by SALOD": ".907"}


def test_every_table_is_there() -> None:
    counts = published_frame().groupby(["source", "table"]).size()
    assert counts.to_dict() == {
        ("basnet2019", "Table 2"): 144,
        ("basnet2019", "ablation table"): 33,
        ("cod2020", "Table 3"): 12,
        ("csu2023", "Table 4, efficiency"): 2,
        ("csu2023", "Tables 4 to 6"): 27,
        ("dis2022", "Table 2"): 36,
        ("dis2022", "Table 2, efficiency"): 2,
        ("f3net2020", "paper table"): 40,
        ("icon2022", "Table 1"): 252,
        ("icon2022", "Table 1, efficiency"): 2,
        ("inspyrenet2022", "Table 2"): 165,
        ("inspyrenet2022", "high-resolution table"): 12,
        ("ldf2020", "paper table"): 45,
        ("lmfnet2025", "Table 1"): 320,
        ("lmfnet2025", "Table 1, efficiency"): 32,
        ("minet2020", "Table 1"): 180,
        ("readmes", "CPD README, MAE"): 5,
        ("readmes", "CPD README, max F"): 10,
        ("readmes", "GateNet README"): 30,
        ("reports", "hyper.ai paper index, camouflage"): 12,
        ("reports", "vendor's model card, SALOD weights"): 5,
        ("reports", "vendor's model card, official weights"): 5,
        ("reports", "wizwand.com paper index, F"): 2,
        ("reports", "wizwand.com paper index, MAE"): 2,
        ("reports", "xuebinqin/BASNet issue #31"): 1,
        ("reports", "xuebinqin/BASNet issue #61"): 1,
        ("reports", "xuebinqin/U-2-Net issue #240"): 2,
        ("sal-eval", "README"): 42,
        ("salod", "README, SALOD's own test set"): 9,
        ("salod", "README, conventional table: official maps"): 90,
        ("salod", "README, conventional table: retrained"): 90,
        ("soc2022", "SOC-test benchmark"): 3,
        ("soc2022", "SOC-test benchmark, with the paper's data enhancement"): 3,
        ("soc2022", "Table 9"): 20,
        ("sodsurvey", "Table 4"): 108,
        ("u2net2020", "Tables 3 and 4"): 180,
    }


def test_every_value_has_a_source_and_known_names() -> None:
    for value in published_values():
        assert value.read_from and value.toolkit and value.short and value.venue
        assert value.protocol is None or value.protocol in protocol_names()
        assert value.cite is None or value.cite in bibliography()
        assert method_of(value.printed_method) or "ablation" in value.printed_method
        if value.protocol is not None and value.metric == "maxF":
            means = load_protocol(value.protocol).f_average == "means"
            assert value.family == (published.CURVE_OF_MEANS if means else published.MEAN_OF_CURVES)
    assert all(method.cite in bibliography() for method in methods().values())


def test_every_source_links_to_its_paper() -> None:
    """By DOI or arXiv; a toolbox by its repository; collections of several pages by nothing."""
    links = {value.source: value.link for value in published_values()}
    assert {source for source, link in links.items() if link is None} == {"readmes", "reports"}
    assert links["sal-eval"] == "https://github.com/ArcherFMY/sal_eval_toolbox"
    for value in {value.source: value for value in published_values()}.values():
        if value.cite is None:
            continue
        match = re.fullmatch(r"https://(doi\.org/(10\.\d{4,}/\S+)|arxiv\.org/abs/(\d{4}\.\d{5}))", value.link)
        assert match, (value.source, value.link)
        entry = bibliography()[value.cite]
        assert f"doi = {{{match[2]}}}" in entry if match[2] else f"eprint = {{{match[3]}}}" in entry


def test_remarks_stand_with_their_values() -> None:
    assert "disagrees with every other source" in pick("icon2022", "BASNet", "duts-te", "MAE").remark
    assert "disagrees" not in pick("icon2022", "BASNet", "duts-te", "wF").remark
    assert "845 of the 850" in pick("minet2020", "BASNet", "pascal-s", "maxF").remark
    assert pick("minet2020", "BASNet", "pascal-s", "maxF").n == 845
    assert "misprint" in pick("inspyrenet2022", "InSPyReNet", "pascal-s", "maxF", "SwinB").remark


def test_a_wrong_cell_names_the_file_and_row(tmp_path) -> None:
    text = (published.FOLDER / "sodsurvey.toml").read_text(encoding="utf-8")
    (tmp_path / "slip.toml").write_text(text.replace(".814 .776 .096", ".814 .776"), encoding="utf-8")
    with pytest.raises(InputError, match=r"slip.toml: Table 4: PiCANet: sod: found 2 values, expected 3"):
        list(published._read(tmp_path / "slip.toml"))
    (tmp_path / "slip.toml").write_text(text.replace(".096", ".O96"), encoding="utf-8")
    with pytest.raises(InputError, match=r"found '\.O96', expected a number"):
        list(published._read(tmp_path / "slip.toml"))


def judged(value, protocol: str, scored: int = 300, expected: int = 300):
    return verdict(value, value.metric, load_protocol(protocol), scored, expected)


def test_only_comparable_numbers_are_shown() -> None:
    dss = pick("basnet2019", "DSS", "sod", "maxF")
    assert judged(dss, "basnet2019").exact
    assert judged(dss, "sal-eval").shown and not judged(dss, "sal-eval").exact
    refused = judged(dss, "pysodmetrics")
    assert not refused.shown and (
        "basnet2019, whose F curve is F of mean precision and mean recall;"
        " that of pysodmetrics is the mean over images" in refused.reason
    )
    survey = pick("sodsurvey", "BASNet", "sod", "S")
    assert judged(survey, "pysodmetrics").shown and not judged(survey, "sal-eval").shown


def test_counts_must_agree() -> None:
    dss = pick("basnet2019", "DSS", "sod", "maxF")
    assert judged(dss, "basnet2019", scored=200).reason == "only 200 of 300 images are scored here"
    minet = pick("minet2020", "BASNet", "pascal-s", "maxF")
    assert judged(minet, "basnet2019", 850, 850).reason == "published on 845 images; the data set has 850"
    assert judged(minet, "basnet2019", 845, 845).shown
    hku = pick("basnet2019", "BASNet", "hku-is", "maxF")
    assert "4447 images or the 1447" in judged(hku, "basnet2019", 4447, 4447).reason
    assert judged(pick("u2net2020", "BASNet", "hku-is", "maxF"), "basnet2019", 4447, 4447).exact


def test_unstated_toolkits_compare_by_the_kind_of_f_curve_only() -> None:
    value = pick("inspyrenet2022", "VST", "ecssd", "maxF")
    assert judged(value, "pysodmetrics", 1000, 1000).reason.startswith(
        "toolkit not stated; both are max F of"
    )
    assert (
        "max F of averaged F curves; here: max F of averaged precision and recall"
        in judged(value, "basnet2019", 1000, 1000).reason
    )
    other = pick("inspyrenet2022", "VST", "ecssd", "MAE")
    assert judged(other, "pysodmetrics", 1000, 1000).reason == "the source does not state its toolkit"
    assert not verdict(other, "S", load_protocol("raw"), 1000, 1000).shown


def test_a_users_protocol_compares_by_its_fields() -> None:
    mine = replace(load_protocol("basnet2019"), name="mine", f_epsilon=0.0)
    dss = pick("basnet2019", "DSS", "sod", "maxF")
    assert verdict(dss, "maxF", mine, 300, 300).shown
    assert not verdict(dss, "maxF", replace(mine, f_scale="255"), 300, 300).shown


def test_lmfnets_table_is_another_source_of_known_methods() -> None:
    """Sixteen networks on five sets, beside the other sources' rows and never in their place."""
    theirs = [value for value in published_values() if value.source == "lmfnet2025"]
    scores = [value for value in theirs if value.dataset != "efficiency"]
    assert len({value.method for value in scores}) == 16
    assert {value.dataset for value in scores} == {"ecssd", "duts-te", "hku-is", "pascal-s", "dut-omron"}
    assert {value.digits for value in scores} == {3}
    for method in ("BASNet", "U²-Net", "CPD", "GateNet", "MINet"):
        sources = {
            value.source: value.printed
            for value in published_values()
            if (value.method, value.dataset, value.metric, value.variant) == (method, "ecssd", "MAE", None)
        }
        assert "lmfnet2025" in sources and len(sources) > 1, method
    assert pick("lmfnet2025", "BASNet", "ecssd", "F").printed == ".931"
    assert pick("basnet2019", "BASNet", "ecssd", "maxF").printed == ".942"


def test_lmfnets_numbers_are_compared_with_nothing() -> None:
    """Neither the toolkit nor the kind of F and E is stated: no column of ours is theirs."""
    for value in published_values():
        if value.source == "lmfnet2025" and value.dataset != "efficiency":
            assert value.protocol is None and value.family is None and value.n is None
            for protocol in protocol_names():
                judgement = judged(value, protocol, 1000, 1000)
                assert not judgement.shown, (value.method, value.metric)
                assert "state" in judgement.reason or "4447 images" in judgement.reason
            assert not verdict(value, "maxF", load_protocol("pysodmetrics"), 1000, 1000).shown
